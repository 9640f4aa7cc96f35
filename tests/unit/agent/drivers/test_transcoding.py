"""A reel whose video the platform is still reading: asked again only because it says so."""

from pathlib import Path

import pytest

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.driver import PrivateApiDriver
from agent.drivers.private_api.own_feed import OwnFeed
from agent.drivers.private_api.workers import Workers
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, PostKind
from common.errors import AmbiguousEffectError
from common.operations import MediaFile, Post, PreparedPost, PublishedPost
from tests.support.driving import Remembered
from tests.support.scripted_server import answer, scripted

READING = answer("202 Accepted", '{"status": "fail", "message": "Transcode not finished yet."}')
ACCEPTED = answer("202 Accepted", '{"status": "fail", "message": "Something else."}')
DONE = answer("200 OK", '{"status": "ok", "media": {"pk": "64", "code": "BA"}}')


async def publish(url: str) -> PublishedPost:
    account = AccountAccess(
        account_id="id",
        platform=Platform.PRACTICE,
        platform_url=url,
        username="somebody",
        driver=DriverName.PRIVATE_API,
    )
    client, workers = AccountClient(account), Workers(1, 1)
    driver = PrivateApiDriver(
        account,
        client,
        OwnFeed(client, account),
        workers,
        Remembered().hooks(),
        transcode_seconds=0.01,
    )
    cover = Path("cover.jpg")
    file = MediaFile(Path("a.mp4"), "0" * 64, MediaKind.VIDEO, 720, 1280, 5.0, cover)
    post = Post(PostKind.REEL, [file], "A reel")
    try:
        return await driver.publish(PreparedPost(post, {"upload_ids": "1"}))
    finally:
        client.close()
        workers.close()


async def test_the_question_is_asked_until_the_video_is_read() -> None:
    with scripted(READING, READING, DONE) as server:
        published = await publish(server.url)
        assert len(server.requests) == 3
        assert published == PublishedPost("64", f"{server.url}/p/BA/")


async def test_any_other_answer_is_in_doubt_and_asked_once() -> None:
    with scripted(ACCEPTED, DONE) as server:
        with pytest.raises(AmbiguousEffectError):
            await publish(server.url)
        assert len(server.requests) == 1


async def test_a_success_that_names_no_post_is_in_doubt() -> None:
    with (
        scripted(answer("200 OK", '{"status": "ok"}')) as server,
        pytest.raises(AmbiguousEffectError),
    ):
        await publish(server.url)
