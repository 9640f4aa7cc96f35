"""Runs transactions off the event loop: one thread that writes, two that read.

The writer takes what is waiting into one transaction, each function in a savepoint of its own, so
that many small writes share one flush to disk. A result is given out only after the commit.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from common.errors import StoreError
from desktop_app.store.disk_room import DiskRoom
from desktop_app.store.engine import WRITER

T = TypeVar("T")

DISK_FULL = "disk"
"""The field of a StoreError that is due to a full disk."""
_POSTGRES_FULL = "53100"
READERS = 2
GROUP_JOBS = 64
"""Writes that share a transaction at most."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    failure: Exception | None = None


class Executor:
    """Owns the store's threads. `close` ends them after what is queued."""

    def __init__(self, engine: Engine, room: DiskRoom) -> None:
        self._engine = engine
        self._room = room
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_loop, name="store-writer")
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction; return its result once that is committed.

        Where `work` raises, nothing of it is kept and the exception comes back as it is. Raises
        StoreError where the database fails.
        """
        return await asyncio.wrap_future(self._submit(work))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a read transaction: it sees one state of the store."""
        with self._gate:
            self._refuse_closed()
            done = self._readers.submit(self._read, work)
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Finish what is queued, then end the threads. Blocks; call it off the event loop."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()

    def _submit(self, work: Callable[[Connection], T]) -> Future[T]:
        done: Future[T] = Future()
        with self._gate:
            self._refuse_closed()
            self._jobs.put(_Job(work, done))
        return done

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError("The store is closed.")

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection, connection.begin():
                return work(connection)
        except SQLAlchemyError as problem:
            raise store_error(problem) from None

    def _write_loop(self) -> None:
        ended = False
        while not ended:
            jobs, ended = self._take_group()
            # From here on a caller who is cancelled no longer stops the work, only the waiting.
            started = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            if started:
                self._write_group(started)

    def _take_group(self) -> tuple[list[_Job], bool]:
        """Wait for a job and take what is waiting behind it; True where the end was among it."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == GROUP_JOBS:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _write_group(self, jobs: list[_Job]) -> None:
        outcomes = self._commit(jobs)
        # On a full disk nothing of it was kept; with the room that is given up it may fit.
        if any(_is_disk_full(outcome) for outcome in outcomes) and self._room.give_up():
            outcomes = self._commit(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if outcome.failure is not None:
                job.done.set_exception(outcome.failure)
            else:
                job.done.set_result(outcome.result)

    def _commit(self, jobs: list[_Job]) -> list[_Outcome]:
        """Run jobs in one transaction. On a full disk all of them fail: none is committed."""
        try:
            connection = self._engine.connect().execution_options(**{WRITER: True})
            with connection, connection.begin():
                outcomes: list[_Outcome] = []
                for job in jobs:
                    outcomes.append(_attempt(connection, job.work))
                    if _is_disk_full(outcomes[-1]):
                        # SQLite has ended the transaction by then: whatever came next would be
                        # kept without what came before.
                        connection.rollback()
                        return outcomes[-1:] * len(jobs)
                return outcomes
        except SQLAlchemyError as problem:
            return [_Outcome(failure=store_error(problem))] * len(jobs)


def _attempt(connection: Connection, work: Callable[[Connection], Any]) -> _Outcome:
    """Run one function in a savepoint: what it did is undone where it raises."""
    try:
        with connection.begin_nested():
            return _Outcome(result=work(connection))
    except SQLAlchemyError as problem:
        return _Outcome(failure=store_error(problem))
    except Exception as problem:  # noqa: BLE001 - it belongs to the one who asked
        return _Outcome(failure=problem)


def _is_disk_full(outcome: _Outcome) -> bool:
    return isinstance(outcome.failure, StoreError) and outcome.failure.field == DISK_FULL


def _is_for_want_of_room(problem: BaseException | None) -> bool:
    """Say whether the disk is full; what failed on the way out, because of that, comes last."""
    while problem is not None:
        original = getattr(problem, "orig", None)
        if getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        if getattr(original, "sqlstate", None) == _POSTGRES_FULL:
            return True
        problem = problem.__context__
    return False


def store_error(problem: SQLAlchemyError) -> StoreError:
    """Say what the database said, without the statement's values."""
    if _is_for_want_of_room(problem):
        return StoreError(
            "The disk is full, so nothing can be stored.",
            advice="Make room on the disk of the data folder; everything goes on by itself then.",
            field=DISK_FULL,
        )
    reason = str(getattr(problem, "orig", None) or type(problem).__name__)
    reason = reason.splitlines()[0]
    advice = "Look at the core's log, and check that the disk has room."
    if "locked" in reason:
        advice = "Another program holds the store's database open; close it and try again."
    return StoreError(f"The store's database failed: {reason}.", advice=advice)
