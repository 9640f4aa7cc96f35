"""A real agent with its real runners: accounts of both drivers sign in and publish, each once."""

from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.operations import Post
from common.protocol.bulk import OfferBlob
from common.protocol.messages import ScreenSeen, WatchScreen
from tests.support.agent_link import DesktopLink, blob_frames, open_bulk, pair
from tests.support.agent_process import AgentProcess
from tests.support.driving import photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

pytestmark = pytest.mark.browser
PUBLISHED = ["assigned", "running", "done"]


async def sign_in(desktop: DesktopLink, account: AccountAccess, folder: Path) -> AccountAccess:
    item = login_item(account, folder).item
    await desktop.accept(item)
    await desktop.until(lambda: desktop.states(item.item_id) == PUBLISHED, "signed in")
    saved = next(one for one in desktop.of("session_saved") if one.account_id == account.account_id)
    return account.model_copy(
        update={
            "session": saved.session,
            "session_version": saved.version,
            "user_id": saved.user_id,
        }
    )


async def test_both_drivers_sign_in_and_publish_through_the_whole_agent(tmp_path: Path) -> None:
    with (
        PracticeProcess.start(tmp_path / "practice") as practice,
        AgentProcess.start(tmp_path / "agent") as agent,
    ):
        api = seed_account(practice, "by_api", totp=True)
        page = seed_account(practice, "by_page", totp=True)
        page = page.model_copy(update={"driver": DriverName.BROWSER})
        photo = make_photo(tmp_path / "a.jpg")
        post: Post = photo_post(photo, "Both ways")
        paired = await pair(agent.pair_line())
        async with DesktopLink.open(paired) as desktop, open_bulk(paired) as bulk:
            await _send_blob(bulk, post.files[0].sha256, photo.read_bytes())
            await desktop.ask(WatchScreen(id="w", account_id=page.account_id, channel=3))
            for account in (api, page):
                signed = await sign_in(desktop, account, tmp_path)
                item = upload_item(signed, tmp_path, post).item
                await desktop.accept(item)
                await _until_published(desktop, item.item_id)
                await desktop.send(ScreenSeen(channel=3))
        published = practice.ledger(kind="published")
        confirmed = [one for one in desktop.of("action_changed") if one.state == "confirmed"]
        assert [one["account"] for one in published] == ["by_api", "by_page"]
        assert [one.remote_id for one in confirmed] == [one["post_id"] for one in published]


async def _until_published(desktop: DesktopLink, item_id: str) -> None:
    await desktop.until(lambda: desktop.states(item_id) == PUBLISHED, "published")


async def _send_blob(bulk: ClientConnection, sha256: str, data: bytes) -> None:
    await bulk.send(OfferBlob(channel=1, sha256=sha256, size=len(data)).model_dump_json())
    await bulk.recv()
    for frame in blob_frames(1, data):
        await bulk.send(frame)
        await bulk.recv()
