"""An agent left alone: by either clock, over a restart, and lifted by one word."""

from __future__ import annotations

from pathlib import Path

from agent.jobs.database import open_database
from agent.jobs.dead_man import SAVE_SECONDS, DeadMan, load_contact, save_contact
from tests.support.journal_file import JournalFile

HOUR = 3600.0
NOON = 1_800_000_000.0


def test_an_agent_is_silent_after_its_hours_alone_and_speaks_at_a_word() -> None:
    dead_man = DeadMan(2.0, NOON, NOON, 100.0)
    assert dead_man.reason(NOON + 1.9 * HOUR, 100.0 + 1.9 * HOUR) == ""
    assert "2 hours" in dead_man.reason(NOON + 2 * HOUR, 100.0 + 2 * HOUR)
    dead_man.heard(NOON + 3 * HOUR, 100.0 + 3 * HOUR)
    assert dead_man.reason(NOON + 3 * HOUR, 100.0 + 3 * HOUR) == ""


def test_a_wall_clock_set_back_and_a_suspend_hide_nothing() -> None:
    dead_man = DeadMan(2.0, NOON, NOON, 100.0)
    assert dead_man.reason(NOON - HOUR, 100.0 + 2 * HOUR)
    assert dead_man.reason(NOON + 2 * HOUR, 101.0)


def test_a_clock_that_lost_the_time_over_a_restart_lets_nothing_through() -> None:
    dead_man = DeadMan(72.0, NOON, NOON - 30 * HOUR, 5.0)
    assert "clock is behind" in dead_man.reason(NOON - 30 * HOUR, 5.0)
    assert DeadMan(0.0, NOON, NOON, 5.0).reason(NOON - 30 * HOUR, 5.0) == ""
    dead_man.heard(NOON - 30 * HOUR, 6.0)
    assert dead_man.reason(NOON - 30 * HOUR, 7.0) == ""


def test_time_in_which_the_agent_did_not_run_counts() -> None:
    dead_man = DeadMan(2.0, NOON - 3 * HOUR, NOON, 5.0)
    assert dead_man.reason(NOON, 5.0)
    never = DeadMan(2.0, 0.0, NOON, 5.0)
    assert never.reason(NOON, 5.0) == ""


def test_zero_hours_mean_never_and_cost_nothing() -> None:
    dead_man = DeadMan(0.0, 1.0, NOON, 5.0)
    assert dead_man.reason(NOON + 1000 * HOUR, 5.0) == ""
    dead_man.heard(NOON + 1000 * HOUR, 5.0)
    assert dead_man.to_save() is None


def test_the_last_contact_is_written_now_and_then(tmp_path: Path) -> None:
    file = JournalFile(open_database(tmp_path / "journal.sqlite"))
    assert file.do(load_contact) == 0.0
    dead_man = DeadMan(2.0, NOON, NOON, 100.0)
    dead_man.heard(NOON + SAVE_SECONDS / 2, 100.0)
    assert dead_man.to_save() is None
    dead_man.heard(NOON + SAVE_SECONDS, 100.0)
    at = dead_man.to_save()
    assert at == NOON + SAVE_SECONDS
    assert dead_man.to_save() is None
    file.do(lambda transaction: save_contact(transaction, at or 0.0))
    assert file.do(load_contact) == at
    file.connection.close()
