"""How the account's own list is asked for, with the real library against scripted answers."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.driver import PrivateApiDriver
from agent.drivers.private_api.own_feed import OwnFeed
from agent.drivers.private_api.workers import Workers
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline
from common.errors import (
    ChallengeRequiredError,
    DriverError,
    FlotillaError,
    PlatformUnreachableError,
    RateLimitedError,
    SessionExpiredError,
)
from tests.support.driving import Remembered
from tests.support.scripted_server import DROP, ScriptedServer, answer, scripted

NOW = 1_700_000_000
DATE = "Date: Tue, 14 Nov 2023 22:13:20 GMT"
SINCE = Baseline(post_ids=("7_5",), platform_time=float(NOW))


def item(number: int, taken_at: int = NOW + 1) -> dict[str, Any]:
    return {
        "pk": number,
        "id": f"{number}_5",
        "code": "Bo",
        "taken_at": taken_at,
        "media_type": 1,
        "caption": None,
    }


def page(*items: dict[str, Any], **fields: Any) -> bytes:
    body = json.dumps({"status": "ok", "items": items, **fields})
    return answer(f"200 OK\r\n{DATE}", body)


@contextmanager
def driving(server: ScriptedServer, *, user_id: str = "5") -> Iterator[PrivateApiDriver]:
    account = AccountAccess(
        account_id="id",
        platform=Platform.PRACTICE,
        platform_url=server.url,
        username="somebody",
        driver=DriverName.PRIVATE_API,
    )
    settings = {"authorization_data": {"ds_user_id": user_id, "sessionid": "x"}} if user_id else {}
    client, workers = AccountClient(account, settings), Workers(1, 1)
    hooks = Remembered().hooks()
    hooks.cancel.set()  # what settles a doubt is not stopped by it
    try:
        yield PrivateApiDriver(account, client, OwnFeed(client, account), workers, hooks)
    finally:
        client.close()
        workers.close()


async def numbers(server: ScriptedServer, since: Baseline = SINCE) -> list[str]:
    with driving(server) as driver:
        found = await driver.find_published(since)
    return [post.remote_id.partition("_")[0] for post in found]


async def test_the_list_is_read_back_to_what_was_known_before() -> None:
    pages = [
        page(item(10), item(9), next_max_id="9_5"),
        page(item(8), item(7, NOW), next_max_id="7_5"),
    ]
    with scripted(*pages, page()) as server:
        assert await numbers(server) == ["10", "9", "8"]
        assert ["max_id" in line for line in server.requests] == [False, True]


async def test_a_pinned_post_does_not_end_the_list() -> None:
    pages = [
        page(item(2, NOW - 99_999), item(10), next_max_id="10_5"),
        page(item(9), item(3, NOW - 99_999), next_max_id="3_5"),
    ]
    with scripted(*pages, page()) as server:
        assert await numbers(server) == ["10", "9"]
        assert len(server.requests) == 2


async def test_a_page_of_pinned_posts_does_not_end_the_list() -> None:
    old = NOW - 99_999
    pages = [
        page(item(2, old), item(7, NOW), item(3, old), next_max_id="3_5"),
        page(item(10), item(6, old), next_max_id="6_5"),
    ]
    with scripted(*pages, page(item(10))) as server:
        assert await numbers(server) == ["10"]
        assert len(server.requests) == 3


async def test_a_newer_post_that_a_person_looked_at_does_not_end_the_list() -> None:
    since = Baseline(post_ids=("7_5", "11_5"), platform_time=float(NOW))
    pages = [
        page(item(14), item(13), item(12), item(11, NOW + 9), next_max_id="11_5"),
        page(item(10, NOW + 5), item(7, NOW), next_max_id="7_5"),
    ]
    with scripted(*pages, page()) as server:
        assert await numbers(server, since) == ["14", "13", "12", "10"]
        assert len(server.requests) == 2


async def test_a_single_new_post_is_read_by_itself() -> None:
    with scripted(page(item(10), item(7)), page(item(10))) as server:
        assert await numbers(server) == ["10"]
        assert "/api/v1/media/10/info/" in server.requests[1]


@pytest.mark.parametrize("other", [page(item(11)), page(), answer("500 Sorry")])
async def test_a_single_new_post_that_is_not_there_by_itself_is_an_error(other: bytes) -> None:
    with scripted(page(item(10), item(7)), other) as server, pytest.raises(DriverError):
        await numbers(server)


async def test_a_list_without_an_end_is_no_list() -> None:
    pages = [page(item(number), next_max_id=f"{number}_5") for number in range(20, 10, -1)]
    with scripted(*pages) as server:
        with pytest.raises(DriverError, match="more newer posts"):
            await numbers(server)
        assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (DROP, PlatformUnreachableError),
        (answer("500 Sorry", "{}"), DriverError),
        (answer("502 Bad Gateway", "<html>"), DriverError),
        (answer("429 Too Many Requests", '{"message": "slow down"}'), RateLimitedError),
        (answer("403 Forbidden", '{"message": "login_required"}'), SessionExpiredError),
        (answer("404 Not Found", "Not Found"), ChallengeRequiredError),
        (answer("200 OK", "<html>"), DriverError),
        (answer("200 OK", '{"status": "ok", "items": [{}]}'), DriverError),
        (answer("200 OK", '{"status": "fail", "items": []}'), DriverError),
        (answer("200 OK", '{"status": "ok"}'), DriverError),
        (answer("200 OK", "[]"), DriverError),
        (answer("200 OK", '{"status": "ok", "items": []}', length=500), PlatformUnreachableError),
    ],
)
async def test_an_answer_that_is_no_list_is_an_error_also_behind_the_first_page(
    reply: bytes, expected: type[FlotillaError]
) -> None:
    first = page(item(10), next_max_id="10_5")
    for answers in ([reply], [first, reply]):
        with scripted(*answers) as server, pytest.raises(expected):
            await numbers(server)


async def test_without_a_session_nothing_is_asked() -> None:
    with scripted(page()) as server:
        with driving(server, user_id="") as driver, pytest.raises(SessionExpiredError):
            await driver.find_published(SINCE)
        assert not server.requests


def test_a_baseline_is_asked_for_once_and_kept_up_until_something_is_unclear() -> None:
    with scripted(page(item(7), item(6)), page(item(8)), page(item(8))) as server:
        account = AccountAccess(
            account_id="id",
            platform=Platform.PRACTICE,
            platform_url=server.url,
            username="somebody",
            driver=DriverName.PRIVATE_API,
        )
        settings = {"authorization_data": {"ds_user_id": "5", "sessionid": "x"}}
        client = AccountClient(account, settings)
        feed = OwnFeed(client, account)
        taken = feed.baseline()
        assert (taken.post_ids, taken.platform_time) == (("7_5", "6_5"), float(NOW))
        assert taken.clock_ahead is not None
        assert abs(time.time() - NOW - taken.clock_ahead) < 60
        feed.confirmed("8_5")
        assert feed.baseline().post_ids == ("8_5", "7_5", "6_5")
        assert [post.remote_id for post in feed.newer_as_known(Baseline(post_ids=("6_5",)))] == [
            "7_5"
        ]
        assert len(server.requests) == 1
        feed.forget()
        assert feed.baseline().post_ids == ("8_5",)
        assert len(server.requests) == 2
        client.close()
