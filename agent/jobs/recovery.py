"""What a starting agent does before it accepts anything: reap old runners, settle old items."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.jobs import doubts, endings, holdings
from agent.jobs.items import Standing
from agent.jobs.journal import Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.waiting import WaitingItem
from common.domain.states import ItemState

COOKIE_NAME = "FLOTILLA_AGENT_COOKIE"
"""The variable by which a runner, and what it started, is known to belong to a data folder."""
_REAP_SECONDS = 5.0
_SAME_START_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Leftover:
    """A runner process that an earlier start of this agent noted."""

    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a starting agent goes on with."""

    waiting: Sequence[WaitingItem]
    holding: Sequence[Standing]
    """Items that keep others of their account from publishing."""


def cookie_of(data: Path) -> str:
    """Return the value of `COOKIE_NAME` for the runners of the agent on this data folder."""
    return hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:32]


def noted_runners(transaction: Transaction) -> list[Leftover]:
    """Return the runner processes that were noted and not seen to end."""
    return [Leftover(*row) for row in transaction.execute("SELECT pid, started FROM runner")]


def reap(leftovers: Sequence[Leftover], cookie: str) -> int:
    """Kill those that still run, with what they started; returns how many. Blocks for seconds.

    A process is known by its id and its start time together, since ids are used again; and by
    `cookie` in its environment, should the journal not know of it.
    """
    doomed: dict[int, psutil.Process] = {}
    for process in [*_noted(leftovers), *_marked(cookie)]:
        with contextlib.suppress(psutil.Error):
            family = [*process.children(recursive=True), process]
            doomed.update((member.pid, member) for member in family)
    for process in doomed.values():
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(list(doomed.values()), timeout=_REAP_SECONDS)
    return len(doomed)


def _noted(leftovers: Sequence[Leftover]) -> Iterator[psutil.Process]:
    for leftover in leftovers:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(leftover.pid)
            if abs(process.create_time() - leftover.started) <= _SAME_START_SECONDS:
                yield process


def _marked(cookie: str) -> Iterator[psutil.Process]:
    """Find processes by their environment; those of other users, which cannot be read, are none."""
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(COOKIE_NAME) == cookie:
                yield process


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


def settle_items(transaction: Transaction, spool: LogSpool) -> Resumed:
    """Settle what was left when the agent stopped; returns what it goes on with.

    What was being sent is in doubt and runs again to be looked for, what was confirmed is done, the
    rest waits for its turn again.
    """
    begun = holdings.in_state(transaction, ItemState.RUNNING, ItemState.INTERRUPTED)
    left = {row.item_id: row for row in [*begun, *holdings.with_effect(transaction)]}
    for row in left.values():
        endings.recover(transaction, row, spool.end(row.item_id, row.attempt))
    doubts.settle_doubts_of_ended(transaction)
    return Resumed(holdings.load_waiting(transaction), holdings.load_holding(transaction))
