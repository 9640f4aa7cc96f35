"""The outbox in the loop: what was committed and not yet acknowledged, ready to send.

The newest events are kept in memory as they were written, so that a link that keeps up never reads
the file; what is older is read back ahead of the link, many batches at a time.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from agent.jobs.events import StoredEvent
from agent.jobs.journal import Journal, Transaction
from agent.jobs.meta import new_epoch

_LOG = logging.getLogger(__name__)
_TAIL = 4000
"""Events kept in memory at most."""
_TAIL_BYTES = 8 * 1024 * 1024
"""Bytes of the events kept in memory, at most: one alone is far smaller."""
_AHEAD = 2000
"""Events read back at once: a turn in the journal's queue costs more than the rows."""
_DELETE_SECONDS = 0.5


class Outbox:
    """Numbers of the outbox, its tail, and who wants to know of new events."""

    def __init__(self, journal: Journal, epoch: str, lowest_seq: int, last_seq: int) -> None:
        self._journal = journal
        self._epoch = epoch
        self._lowest = lowest_seq
        self._last = last_seq
        self._tail: deque[StoredEvent] = deque()
        self._tail_bytes = 0
        self._ahead: Sequence[StoredEvent] = ()
        """Older events than the tail's, read back and not sent yet."""
        self._listeners: set[Callable[[], None]] = set()
        self._deletion: asyncio.TimerHandle | None = None
        journal.on_appended(self._extend)

    @property
    def epoch(self) -> str:
        """Names this life of the outbox."""
        return self._epoch

    @property
    def lowest_seq(self) -> int:
        """The lowest number that may still be asked for."""
        return self._lowest

    @property
    def last_seq(self) -> int:
        """The last number given; 0 for none."""
        return self._last

    @property
    def depth(self) -> int:
        """How many events wait for an acknowledgement."""
        return max(0, self._last - self._lowest + 1)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever there is something new; returns how to stop that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def rows_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        """Return up to `limit` events behind `seq`, in order."""
        if seq >= self._last:
            return ()
        if not self._tail or self._tail[0].seq > seq + 1:
            return await self._older(seq, limit)
        self._ahead = ()
        first = seq + 1 - self._tail[0].seq
        return tuple(islice(self._tail, first, first + limit))

    async def _older(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        """Return events that memory does not hold any more."""
        ahead = self._ahead
        if not ahead or not ahead[0].seq <= seq + 1 <= ahead[-1].seq:
            ahead = await self._journal.write(lambda transaction: _read(transaction, seq))
            self._ahead = ahead
        first = bisect_right(ahead, seq, key=lambda event: event.seq)
        return ahead[first : first + limit]

    def acknowledged(self, seq: int) -> None:
        """Forget everything up to `seq`: the desktop has it in its store."""
        if seq < self._lowest:
            return
        self._lowest = seq + 1
        while self._tail and self._tail[0].seq <= seq:
            self._tail_bytes -= self._tail.popleft().size
        if self._deletion is None:
            # A commit costs more than the rows: what is acknowledged meanwhile goes with it.
            loop = asyncio.get_running_loop()
            self._deletion = loop.call_later(_DELETE_SECONDS, self._delete_soon)

    def close(self) -> None:
        """Delete what is acknowledged and still there, before the journal closes."""
        if self._deletion is not None:
            self._deletion.cancel()
            self._delete_soon()

    async def renew_epoch(self) -> None:
        """Begin a new epoch: a desktop has applied events that this journal never wrote."""
        self._epoch = await self._journal.write(new_epoch)

    def _delete_soon(self) -> None:
        self._deletion = None
        self._journal.submit(self._delete).add_done_callback(_report)

    def _delete(self, transaction: Transaction) -> None:
        transaction.execute("DELETE FROM outbox WHERE seq < ?", (self._lowest,))

    def _extend(self, events: Sequence[StoredEvent]) -> None:
        for event in events:
            self._tail.append(event)
            self._tail_bytes += event.size
            while self._tail_bytes > _TAIL_BYTES or len(self._tail) > _TAIL:
                self._tail_bytes -= self._tail.popleft().size
        self._last = events[-1].seq
        for listener in tuple(self._listeners):
            listener()


def _report(deletion: asyncio.Future[None]) -> None:
    # Rows that stay are sent never again in this session, and deleted with the next ones.
    if not deletion.cancelled() and deletion.exception() is not None:
        _LOG.warning("Acknowledged events could not be deleted: %s", deletion.exception())


def read_bounds(transaction: Transaction) -> tuple[int, int]:
    """Return the lowest number kept and the last number given."""
    row = transaction.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    last = int(row[0]) if row else 0
    (lowest,) = transaction.execute("SELECT min(seq) FROM outbox").fetchone()
    return (int(lowest) if lowest is not None else last + 1), last


def _read(transaction: Transaction, seq: int) -> list[StoredEvent]:
    """Return the events behind `seq`, as many as may be held in memory at once."""
    found = transaction.execute(
        "SELECT seq, at, body, sealed_body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?",
        (seq, _AHEAD),
    )
    events: list[StoredEvent] = []
    size = 0
    for row in found:
        events.append(StoredEvent(*row))
        size += events[-1].size
        if size > _TAIL_BYTES:
            break
    return events
