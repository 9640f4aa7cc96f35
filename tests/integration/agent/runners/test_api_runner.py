"""A real API runner over its pipe: what the agent sees of items from start to end."""

import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.runners.messages import (
    ActionRecord,
    ActionStep,
    CancelItem,
    ItemLog,
    SessionFound,
    StepAnswer,
    StopRunner,
)
from common.access import AccountAccess
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.errors import StoreError
from tests.support.driving import PASSWORD, photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.runner_process import RunnerUnderTest, runner_process
from tests.support.sample_media import make_photo
from tests.support.waiting import wait_until_async

CONFIGURE = "/api/v1/media/configure*"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[RunnerUnderTest]:
    async with runner_process("api", tmp_path / "runner.log") as running:
        yield running


async def sign_in(runner: RunnerUnderTest, account: AccountAccess, folder: Path) -> AccountAccess:
    start = login_item(account, folder)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    found = await runner.wait_for(SessionFound, lambda one: one.item_id == start.item.item_id)
    return account.model_copy(update={"session": found.session, "user_id": found.user_id})


def posts_of(practice: PracticeProcess, username: str) -> list[dict[str, object]]:
    return [one for one in practice.ledger(kind="published") if one["account"] == username]


async def test_sign_in_hands_over_the_session_and_says_whose_it_is(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = seed_account(practice, "run_login", totp=True)
    start = login_item(account, tmp_path)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    found = await runner.wait_for(SessionFound)
    assert ended.state is ItemState.DONE
    assert ended.result == {
        "user_id": found.user_id,
        "username": "run_login",
        "signed_in_by": "password",
    }


async def test_a_live_session_is_kept_instead_of_signing_in(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_kept"), tmp_path)
    start = login_item(account, tmp_path)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.result["signed_in_by"] == "session"


async def test_a_dead_session_is_replaced_by_one_sign_in(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_revoked"), tmp_path)
    practice.revoke_sessions(account.username)
    start = login_item(account, tmp_path)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.result["signed_in_by"] == "password"
    submitted = practice.ledger(kind="password_submitted")
    assert sum(one["account"] == account.username for one in submitted) == 2


async def test_a_post_is_journaled_step_by_step_and_published_once(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_publish"), tmp_path)
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    steps = runner.steps(start.item.item_id)
    assert [step.state for step in steps] == [
        ActionState.PREPARED,
        ActionState.SENDING,
        ActionState.CONFIRMED,
    ]
    (record,) = posts_of(practice, account.username)
    assert steps[0].resume == {"upload_ids": record["upload_ids"][0]}
    assert ended.result == {"remote_id": steps[-1].remote_id, "url": steps[-1].remote_url}
    assert record["post_id"] == steps[-1].remote_id


async def test_nothing_is_uploaded_before_its_resume_points_are_on_disk(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_disk_full"), tmp_path)
    runner.refuse_steps = StoreError("The disk is full.").to_wire()
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.FAILED
    assert ended.error
    assert ended.error.code == "store"
    uploads = practice.ledger(kind="upload_received")
    assert not [one for one in uploads if one["account"] == account.username]


async def test_a_refused_post_is_proven_absent_and_may_be_tried_again(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_refused"), tmp_path)
    practice.fault(
        "refuse_status",
        CONFIGURE,
        account=account.username,
        status=400,
        body={"message": "media_needs_reupload", "status": "fail"},
    )
    post = photo_post(make_photo(tmp_path / "a.jpg"))
    start = upload_item(account, tmp_path, post)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert (ended.state, ended.error and ended.error.code) == (ItemState.FAILED, "content_refused")
    last = runner.steps(start.item.item_id)[-1]
    assert last.state is ActionState.PROVEN_ABSENT

    record = ActionRecord(action_id=last.action_id, state=last.state, resume=last.resume)
    again = upload_item(account, tmp_path, post, record)
    runner.send(again)
    assert (await runner.ended(again.item.item_id)).state is ItemState.DONE
    assert len(posts_of(practice, account.username)) == 1


async def test_what_an_earlier_attempt_confirmed_is_done_at_once(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_confirmed"), tmp_path)
    record = ActionRecord(
        action_id=new_id(), state=ActionState.CONFIRMED, remote_id="1_2", remote_url="http://x/p/a/"
    )
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")), record)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE
    assert ended.result == {"remote_id": "1_2", "url": "http://x/p/a/"}
    assert not posts_of(practice, account.username)


async def test_cancel_before_sending_ends_the_item_with_no_post(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_cancel"), tmp_path)
    runner.hold_steps = True
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    step = await runner.wait_for(ActionStep, lambda one: one.item_id == start.item.item_id)
    runner.send(CancelItem(item_id=start.item.item_id))
    runner.send(StepAnswer(step_id=step.step_id))
    assert (await runner.ended(start.item.item_id)).state is ItemState.CANCELLED
    assert not posts_of(practice, account.username)


async def test_cancel_while_sending_waits_for_the_verdict(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_too_late"), tmp_path)
    practice.fault("delay_ms", CONFIGURE, account=account.username, delay_ms=700)
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    await runner.wait_for(ActionStep, lambda one: one.state is ActionState.SENDING)
    runner.send(CancelItem(item_id=start.item.item_id))
    assert (await runner.ended(start.item.item_id)).state is ItemState.DONE


async def test_stop_waits_for_what_is_being_sent(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_stop"), tmp_path)
    practice.fault("delay_ms", CONFIGURE, account=account.username, delay_ms=700)
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    await runner.wait_for(ActionStep, lambda one: one.state is ActionState.SENDING)
    assert await runner.stop() == 0
    assert (await runner.ended(start.item.item_id)).state is ItemState.DONE


async def test_stop_cancels_what_has_had_no_effect(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = await sign_in(runner, seed_account(practice, "run_stop_early"), tmp_path)
    runner.hold_steps = True
    start = upload_item(account, tmp_path, photo_post(make_photo(tmp_path / "a.jpg")))
    runner.send(start)
    await runner.wait_for(ActionStep)
    runner.send(StopRunner())
    assert (await runner.ended(start.item.item_id)).state is ItemState.CANCELLED


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_terminated_runner_ends_by_itself(runner: RunnerUnderTest) -> None:
    runner.process.send_signal(signal.SIGTERM)
    assert await runner.process.wait() == 0


async def test_many_accounts_publish_at_once(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    names = [f"run_many_{number}" for number in range(12)]
    accounts = [seed_account(practice, name) for name in names]
    signed = [await sign_in(runner, account, tmp_path) for account in accounts]
    starts = [
        upload_item(one, tmp_path, photo_post(make_photo(tmp_path / f"{n}.jpg", n)))
        for n, one in enumerate(signed)
    ]
    for start in starts:
        runner.send(start)
    states = [(await runner.ended(start.item.item_id)).state for start in starts]
    assert states == [ItemState.DONE] * len(names)
    assert [len(posts_of(practice, name)) for name in names] == [1] * len(names)


async def test_no_secret_is_written_anywhere_it_does_not_belong(
    practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path
) -> None:
    account = seed_account(practice, "run_secrets", totp=True)
    account = account.model_copy(update={"username": "run_secrets"})
    signed = await sign_in(runner, account, tmp_path)
    wrong = signed.model_copy(update={"session": None, "password": SecretStr("canary-password")})
    start = login_item(wrong, tmp_path)
    runner.send(start)
    ended = await runner.ended(start.item.item_id)
    assert ended.error
    assert ended.error.code == "credentials_refused"
    assert await runner.stop() == 0
    await wait_until_async(lambda: runner.process.returncode is not None, "it has ended")
    text = (tmp_path / "runner.log").read_text()
    text += "\n".join(one.text for one in runner.said if isinstance(one, ItemLog))
    text += ended.model_dump_json()
    seed = account.totp_seed.get_secret_value() if account.totp_seed else ""
    for secret in ("canary-password", PASSWORD, seed, "IGT:2:"):
        assert secret not in text
