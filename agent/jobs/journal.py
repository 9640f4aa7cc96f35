"""The journal's writer: one thread, one connection, and one fsync for everything that waits.

Callers hand in functions; each runs in a savepoint of its own, so that one failure does not spoil
the others, and all that wait at a time share a transaction. A result is handed back only after the
commit: what a caller knows is on disk. Where the disk is full, room is made once and everything is
tried again. What the functions do lives in `items.py`, `actions.py` and their neighbours.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.jobs.events import StoredEvent, write_event
from common.errors import FlotillaError, StoreError
from common.protocol.events import AgentEvent

_GROUP = 256
"""Functions in one transaction at most."""
_GATHER_SECONDS = 0.008
"""Under load, how long a commit waits for company: an fsync costs more than the writes in it."""

T = TypeVar("T")


class Transaction:
    """What a function in the journal's thread may use. Valid during the call only."""

    __slots__ = ("_connection", "appended", "key", "now")

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self._connection = connection
        self.key = key
        """The agent's sealing key."""
        self.now = time.time()
        """Seconds since 1970, the same for the whole transaction."""
        self.appended: list[StoredEvent] = []
        """Events added to the outbox so far."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, parameters)

    def append(self, event: AgentEvent) -> None:
        """Add an event to the outbox, in the same transaction as the change it tells of."""
        self.appended.append(write_event(self._connection, self.key, self.now, event))


Work = Callable[[Transaction], T]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    future: asyncio.Future[Any]
    value: Any = None
    problem: Exception | None = None


class Journal:
    """Writes and reads the journal for one event loop."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        key: bytes,
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take over `connection`; `key` seals secrets. Call inside the loop that will use it.

        `make_room` is called in the journal's thread where the disk is full; True where that may
        have helped.
        """
        self._connection = connection
        self._key = key
        self._make_room = make_room
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._listeners: list[Callable[[Sequence[StoredEvent]], None]] = []
        self._closed = False
        self._is_crowded = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def key(self) -> bytes:
        """The agent's sealing key."""
        return self._key

    def on_appended(self, listener: Callable[[Sequence[StoredEvent]], None]) -> None:
        """Tell `listener`, in the loop, of every event after its commit, in order."""
        self._listeners.append(listener)

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Queue `work`; the future resolves after its commit, or with what it raised.

        Work runs in the order of submission. Raises StoreError once the journal is closed.
        """
        if self._closed:
            raise StoreError("The journal is closed.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, future))
        return future

    async def write(self, work: Work[T]) -> T:
        """Run `work` and wait for its commit. A cancelled caller does not undo the work."""
        return await self.submit(work)

    async def close(self) -> None:
        """Finish what is queued, then close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            outcomes, appended = self._commit(group)
            self._is_crowded = len(group) > 1
            self._hand_back(outcomes, appended)
            del group, outcomes, appended
        self._connection.close()

    def _next_group(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        if self._is_crowded:
            time.sleep(_GATHER_SECONDS)
        group = [first]
        while len(group) < _GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            group.append(job)
        return group

    def _commit(self, group: Sequence[_Job]) -> tuple[list[_Outcome], list[StoredEvent]]:
        try:
            return self._try(group)
        except sqlite3.Error as problem:
            if not (_is_full(problem) and self._find_room()):
                return self._fail(group, problem)
        try:
            return self._try(group)
        except sqlite3.Error as problem:
            return self._fail(group, problem)

    def _try(self, group: Sequence[_Job]) -> tuple[list[_Outcome], list[StoredEvent]]:
        transaction = Transaction(self._connection, self._key)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._run_one(job, transaction) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes, transaction.appended

    def _fail(
        self, group: Sequence[_Job], problem: sqlite3.Error
    ) -> tuple[list[_Outcome], list[StoredEvent]]:
        lost = _store_error(problem)
        return [_Outcome(job.future, problem=lost) for job in group], []

    def _find_room(self) -> bool:
        """Make room, and move what the log of changes holds into the file itself."""
        has_room = self._make_room()
        try:
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:
            return has_room
        return has_room or not busy

    def _run_one(self, job: _Job, transaction: Transaction) -> _Outcome:
        mark = len(transaction.appended)
        self._connection.execute("SAVEPOINT one")
        try:
            value = job.work(transaction)
        except Exception as problem:
            if not self._connection.in_transaction:
                # A full disk rolls the whole transaction back by itself.
                if isinstance(problem, sqlite3.Error):
                    raise
                raise sqlite3.OperationalError(str(problem)) from problem
            if isinstance(problem, sqlite3.Error) and _is_full(problem):
                raise
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
            del transaction.appended[mark:]
            return _Outcome(job.future, problem=_translate(problem))
        self._connection.execute("RELEASE one")
        return _Outcome(job.future, value)

    def _hand_back(self, outcomes: list[_Outcome], appended: list[StoredEvent]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, outcomes, appended)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and what was done is on disk.
            return

    def _deliver(self, outcomes: list[_Outcome], appended: list[StoredEvent]) -> None:
        if appended:
            for listener in self._listeners:
                listener(appended)
        for outcome in outcomes:
            if outcome.future.done():
                continue
            if outcome.problem is None:
                outcome.future.set_result(outcome.value)
            else:
                outcome.future.set_exception(outcome.problem)


def _translate(problem: Exception) -> Exception:
    return _store_error(problem) if isinstance(problem, sqlite3.Error) else problem


def _is_full(problem: sqlite3.Error) -> bool:
    """Say whether the disk is full, or refuses to take more for another reason of its own."""
    # The low byte is the kind of the error; the rest is its detail (https://sqlite.org/rescode.html).
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _store_error(problem: sqlite3.Error) -> FlotillaError:
    return StoreError(
        f"The agent's journal could not be written: {problem}.",
        advice="Free disk space on the worker machine; `flotilla-agent doctor` says how much.",
    )
