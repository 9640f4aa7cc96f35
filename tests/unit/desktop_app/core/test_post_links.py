"""A person names a post by its address or its id, and only a post of that platform is taken."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.accounts import Platform
from common.domain.states import SignInState
from common.errors import InputError
from common.post_codes import code_of, number_in, number_of, remote_id
from desktop_app.core.post_links import read_post_link
from desktop_app.store.records import AccountRecord

NUMBER = 3_141_592_653_589_793_238
CODE = code_of(NUMBER)


def account(platform: Platform = Platform.INSTAGRAM, **changes: Any) -> AccountRecord:
    values: dict[str, Any] = {
        "id": "a", "platform": platform, "platform_url": "http://127.0.0.1:8700",
        "username": "cove", "full_name": "", "user_id": "42", "tags": (), "driver": None,
        "proxy_id": None, "agent_id": None, "fence": 1, "has_password": True, "has_totp": False,
        "sessions": frozenset(), "sign_in": SignInState.SIGNED_IN, "held": False,
    }  # fmt: skip
    return AccountRecord(**(values | changes))


def test_codes_and_numbers_are_one() -> None:
    for number in (0, 1, 63, 64, NUMBER):
        assert number_of(code_of(number)) == number
    assert number_in(remote_id(NUMBER, "42")) == number_in(str(NUMBER)) == str(NUMBER)


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.instagram.com/p/{CODE}/",
        f"https://instagram.com/reel/{CODE}/?igsh=abc",
        f" http://www.instagram.com/cove/p/{CODE} ",
        f"www.instagram.com/reels/{CODE}/#c",
        str(NUMBER),
        f"{NUMBER}_42",
    ],
)
def test_a_post_is_read_from_whatever_names_it(text: str) -> None:
    assert read_post_link(text, account()) == (
        f"{NUMBER}_42",
        f"https://www.instagram.com/p/{CODE}/",
    )


def test_a_post_on_the_practice_platform_is_read() -> None:
    found = read_post_link(f"http://127.0.0.1:8700/p/{CODE}/", account(Platform.PRACTICE))
    assert found == (f"{NUMBER}_42", f"http://127.0.0.1:8700/p/{CODE}/")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Say which post"),
        ("https://www.instagram.com/cove/", "not the address of a post"),
        (f"https://example.com/p/{CODE}/", "not on the platform"),
        (f"https://instagram.com.example.com/p/{CODE}/", "not on the platform"),
        (f"javascript://www.instagram.com/p/{CODE}/", "not the address"),
        (f"http://127.0.0.1:8700/p/{CODE}/", "not on the platform"),
        (f"{NUMBER}_43", "not one of @cove"),
        ("http://[/p/abcdef/", "not the address"),
        ("harbour at dusk", "not the address"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_post_link(text, account())
    assert caught.value.field == "link"
