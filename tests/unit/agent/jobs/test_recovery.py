"""A start after any end: old runners are gone, and every item is where it may go on safely."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.jobs import holdings
from agent.jobs.actions import NOT_SENT
from agent.jobs.database import open_database
from agent.jobs.log_spool import LogSpool
from agent.jobs.recovery import COOKIE_NAME, Leftover, cookie_of, reap, settle_items
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from common.items import ItemSpec
from tests.support.agent_items import a_publish, an_account
from tests.support.journal_file import JournalFile

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
AT_AGENT = [state for state in ItemState if state not in (ItemState.QUEUED, ItemState.MISSED)]
STEPS = (ActionState.PREPARED, ActionState.SENDING, ActionState.CONFIRMED)


def test_runner_of_an_earlier_start_is_ended() -> None:
    with subprocess.Popen(SLEEP) as process:
        started = psutil.Process(process.pid).create_time()
        assert reap([Leftover(process.pid, started)], "no cookie") == 1
        assert not psutil.pid_exists(process.pid)


def test_process_with_a_reused_number_is_spared() -> None:
    with subprocess.Popen(SLEEP) as process:
        started = psutil.Process(process.pid).create_time()
        leftovers = [Leftover(process.pid, started - 100), Leftover(2**22 + 7, 1.0)]
        assert reap(leftovers, "no cookie") == 0
        assert process.poll() is None
        process.kill()


def test_runner_that_no_journal_knows_is_known_by_its_cookie(tmp_path: Path) -> None:
    ours, others = (cookie_of(tmp_path / name) for name in ("ours", "others"))
    with (
        subprocess.Popen(SLEEP, env={**os.environ, COOKIE_NAME: ours}) as mine,
        subprocess.Popen(SLEEP, env={**os.environ, COOKIE_NAME: others}) as foreign,
    ):
        assert reap([], ours) == 1
        assert not psutil.pid_exists(mine.pid)
        assert foreign.poll() is None
        foreign.kill()


@pytest.mark.parametrize(
    ("reached", "after"),
    [
        (0, ("assigned", "planned")),
        (1, ("assigned", "prepared")),
        (2, ("assigned", "in_doubt")),
        (3, ("done", "confirmed")),
    ],
)
def test_recovery_after_a_kill_at_each_step(
    tmp_path: Path, reached: int, after: tuple[str, str]
) -> None:
    file = JournalFile(open_database(tmp_path / "journal.sqlite"))
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS[:reached]:
        file.step(item, state, "r1" if state is ActionState.CONFIRMED else "")
    # What a killed process leaves: the files as they are, without a close.
    for side in ("", "-wal"):
        shutil.copy(tmp_path / f"journal.sqlite{side}", tmp_path / f"copy.sqlite{side}")
    copy = JournalFile(open_database(tmp_path / "copy.sqlite"))
    spool = LogSpool(tmp_path / "logs")
    resumed = copy.do(lambda transaction: settle_items(transaction, spool))
    assert copy.state(item) == after
    assert [each.item_id for each in resumed.waiting] == ([item.item_id] if reached < 3 else [])
    assert any(each.in_doubt for each in resumed.waiting) == (reached == 2)
    assert copy.do(lambda transaction: settle_items(transaction, spool)) == resumed
    for opened in (file, copy):
        opened.connection.close()


def test_start_from_every_state_is_legal_and_sends_nothing_twice(tmp_path: Path) -> None:
    file = JournalFile(open_database(tmp_path / "journal.sqlite"))
    cases: dict[str, tuple[ItemSpec, ItemState, ActionState, bool]] = {}
    for number, (state, action, cancelled) in enumerate(
        itertools.product(AT_AGENT, ActionState, (False, True))
    ):
        item = a_publish(an_account(f"user{number}"))
        file.accept(item)
        file.force(item, state, action)
        asked = "UPDATE item SET cancel_asked = ? WHERE item_id = ?"
        file.connection.execute(asked, (cancelled, item.item_id))
        cases[item.item_id] = (item, state, action, cancelled)
    spool = LogSpool(tmp_path / "logs")
    resumed = file.do(lambda transaction: settle_items(transaction, spool))
    waits = {waiting.item_id: waiting for waiting in resumed.waiting}
    holding = {standing.item_id for standing in resumed.holding}
    for item, state, action, cancelled in cases.values():
        now, effect = (ItemState(file.state(item)[0]), ActionState(file.state(item)[1]))
        case = f"{state}, {action}, cancelled: {cancelled}"
        # Nothing is at work, and nothing is on its way, before the agent has accepted anything.
        assert now not in (ItemState.RUNNING, ItemState.INTERRUPTED), case
        assert effect not in (ActionState.SENDING, ActionState.RECONCILING), case
        # What may exist is never planned again, what does not exist is no doubt.
        assert (effect in NOT_SENT) == (action in NOT_SENT), case
        assert (effect is ActionState.CONFIRMED) == (action is ActionState.CONFIRMED), case
        if state in ITEM_FINAL:
            assert now is state, case
            assert effect is not ActionState.IN_DOUBT, case
        if now is ItemState.ASSIGNED:
            assert waits[item.item_id].in_doubt == (effect is ActionState.IN_DOUBT), case
            assert effect is not ActionState.UNRESOLVED, case
        if now is ItemState.NEEDS_OPERATOR:
            assert effect in (ActionState.UNRESOLVED, *NOT_SENT), case
            assert item.item_id in holding, case
        if cancelled and state is ItemState.RUNNING and action in NOT_SENT:
            assert now is ItemState.CANCELLED, case
    # Every row is as legal as any other: a second start finds nothing to mend.
    assert file.do(lambda transaction: settle_items(transaction, spool)) == resumed
    for item_id in waits:
        started = file.start(cases[item_id][0])
        assert started.action is not None
    file.connection.close()


def test_every_doubt_of_a_journal_taken_back_is_looked_at(tmp_path: Path) -> None:
    from agent.jobs.doubts import doubt_unfinished

    file = JournalFile(open_database(tmp_path / "journal.sqlite"))
    due = a_publish(an_account("due"))
    later = a_publish(an_account("later")).model_copy(update={"not_before": 4e9})
    running = a_publish(an_account("running"))
    ended = a_publish(an_account("ended"))
    for item in (due, later, running):
        file.accept(item)
    file.publish(ended, "r1")
    file.start(running)
    file.step(running, ActionState.PREPARED)
    assert set(file.do(doubt_unfinished)) == {due.item_id, running.item_id}
    assert file.state(due) == ("assigned", "in_doubt")
    assert file.state(later) == ("assigned", "planned")
    assert file.state(running) == ("running", "in_doubt")
    assert file.state(ended) == ("done", "confirmed")
    assert file.do(doubt_unfinished) == []
    assert len(file.do(holdings.load_waiting)) == 2
    file.connection.close()
