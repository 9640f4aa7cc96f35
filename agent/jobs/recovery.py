"""What a starting agent does before it accepts anything: reap old runners, settle old items."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from agent.jobs import items
from agent.jobs.journal import Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.waiting import WaitingItem
from common.domain.states import ItemState

_LOG = logging.getLogger(__name__)
_REAP_SECONDS = 5.0
_SAME_START_SECONDS = 0.05
_REASON = "The agent stopped while the item was running."


@dataclass(frozen=True, slots=True)
class Leftover:
    """A runner process that an earlier start of this agent noted."""

    pid: int
    started: float


def noted_runners(transaction: Transaction) -> list[Leftover]:
    """Return the runner processes that were noted and not seen to end."""
    return [Leftover(*row) for row in transaction.execute("SELECT pid, started FROM runner")]


def reap(leftovers: Sequence[Leftover]) -> int:
    """Kill those that still run, with what they started; returns how many. Blocks for seconds.

    A process is known by its id and its start time together: ids are used again.
    """
    doomed: list[psutil.Process] = []
    for leftover in leftovers:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(leftover.pid)
            if abs(process.create_time() - leftover.started) <= _SAME_START_SECONDS:
                doomed += [*process.children(recursive=True), process]
    for process in doomed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(doomed, timeout=_REAP_SECONDS)
    return len(doomed)


def forget_runners(transaction: Transaction) -> None:
    """Note that no runner of an earlier start is left."""
    transaction.execute("DELETE FROM runner")


def note_runner(transaction: Transaction, pid: int, started: float, kind: str) -> None:
    """Note a runner, so that a later start can reap it."""
    transaction.execute(
        "INSERT OR REPLACE INTO runner (pid, started, kind) VALUES (?, ?, ?)", (pid, started, kind)
    )


def forget_runner(transaction: Transaction, pid: int) -> None:
    """Note that a runner's process is gone."""
    transaction.execute("DELETE FROM runner WHERE pid = ?", (pid,))


def settle_items(transaction: Transaction, spool: LogSpool) -> list[WaitingItem]:
    """Settle what was running when the agent stopped; returns every item that waits now.

    What was being sent is in doubt and waits for a person, what was confirmed is done, the rest
    waits for its turn again.
    """
    for row in items.in_state(transaction, ItemState.RUNNING, ItemState.INTERRUPTED):
        state = items.interrupt(
            transaction,
            row.item_id,
            _REASON,
            counted=False,
            cancelled=False,
            log_end=spool.end(row.item_id, row.attempt),
        )
        _LOG.info("Item %s was interrupted, and is %s now.", row.item_id, state)
    return items.load_waiting(transaction)
