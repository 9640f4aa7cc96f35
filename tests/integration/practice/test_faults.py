"""Each fault, met by the real client or by the page, and what the ledger then says."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from instagrapi.exceptions import (
    ClientConnectionError,
    ClientError,
    LoginRequired,
    MediaNotFound,
    PhotoNotUpload,
)

from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess, SeededAccount
from tests.support.waiting import wait_until

SignedIn = tuple[PracticeClient, SeededAccount]
NewAccount = Callable[..., SeededAccount]
CONFIGURE = "/api/v1/media/configure/"
NEVER_MS = 3_600_000
"""Longer than any test lives."""


def published(practice: PracticeProcess, account: SeededAccount) -> list[dict[str, Any]]:
    records = practice.ledger(kind="published")
    return [record for record in records if record["account"] == account.username]


def fault_kinds(practice: PracticeProcess, request_id: str) -> list[str]:
    records = practice.ledger(kind="fault")
    return [record["fault"] for record in records if record["request_id"] == request_id]


def captions(client: PracticeClient, account: SeededAccount) -> list[str]:
    return [media.caption_text for media in client.user_medias_v1(account.user_id)]


@pytest.fixture
def web(practice_platform: PracticeProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=practice_platform.url, trust_env=False, timeout=20.0) as client:
        yield client


def sign_in(web: httpx.Client, account: SeededAccount) -> None:
    answer = web.post(
        "/accounts/login/", data={"username": account.username, "password": account.password}
    )
    assert answer.status_code == 303


def share(web: httpx.Client, photo: Path, caption: str, **options: Any) -> httpx.Response:
    files = {"files": ("photo.jpg", photo.read_bytes())}
    return web.post("/create/", files=files, data={"caption": caption}, **options)


def test_a_lost_answer_leaves_the_post(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    practice_platform.fault(
        "drop_after_apply", "/api/v1/media/configure*", account=account.username
    )
    with pytest.raises(ClientConnectionError):
        client.publish_photo(photos[0], "lost answer")
    (record,) = published(practice_platform, account)
    assert captions(client, account) == ["lost answer"]
    assert fault_kinds(practice_platform, record["request_id"]) == ["drop_after_apply"]
    assert practice_platform.faults() == []


def test_a_lost_request_leaves_nothing_but_its_fault(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    practice_platform.fault("drop_before_apply", "/api/v1/media/configure*")
    with pytest.raises(ClientConnectionError):
        client.publish_photo(photos[0], "lost request")
    assert published(practice_platform, account) == []
    fault = practice_platform.ledger()[-1]
    assert (fault["kind"], fault["fault"]) == ("fault", "drop_before_apply")
    assert (fault["account"], fault["user_id"]) == (account.username, account.user_id)
    assert fault["route"] == CONFIGURE


def test_a_refusal_is_answered_as_set_and_applies_nothing(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    practice_platform.fault("refuse_status", "/rupload_igphoto/*", status=502, body="bad gateway")
    with pytest.raises(PhotoNotUpload, match="bad gateway"):
        client.photo_rupload(photos[0])
    body = {"message": "Please wait a few minutes", "status": "fail"}
    practice_platform.fault("refuse_status", CONFIGURE, status=429, body=body)
    with pytest.raises(ClientError, match="wait a few minutes"):
        client.publish_photo(photos[0], "x")
    assert published(practice_platform, account) == []


@pytest.mark.parametrize(("status", "body"), [(500, None), (502, "bad gateway")])
def test_an_error_after_the_effect_hides_the_post(
    practice_platform: PracticeProcess,
    signed_in: SignedIn,
    photos: list[Path],
    status: int,
    body: str | None,
) -> None:
    client, account = signed_in
    practice_platform.fault("status_after_apply", CONFIGURE, status=status, body=body)
    with pytest.raises(ClientError) as caught:
        client.publish_photo(photos[0], "behind an error")
    assert caught.value.response.status_code == status
    assert caught.value.response.text == (body or '{"message":"fault","status":"fail"}')
    (record,) = published(practice_platform, account)
    assert captions(client, account) == ["behind an error"]
    assert fault_kinds(practice_platform, record["request_id"]) == ["status_after_apply"]


def test_a_late_effect_comes_after_the_client_was_cut_off(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    practice_platform.fault("apply_late", CONFIGURE, account=account.username, delay_ms=400)
    with pytest.raises(ClientConnectionError):
        client.publish_photo(photos[0], "late")
    (record,) = wait_until(lambda: published(practice_platform, account), "the late post")
    (fault,) = [
        each
        for each in practice_platform.ledger(kind="fault")
        if each["request_id"] == record["request_id"]
    ]
    passed = datetime.fromisoformat(record["at"]) - datetime.fromisoformat(fault["at"])
    assert passed.total_seconds() >= 0.4
    wait_until(lambda: practice_platform.metrics()["late_requests"] == 0, "the request's end")
    assert captions(client, account) == ["late"]


def test_a_late_effect_is_the_pages_too(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    web: httpx.Client,
    photos: list[Path],
) -> None:
    account = new_account()
    sign_in(web, account)
    practice_platform.fault("apply_late", "/create/", account=account.username, delay_ms=50)
    with pytest.raises(httpx.RemoteProtocolError):
        share(web, photos[0], "late by page")
    (record,) = wait_until(lambda: published(practice_platform, account), "the late post")
    assert (record["source"], record["caption"]) == ("web", "late by page")


def test_a_platform_that_stops_takes_late_effects_with_it(
    tmp_path: Path, photos: list[Path]
) -> None:
    with PracticeProcess.start(tmp_path) as practice:
        practice.seed([{"username": "ada", "password": "x"}])
        client = PracticeClient(practice.url)
        client.login("ada", "x")
        practice.fault("apply_late", CONFIGURE, delay_ms=NEVER_MS)
        with pytest.raises(ClientConnectionError):
            client.publish_photo(photos[0], "never")
        client.close()
        assert practice.metrics()["late_requests"] == 1
        assert practice.stop() == 0
    assert "Traceback" not in (tmp_path / "output.log").read_text()
    with PracticeProcess.start(tmp_path) as practice:
        assert practice.ledger()[-1]["fault"] == "apply_late"
        assert practice.posts("ada") == []


def test_a_delayed_request_is_applied_though_nobody_waits_for_it(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    web: httpx.Client,
    photos: list[Path],
) -> None:
    account = new_account()
    sign_in(web, account)
    practice_platform.fault("delay_ms", "/create/", account=account.username, delay_ms=600)
    with pytest.raises(httpx.ReadTimeout):
        share(web, photos[0], "gave up", timeout=0.2)
    (record,) = wait_until(lambda: published(practice_platform, account), "the late post")
    assert record["caption"] == "gave up"


def test_resetting_forgets_what_was_still_to_come(tmp_path: Path, photos: list[Path]) -> None:
    with PracticeProcess.start(tmp_path) as practice:
        practice.seed([{"username": "ada", "password": "x"}])
        client = PracticeClient(practice.url)
        client.login("ada", "x")
        practice.fault("apply_late", CONFIGURE, delay_ms=300)
        with pytest.raises(ClientConnectionError):
            client.publish_photo(photos[0], "of another life")
        client.close()
        practice.reset()
        practice.seed([{"username": "ada", "password": "x"}])
        wait_until(lambda: practice.metrics()["late_requests"] == 0, "the request's end")
        assert practice.posts("ada") == []


def test_a_session_ends_before_the_request_that_it_should_serve(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    upload_id, width, height = client.photo_rupload(photos[0])
    practice_platform.fault("expire_session", CONFIGURE, account=account.username)
    with pytest.raises(LoginRequired):
        client.photo_configure(upload_id, width, height, "too late")
    with pytest.raises(LoginRequired):
        client.account_info()
    assert published(practice_platform, account) == []
    fault, revoked = practice_platform.ledger()[-2:]
    assert (fault["fault"], revoked["kind"]) == ("expire_session", "session_revoked")
    assert fault["request_id"] == revoked["request_id"]
    assert revoked["account"] == account.username
    client.login(account.username, account.password, relogin=True)
    client.photo_configure(upload_id, width, height, "signed in again")
    assert captions(client, account) == ["signed in again"]


def test_a_session_of_the_page_ends_too(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    web: httpx.Client,
    photos: list[Path],
) -> None:
    account = new_account()
    sign_in(web, account)
    assert web.get("/").status_code == 200
    practice_platform.fault("expire_session", "/create/", account=account.username)
    assert share(web, photos[0], "x").status_code == 403
    assert web.get("/").headers["location"] == "/accounts/login/"
    assert published(practice_platform, account) == []


def test_a_post_listed_late_is_seen_by_nobody(
    practice_platform: PracticeProcess,
    signed_in: SignedIn,
    web: httpx.Client,
    photos: list[Path],
) -> None:
    client, account = signed_in
    practice_platform.fault("list_late", CONFIGURE, account=account.username, delay_ms=NEVER_MS)
    made = client.publish_photo(photos[0], "held back")
    client.publish_photo(photos[1], "in sight")
    (held, shown) = practice_platform.posts(account.username)
    assert (held["post_id"], held["caption"]) == (made["id"], "held back")
    assert held["listed_at"] > held["taken_at"]

    assert captions(client, account) == ["in sight"]
    with pytest.raises(MediaNotFound):
        client.media_info_v1(made["pk"])
    home = client.get_timeline_feed()
    assert made["id"] not in {item["media_or_ad"]["id"] for item in home["feed_items"]}
    assert client.user_info_v1(str(account.user_id)).media_count == 1
    assert web.get(f"/p/{held['post_code']}/").status_code == 404
    profile = web.get(f"/{account.username}/").text
    assert f"/p/{shown['post_code']}/" in profile
    assert f"/p/{held['post_code']}/" not in profile
    sign_in(web, account)
    assert f"/p/{held['post_code']}/" not in web.get("/").text


def test_a_post_listed_late_comes_into_sight_also_after_a_lost_answer(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    for kind in ("list_late", "drop_after_apply"):
        practice_platform.fault(kind, CONFIGURE, account=account.username, delay_ms=300)
    with pytest.raises(ClientConnectionError):
        client.publish_photo(photos[0], "both")
    (record,) = published(practice_platform, account)
    assert record["list_late_ms"] == 300
    assert fault_kinds(practice_platform, record["request_id"]) == [
        "list_late",
        "drop_after_apply",
    ]
    wait_until(lambda: captions(client, account) == ["both"], "the post in the feed")


def test_every_modifier_hits_and_one_answer(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    upload_id, width, height = client.photo_rupload(photos[0])
    for kind in ("expire_session", "delay_ms", "status_after_apply", "drop_before_apply"):
        practice_platform.fault(
            kind, CONFIGURE, account=account.username, delay_ms=1, status=502, body="bad gateway"
        )
    with pytest.raises(ClientError, match="502"):
        client.photo_configure(upload_id, width, height, "x")
    assert [fault["kind"] for fault in practice_platform.faults()] == ["drop_before_apply"]
    assert published(practice_platform, account) == []
    kinds = [record["fault"] or record["kind"] for record in practice_platform.ledger()[-4:]]
    assert kinds == ["expire_session", "delay_ms", "status_after_apply", "session_revoked"]
