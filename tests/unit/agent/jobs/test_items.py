"""Items and actions in the journal: every rule of what may follow what, on a real file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr

from agent.jobs import actions, items
from agent.jobs.database import open_database
from agent.jobs.journal import Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.recovery import settle_items
from agent.jobs.sessions import save_session
from agent.runners.messages import ActionStep, ItemEnded
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.errors import (
    ConflictError,
    DuplicateIntentError,
    IllegalTransitionError,
    StaleFenceError,
    VaultError,
)
from common.items import ItemSpec
from common.security.sealing import new_key
from tests.support.agent_items import SESSION, a_login, a_photo, a_publish, an_account

T = TypeVar("T")
KEY = new_key()
STEPS = (ActionState.PREPARED, ActionState.SENDING, ActionState.CONFIRMED)


@dataclass
class File:
    """A journal file without its thread."""

    connection: sqlite3.Connection
    key: bytes = KEY

    def do(self, work: Callable[[Transaction], T]) -> T:
        """Run one piece of work in a transaction of its own."""
        transaction = Transaction(self.connection, self.key)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            value = work(transaction)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return value

    def state(self, item: ItemSpec) -> tuple[str, str]:
        """The state of an item, and of its action."""
        row = self.do(lambda transaction: items.find_item(transaction, item.item_id))
        action = self.do(lambda transaction: actions.action_of_item(transaction, item.item_id))
        assert row is not None
        return str(row.state), str(action.state) if action else ""

    def accept(self, item: ItemSpec) -> None:
        """Take an item over."""
        self.do(lambda transaction: items.accept(transaction, item))

    def start(self, item: ItemSpec) -> items.StartedItem:
        """Set it running."""
        return self.do(lambda transaction: items.start(transaction, item.item_id, 0))

    def step(self, item: ItemSpec, state: ActionState, remote_id: str = "") -> object:
        """Take one step of its action."""
        assert item.publish is not None
        step = ActionStep(
            step_id=1,
            item_id=item.item_id,
            action_id=item.publish.intent_id,
            state=state,
            remote_id=remote_id,
        )
        return self.do(lambda transaction: actions.record_step(transaction, step, item.attempt))

    def finish(self, item: ItemSpec, state: ItemState, *, cancelled: bool = False) -> ItemState:
        """End it as its runner says."""
        ended = ItemEnded(item_id=item.item_id, state=state)
        return self.do(
            lambda transaction: items.finish(transaction, ended, cancelled=cancelled, log_end=0)
        )


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    opened = File(open_database(tmp_path / "journal.sqlite"))
    yield opened
    opened.connection.close()


def test_secrets_come_back_whole_and_go_when_the_item_ends(file: File) -> None:
    item = a_login(an_account())
    file.accept(item)
    assert file.start(item).item == item
    file.finish(item, ItemState.DONE)
    left = file.connection.execute("SELECT count(*) FROM item_access").fetchone()
    assert left == (0,)


def test_sealed_secrets_do_not_open_with_another_key(file: File) -> None:
    item = a_login(an_account())
    file.accept(item)
    file.key = new_key()
    with pytest.raises(VaultError):
        file.start(item)
    assert file.state(item)[0] == "assigned"


def test_newest_session_is_used_while_the_account_has_items(file: File) -> None:
    account = an_account()
    first, second = a_login(account), a_login(account)
    file.accept(first)
    file.accept(second)
    file.start(first)
    fresh = SecretStr("fresh")
    file.do(lambda transaction: save_session(transaction, account, fresh, "7", "ada"))
    file.finish(first, ItemState.DONE)
    started = file.start(second).item.account
    assert (started.session, started.session_version) == (fresh, 2)
    file.finish(second, ItemState.DONE)
    third = a_login(account)
    file.accept(third)
    assert file.start(third).item.account.session == SecretStr(SESSION)


def test_one_account_runs_one_item(file: File) -> None:
    account = an_account()
    first, second = a_login(account), a_login(account)
    file.accept(first)
    file.accept(second)
    file.start(first)
    with pytest.raises(sqlite3.IntegrityError):
        file.start(second)


@pytest.mark.parametrize("reached", [0, 1])
def test_failed_item_may_be_tried_again_while_nothing_was_sent(file: File, reached: int) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS[:reached]:
        file.step(item, state)
    file.finish(item, ItemState.FAILED)
    again = item.model_copy(update={"attempt": 2})
    file.accept(again)
    assert file.state(again) == ("assigned", "planned")


@pytest.mark.parametrize(
    ("last", "said"), [("confirmed", "already published"), ("in_doubt", "may")]
)
def test_sent_post_is_never_taken_again(file: File, last: str, said: str) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in (ActionState.PREPARED, ActionState.SENDING, ActionState(last)):
        file.step(item, state, remote_id="r1" if last == state else "")
    file.finish(item, ItemState.DONE)
    if last == "in_doubt":
        file.do(lambda transaction: items.cancel(transaction, item.item_id))
    for copy in (item.model_copy(update={"attempt": 2}), a_publish(item.account)):
        with pytest.raises(DuplicateIntentError, match=said):
            file.accept(copy)


def test_other_intent_takes_over_a_key_that_was_never_sent(file: File) -> None:
    first = a_publish(an_account())
    file.accept(first)
    second = a_publish(first.account)
    with pytest.raises(DuplicateIntentError, match="on its way"):
        file.accept(second)
    file.do(lambda transaction: items.cancel(transaction, first.item_id))
    file.accept(second)
    assert file.state(second) == ("assigned", "planned")
    with pytest.raises(DuplicateIntentError):
        file.accept(first.model_copy(update={"attempt": 2}))


def test_intent_of_one_post_cannot_carry_another(file: File) -> None:
    first = a_publish(an_account())
    file.accept(first)
    file.do(lambda transaction: items.cancel(transaction, first.item_id))
    assert first.publish is not None
    other = a_publish(first.account, sha256="b" * 64)
    assert other.publish is not None
    forged = other.publish.model_copy(update={"intent_id": first.publish.intent_id})
    with pytest.raises(ConflictError, match="other media"):
        file.accept(other.model_copy(update={"publish": forged}))


def test_key_holds_when_the_user_id_becomes_known(file: File) -> None:
    unknown = an_account(is_known=False)
    first = a_publish(unknown, fence=3)
    file.accept(first)
    known = unknown.model_copy(update={"user_id": "7"})
    with pytest.raises(DuplicateIntentError):
        file.accept(a_publish(known, fence=3))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(known, fence=2))


def test_one_account_under_two_names_has_one_post(file: File) -> None:
    """Removed from a store, imported again, and given the same post before its first sign-in."""
    known = an_account()
    first = a_publish(known)
    file.accept(first)
    file.start(first)
    for state in STEPS:
        file.step(first, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    file.finish(first, ItemState.DONE)
    again = a_publish(an_account(is_known=False))
    file.accept(again)
    file.accept(a_login(again.account.model_copy(update={"user_id": known.user_id})))
    with pytest.raises(DuplicateIntentError, match="already published"):
        file.start(again)


def test_retry_waits_for_the_end_of_the_attempt_before(file: File) -> None:
    item = a_login(an_account())
    file.accept(item)
    with pytest.raises(ConflictError, match="not ended"):
        file.accept(item.model_copy(update={"attempt": 2}))
    file.do(lambda transaction: items.cancel(transaction, item.item_id))
    file.accept(item.model_copy(update={"attempt": 2}))
    with pytest.raises(ConflictError, match="later attempt"):
        file.accept(item)


def test_sending_needs_no_permission_to_be_doubted(file: File) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING)
    assert file.finish(item, ItemState.FAILED) is ItemState.NEEDS_OPERATOR
    assert file.state(item) == ("needs_operator", "in_doubt")
    with pytest.raises(IllegalTransitionError):
        file.step(item, ActionState.PREPARED)


def test_done_without_a_confirmed_post_is_a_failure(file: File) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    assert file.finish(item, ItemState.DONE) is ItemState.FAILED


@pytest.mark.parametrize("said", [ItemState.CANCELLED, ItemState.FAILED, ItemState.NEEDS_OPERATOR])
def test_a_confirmed_post_is_done_whatever_its_runner_says(file: File, said: ItemState) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS:
        file.step(item, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    assert file.finish(item, said, cancelled=True) is ItemState.DONE
    (result,) = file.connection.execute("SELECT result FROM item").fetchone()
    assert '"r1"' in result


def test_a_runner_is_told_what_settled_an_action(file: File) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS:
        file.step(item, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    action = file.do(lambda transaction: actions.action_of_item(transaction, item.item_id))
    assert action is not None
    assert action.record().remote_id == "r1"


def test_files_are_needed_until_their_item_has_ended(file: File) -> None:
    photo = a_photo("c" * 64, 10)
    item = a_publish(an_account(), media=[photo])
    file.accept(a_login(an_account("bob")))
    file.accept(item)
    file.do(lambda transaction: items.pause(transaction, item.item_id))
    assert file.do(items.needed_blobs) == {photo.sha256}
    file.do(lambda transaction: items.cancel(transaction, item.item_id))
    assert file.do(items.needed_blobs) == set()


def test_one_remote_post_settles_one_intent(file: File) -> None:
    account = an_account()
    first, second = a_publish(account), a_publish(account, sha256="b" * 64)
    for item in (first, second):
        file.accept(item)
    file.start(first)
    for state in STEPS:
        file.step(first, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    file.finish(first, ItemState.DONE)
    file.start(second)
    file.step(second, ActionState.PREPARED)
    file.step(second, ActionState.SENDING)
    assert file.step(second, ActionState.CONFIRMED, remote_id="r1") is not None
    assert file.finish(second, ItemState.DONE) is ItemState.NEEDS_OPERATOR
    assert file.state(second) == ("needs_operator", "in_doubt")


def test_runner_that_cancels_by_itself_only_interrupts(file: File) -> None:
    item = a_login(an_account())
    file.accept(item)
    file.start(item)
    assert file.finish(item, ItemState.CANCELLED) is ItemState.ASSIGNED
    file.start(item)
    assert file.finish(item, ItemState.CANCELLED, cancelled=True) is ItemState.CANCELLED


@pytest.mark.parametrize(
    ("reached", "after"),
    [
        (0, ("assigned", "planned")),
        (1, ("assigned", "prepared")),
        (2, ("needs_operator", "in_doubt")),
        (3, ("done", "confirmed")),
    ],
)
def test_recovery_after_a_kill_at_each_step(
    file: File, tmp_path: Path, reached: int, after: tuple[str, str]
) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS[:reached]:
        file.step(item, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    # What a killed process leaves: the files as they are, without a close.
    for side in ("", "-wal"):
        shutil.copy(tmp_path / f"journal.sqlite{side}", tmp_path / f"copy.sqlite{side}")
    copy = File(open_database(tmp_path / "copy.sqlite"))
    spool = LogSpool(tmp_path / "logs")
    waiting = copy.do(lambda transaction: settle_items(transaction, spool))
    assert copy.state(item) == after
    assert [each.item_id for each in waiting] == ([item.item_id] if reached < 2 else [])
    assert copy.do(lambda transaction: settle_items(transaction, spool)) == waiting
    copy.connection.close()


def test_drivers_of_this_release_have_a_runner() -> None:
    from agent.jobs.waiting import runner_kind

    assert [str(runner_kind(driver)) for driver in DriverName] == ["api", "api", "browser"]
