"""A real browser runner over its pipe: items, the live screen, cancel, and a sudden end."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from agent.runners.messages import (
    CancelItem,
    ItemProgress,
    ScreenSeen,
    SessionFound,
    StopScreen,
    WatchScreen,
)
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from tests.support.driving import photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.runner_process import RunnerUnderTest, runner_process
from tests.support.sample_media import make_photo
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[RunnerUnderTest]:
    async with runner_process("browser", tmp_path / "runner.log", "--slots", "2") as running:
        yield running


def browser_account(practice: PracticeProcess, name: str) -> AccountAccess:
    account = seed_account(practice, name)
    return account.model_copy(update={"driver": DriverName.BROWSER})


def browsers_of(folder: Path) -> list[psutil.Process]:
    """Processes of Chromium that use a profile in `folder`."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != os.getpid()
        and any(str(folder) in part for part in process.info["cmdline"] or [])
    ]


async def test_sign_in_and_publish_are_watched_live(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = browser_account(practice, "watched")
    runner.send(WatchScreen(account_id=account.account_id, channel=7, width=640))
    start = login_item(account, tmp_path)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error

    found = await runner.wait_for(SessionFound)
    account = account.model_copy(update={"session": found.session})
    post = photo_post(make_photo(tmp_path / "a.jpg"), "Watched")
    publish = upload_item(account, tmp_path, post)
    runner.send(publish)
    ended = await runner.ended(publish.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    (first,) = await runner.wait_for_frames(1)
    assert first.channel == 7
    assert first.jpeg.startswith(b"\xff\xd8")
    assert len(runner.frames) == 1, "a second frame before the first was seen"
    runner.send(ScreenSeen(channel=7))
    await runner.wait_for_frames(2)
    runner.send(StopScreen(account_id=account.account_id, channel=7))
    states = [step.state for step in runner.steps(publish.item.item_id)]
    assert states == [ActionState.SENDING, ActionState.CONFIRMED]
    (record,) = practice.ledger(kind="published")
    assert record["post_id"] == ended.result["remote_id"]
    assert await runner.stop() == 0
    await wait_until_async(lambda: not browsers_of(tmp_path), "its browsers have ended")


async def test_cancel_ends_an_item_in_the_middle_of_a_page(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_cancel")
    practice.fault("delay_ms", "/accounts/login/", delay_ms=20_000)
    start = login_item(account, tmp_path)
    runner.send(start)
    await runner.wait_for(ItemProgress, lambda one: one.step == "Signing in")
    runner.send(CancelItem(item_id=start.item.item_id))
    assert (await runner.ended(start.item.item_id)).state is ItemState.CANCELLED
    practice.clear_faults()


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
async def test_a_killed_runner_leaves_no_browser_behind(
    practice: PracticeProcess, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_killed")
    async with runner_process("browser", tmp_path / "runner.log") as runner:
        start = login_item(account, tmp_path / "profile")
        runner.send(start)
        await runner.ended(start.item.item_id)
        assert browsers_of(tmp_path / "profile")
        runner.process.kill()
        await runner.process.wait()
        await wait_until_async(
            lambda: not browsers_of(tmp_path / "profile"), "its browsers have ended"
        )
    async with runner_process("browser", tmp_path / "runner.log") as again:
        start = login_item(account, tmp_path / "profile")
        again.send(start)
        assert (await again.ended(start.item.item_id)).state is ItemState.DONE
