"""What becomes of a post that was shared in a browser and whose page did not say how it ended.

A real runner with a real Chromium; the judge is the platform's own ledger.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from agent.runners.messages import ActionRecord, CancelItem, SessionFound
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from tests.support.driving import photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.runner_process import RunnerUnderTest, runner_process
from tests.support.sample_media import make_photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CREATE = "/create/"
S = ActionState
FOUND = [S.SENDING, S.IN_DOUBT, S.RECONCILING, S.CONFIRMED]
SENT_TWICE = [*FOUND[:-1], S.PROVEN_ABSENT, S.PLANNED, S.SENDING, S.CONFIRMED]


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunnerUnderTest]:
    log = tmp_path_factory.mktemp("runner") / "runner.log"
    async with runner_process("browser", log, "--slots", "1") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(
    practice: PracticeProcess, runner: RunnerUnderTest, folder: Path
) -> AccountAccess:
    """One account for all tests here: its browser stays open between them."""
    account = seed_account(practice, "doubted").model_copy(update={"driver": DriverName.BROWSER})
    start = login_item(account, folder)
    runner.send(start)
    found = await runner.wait_for(SessionFound)
    await runner.ended(start.item.item_id)
    return account.model_copy(update={"session": found.session, "user_id": found.user_id})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


def published(practice: PracticeProcess, caption: str) -> list[str]:
    """Ids of the posts with a caption, by the platform's ledger."""
    return [
        one["post_id"] for one in practice.ledger(kind="published") if one["caption"] == caption
    ]


@pytest.mark.parametrize(
    ("faults", "steps"),
    [
        ([("drop_after_apply", {})], FOUND),
        ([("status_after_apply", {"status": 500}), ("list_late", {"delay_ms": 600})], FOUND),
        ([("apply_late", {"delay_ms": 600})], FOUND),
        ([("refuse_status", {"status": 502, "body": "bad gateway"})], SENT_TWICE),
    ],
    ids=lambda value: "+".join(kind for kind, _ in value) if isinstance(value[0], tuple) else "",
)
async def test_whatever_ends_the_request_the_post_is_there_once(
    practice: PracticeProcess,
    runner: RunnerUnderTest,
    account: AccountAccess,
    folder: Path,
    tmp_path: Path,
    faults: list[tuple[str, dict[str, object]]],
    steps: list[ActionState],
) -> None:
    caption = f"Harbour at dusk {new_id()}"
    for kind, fields in faults:
        practice.fault(kind, CREATE, account=account.username, **fields)
    start = upload_item(account, folder, photo_post(make_photo(tmp_path / "a.jpg"), caption))
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    taken = runner.steps(start.item.item_id)
    assert [step.state for step in taken] == steps
    assert published(practice, caption) == [taken[-1].remote_id]


async def test_a_cancel_waits_for_the_verdict_and_a_failed_look_is_none(
    practice: PracticeProcess,
    runner: RunnerUnderTest,
    account: AccountAccess,
    folder: Path,
    tmp_path: Path,
) -> None:
    caption = f"Cancelled too late {new_id()}"
    practice.fault("drop_after_apply", CREATE, account=account.username)
    runner.hold_at = S.RECONCILING
    start = upload_item(account, folder, photo_post(make_photo(tmp_path / "a.jpg"), caption))
    runner.send(start)
    held = await runner.held(start.item.item_id)
    runner.send(CancelItem(item_id=start.item.item_id))
    profile = f"/{account.username}/"
    practice.fault("refuse_status", profile, account=account.username, status=500, count=2)
    runner.let_go(held)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    assert len(published(practice, caption)) == 1
    assert not practice.faults(), "every fault was met"


async def test_a_doubt_from_before_a_crash_is_settled_by_the_next_run(
    practice: PracticeProcess,
    runner: RunnerUnderTest,
    account: AccountAccess,
    folder: Path,
    tmp_path: Path,
) -> None:
    caption = f"Before the crash {new_id()}"
    post = photo_post(make_photo(tmp_path / "a.jpg"), caption)
    first = upload_item(account, folder, post)
    runner.send(first)
    done = await runner.ended(first.item.item_id)
    (sending, _) = runner.steps(first.item.item_id)
    record = ActionRecord(action_id=new_id(), state=S.IN_DOUBT, baseline=sending.baseline)
    again = upload_item(account, folder, post, record)
    runner.send(again)
    ended = await runner.ended(again.item.item_id)
    assert ended.result == done.result
    assert len(published(practice, caption)) == 1
