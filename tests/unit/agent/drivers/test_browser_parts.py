"""Parts of the browser driver that need no browser."""

import sys
from pathlib import Path

import pytest

from agent.drivers.browser.errors import PublishAnswer, publish_refusal, sign_in_refusal
from agent.drivers.browser.executable import VARIABLE, require_browser
from agent.drivers.browser.grid import code_in
from agent.drivers.browser.profile_lock import ProfileLock
from agent.drivers.browser.vocabulary import Target, load_vocabulary
from common.domain.accounts import Platform
from common.domain.content import PostKind
from common.errors import ConflictError, DriverError


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_browser_that_is_named_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = program(tmp_path / "mine")
    monkeypatch.setenv(VARIABLE, str(named))
    assert require_browser() == named


def test_a_name_that_leads_nowhere_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(DriverError, match=VARIABLE):
        require_browser()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is found outside of the PATH")
def test_where_there_is_none_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(DriverError) as missing:
        require_browser()
    assert "apt install chromium" in missing.value.advice


@pytest.mark.parametrize("platform", list(Platform))
def test_the_shipped_words_are_complete(platform: Platform) -> None:
    words = load_vocabulary(platform)
    assert words.locale == "en-US"
    assert words.routes.publish
    for name in (
        "username_field",
        "password_field",
        "share_button",
        "shared_text",
        "profile_name",
        "post_grid",
        "post_link",
        "no_posts",
        "post_body",
        "post_caption",
        "post_time",
    ):
        assert words.has(name)
    assert words.routes.profile.format(username="ada") == "/ada/"
    assert words.routes.post.format(code="Bo") == "/p/Bo/"
    assert set(words.kinds.values()) == set(PostKind)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://www.instagram.com/p/Bo_-1/", "Bo_-1"),
        ("https://www.instagram.com/ada/p/Bo/", "Bo"),
        ("https://www.instagram.com/ada/reel/Bo/?x=1", "Bo"),
        ("https://www.instagram.com/p/", ""),
        ("https://www.instagram.com/ada/", ""),
        ("https://www.instagram.com/explore/tags/p/", ""),
        ("", ""),
    ],
)
def test_a_posts_address_gives_its_code(address: str, code: str) -> None:
    assert code_in(address) == code


def test_a_target_is_found_in_exactly_one_way() -> None:
    with pytest.raises(ValueError, match="one of"):
        Target(label="a", css="b")
    with pytest.raises(ValueError, match="one of"):
        Target(name="only a name")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Sorry, your password was incorrect.", "credentials_refused"),
        ("That code is not right.", "second_factor_refused"),
        ("Please wait a few minutes", "rate_limited"),
        ("Something nobody has seen", "challenge_required"),
    ],
)
def test_an_alert_nobody_knows_is_left_to_a_person(said: str, code: str) -> None:
    meaning = load_vocabulary(Platform.INSTAGRAM).meaning_of(said)
    assert sign_in_refusal("somebody", meaning, said).code == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (PublishAnswer(400, "too long"), "content_refused"),
        (PublishAnswer(403, "Sign in first."), "session_expired"),
        (PublishAnswer(400), "ambiguous_effect"),
        (PublishAnswer(500, "oops"), "ambiguous_effect"),
        (PublishAnswer(429, "slow down"), "ambiguous_effect"),
        (PublishAnswer(failure="net::ERR_CONNECTION_REFUSED"), "platform_unreachable"),
        (PublishAnswer(failure="net::ERR_PROXY_CONNECTION_FAILED"), "proxy_failed"),
        (PublishAnswer(failure="net::ERR_EMPTY_RESPONSE"), "ambiguous_effect"),
        (PublishAnswer(failure="net::ERR_SSL_PROTOCOL_ERROR"), "ambiguous_effect"),
        (PublishAnswer(failure="net::ERR_ADDRESS_UNREACHABLE"), "ambiguous_effect"),
        (PublishAnswer(), "ambiguous_effect"),
    ],
)
def test_an_alert_after_sharing_is_a_refusal_only_with_proof(
    answer: PublishAnswer, code: str
) -> None:
    assert publish_refusal("somebody", "It failed.", answer).code == code


def test_a_profile_is_locked_until_released(tmp_path: Path) -> None:
    with ProfileLock(tmp_path, "somebody"), pytest.raises(ConflictError):
        ProfileLock(tmp_path, "somebody")
    ProfileLock(tmp_path, "somebody").release()
