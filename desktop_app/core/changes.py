"""What changed, told to every client: coalesced to ten deltas a second, in order, or not at all.

Whoever commits a change calls `touch` with what it touched. Rows are read once per delta for all
clients, and item rows only for runs that somebody watches. A client that does not keep up gets a
`Reset` instead of a backlog.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field

from common.errors import FlotillaError
from desktop_app.contract.changes import Change, Closing, Delta, Reset, Watch
from desktop_app.store.touched import Touched

INTERVAL_SECONDS = 0.1
"""Between two deltas at least."""
OVERVIEW_SECONDS = 0.3
"""Between two overviews at least: each one counts the whole store."""
GATHER_SECONDS = 0.01
"""How long the first change after a quiet time waits for company."""
QUEUE_DELTAS = 50
"""Deltas that a client may be behind."""
MOST_ROWS = 2000
"""More rows of one list than this are read anew by the clients instead of pushed."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Dirty:
    """What changed since the last delta."""

    accounts: set[str] = field(default_factory=set)
    proxies: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    media: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    cards: set[str] = field(default_factory=set)
    items: dict[str, str] = field(default_factory=dict)
    """Run by item; an empty text where only the store knows the run."""
    log_sizes: dict[str, int] = field(default_factory=dict)
    removed: dict[str, set[str]] = field(default_factory=dict)
    overview: bool = False

    def add(self, touched: Touched) -> None:
        """Take in what one transaction touched."""
        self.overview = True
        self.accounts |= touched.accounts
        self.proxies |= touched.proxies
        self.agents |= touched.agents
        self.media |= touched.media
        self.runs |= touched.runs
        self.cards |= touched.cards
        for item_id in touched.items:
            self.items.setdefault(item_id, "")
        for move in touched.moves:
            self.items[move.item_id] = move.run_id
            self.runs.add(move.run_id)
        for name, ids in touched.removed.items():
            self.removed.setdefault(name, set()).update(ids)

    def is_empty(self) -> bool:
        """Say whether there is nothing to tell."""
        return self == Dirty()

    def is_too_much(self) -> bool:
        """Say whether reading everything anew is cheaper than being told."""
        return any(len(ids) > MOST_ROWS for ids in (self.accounts, self.media, self.proxies))


Collect = Callable[[Dirty, frozenset[str]], Awaitable[Delta]]
"""Reads the rows of what is dirty; items only of the given runs. The revision is set later."""


class Subscriber:
    """One client's queue of changes, beginning with a `Reset`."""

    def __init__(self, revision: int) -> None:
        self.watch = Watch()
        self._waiting: deque[Change] = deque([Reset(revision=revision)])
        self._some = asyncio.Event()
        self._some.set()

    def push(self, change: Change) -> None:
        """Queue a change; a client that is too far behind starts anew."""
        if len(self._waiting) >= QUEUE_DELTAS and isinstance(change, Delta):
            self._waiting.clear()
            change = Reset(revision=change.revision)
        self._waiting.append(change)
        self._some.set()

    async def next(self) -> Change:
        """Wait for the next change."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()


class ChangeHub:
    """Counts revisions and tells the clients."""

    def __init__(self, collect: Collect) -> None:
        self._collect = collect
        self._revision = 1
        self._dirty = Dirty()
        self._some = asyncio.Event()
        self._subscribers: set[Subscriber] = set()
        self._overview_at = 0.0

    @property
    def revision(self) -> int:
        """The number of the last change. Take it before reading what it belongs to."""
        return self._revision

    @property
    def clients(self) -> int:
        """How many clients listen."""
        return len(self._subscribers)

    @property
    def watched_runs(self) -> frozenset[str]:
        """Runs whose items some client wants to see."""
        return frozenset(run for client in self._subscribers for run in client.watch.runs)

    def touch(self, touched: Touched) -> int:
        """Take note of a committed change; return the revision that carries it."""
        self._dirty.add(touched)
        return self._changed()

    def touch_item(self, item_id: str) -> None:
        """Take note that an item's progress, which is not stored, changed."""
        self._dirty.items.setdefault(item_id, "")
        self._changed()

    def touch_log(self, run_id: str, size: int) -> None:
        """Take note that a run's log is longer now."""
        self._dirty.log_sizes[run_id] = size
        self._changed()

    @contextlib.contextmanager
    def subscription(self) -> Iterator[Subscriber]:
        """A client's queue, for as long as the context lasts."""
        subscriber = Subscriber(self._revision)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    def close(self, reason: str) -> None:
        """Tell every client that the core ends."""
        for subscriber in self._subscribers:
            subscriber.push(Closing(reason=reason))

    async def run(self) -> None:
        """Push deltas until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_SECONDS)
            await self._flush()
            await asyncio.sleep(INTERVAL_SECONDS - GATHER_SECONDS)

    def _changed(self) -> int:
        self._revision += 1
        self._some.set()
        return self._revision

    async def _flush(self) -> None:
        self._some.clear()
        dirty, self._dirty = self._dirty, Dirty()
        self._postpone_overview(dirty, time.monotonic())
        if dirty.is_empty() or not self._subscribers:
            return
        revision, watched = self._revision, self.watched_runs
        if dirty.is_too_much():
            self._push_all(Reset(revision=revision))
            return
        try:
            delta = await self._collect(dirty, watched)
        except FlotillaError:
            _log.exception("Changes could not be read; clients read everything again.")
            self._push_all(Reset(revision=revision))
            return
        delta = delta.model_copy(update={"revision": revision})
        for subscriber in self._subscribers:
            subscriber.push(_for_client(delta, subscriber.watch.runs))

    def _postpone_overview(self, dirty: Dirty, now: float) -> None:
        if not dirty.overview:
            return
        if now - self._overview_at >= OVERVIEW_SECONDS:
            self._overview_at = now
        else:
            dirty.overview, self._dirty.overview = False, True
            self._some.set()

    def _push_all(self, change: Change) -> None:
        for subscriber in self._subscribers:
            subscriber.push(change)


def _for_client(delta: Delta, runs: Collection[str]) -> Delta:
    """Leave out the items and logs of runs that this client does not watch."""
    if not delta.items and not delta.log_sizes:
        return delta
    return delta.model_copy(
        update={
            "items": [item for item in delta.items if item.run_id in runs],
            "log_sizes": {run: size for run, size in delta.log_sizes.items() if run in runs},
        }
    )
