"""Pulls the logs of items from one agent, by byte offset, when they have grown.

An item is asked for at most every `PULL_SECONDS`, a few items at a time, and its attempts in their
order, each to its end before the next: the run's log then says what is here already, and nothing is
asked for twice or left out.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from common.domain.ids import new_id
from common.errors import AgentUnreachableError, FlotillaError
from common.protocol.messages import LogChunk, ReadLog
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.run_logs import LogSource, RunLogs
from desktop_app.store.records import ItemRecord

PULL_SECONDS = 0.2
PULLS_AT_ONCE = 4
_FULL_DISK_SECONDS = 5.0

_log = logging.getLogger(__name__)

FindItems = Callable[[Collection[str]], Awaitable[Mapping[str, ItemRecord]]]
"""Looks items up by id."""


@dataclass(slots=True)
class _Wish:
    """How far the log of an item's newest attempt reaches at the agent, as far as we were told."""

    attempt: int
    end: int
    due: float = 0.0
    """Not before this moment of the monotonic clock."""
    reading: int = 1
    """The attempt whose log is read; those before it are here."""

    @property
    def is_at_newest(self) -> bool:
        """True while nothing of an earlier attempt is missing."""
        return self.reading >= self.attempt


class LogPuller:
    """The logs of one agent's items while the link to it is up."""

    def __init__(
        self, logs: RunLogs, find_items: FindItems, grown: Callable[[str, int], None]
    ) -> None:
        """`grown` hears of a run's log size in bytes after lines were added."""
        self._logs = logs
        self._find_items = find_items
        self._grown = grown
        self._wishes: dict[str, _Wish] = {}
        self._sources: dict[str, ItemRecord] = {}
        self._pulled_at: dict[str, float] = {}
        self._some = asyncio.Event()

    def want(self, item_id: str, attempt: int, end: int) -> None:
        """Take note that an attempt's log reaches to `end` at the agent."""
        wish = self._wishes.get(item_id)
        if wish is None:
            due = self._pulled_at.get(item_id, 0.0) + PULL_SECONDS
            self._wishes[item_id] = _Wish(attempt, end, due)
        elif wish.attempt < attempt:
            wish.attempt, wish.end = attempt, end
        elif wish.attempt == attempt:
            wish.end = max(wish.end, end)
        self._some.set()

    async def run(self, live: LiveLink) -> None:
        """Pull what is wanted until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            await self._find_sources()
            now = time.monotonic()
            due = [
                item_id
                for item_id, wish in self._wishes.items()
                if wish.due <= now and item_id in self._sources
            ]
            for start in range(0, len(due), PULLS_AT_ONCE):
                some = due[start : start + PULLS_AT_ONCE]
                await asyncio.gather(*(self._pull(live, item_id) for item_id in some))
            if self._wishes:
                self._some.set()
                await asyncio.sleep(PULL_SECONDS / 4)

    async def _find_sources(self) -> None:
        unknown = [item_id for item_id in self._wishes if item_id not in self._sources]
        if not unknown:
            return
        self._sources.update(await self._find_items(unknown))
        for item_id in unknown:
            if item_id not in self._sources:
                del self._wishes[item_id]  # its run is deleted

    async def _pull(self, live: LiveLink, item_id: str) -> None:
        """Pull one piece; the wish ends when everything that was told of is here."""
        wish, source = self._wishes[item_id], self._sources[item_id]
        log = await self._logs.log(source.run_id)
        attempt = wish.reading = max(wish.reading, log.latest(item_id))
        offset = log.pulled(item_id, attempt)
        if attempt > wish.attempt or (wish.is_at_newest and offset >= wish.end):
            del self._wishes[item_id]
            return
        self._pulled_at[item_id] = time.monotonic()
        ask = ReadLog(id=new_id(), item_id=item_id, attempt=attempt, offset=offset)
        try:
            chunk = await live.request(ask)
        except AgentUnreachableError:
            raise
        except FlotillaError as refusal:
            _log.warning("The log of item %s cannot be read: %s", item_id, refusal.message)
            self._end_of_attempt(item_id, wish)
            return
        if not isinstance(chunk, LogChunk) or chunk.offset != offset or not chunk.text:
            self._end_of_attempt(item_id, wish)
            return
        if attempt == wish.attempt:
            wish.end = max(wish.end, chunk.end)
        log = await self._logs.log(source.run_id)  # it may have been closed meanwhile
        try:
            grew = log.append(LogSource(item_id, attempt, source.username), offset, chunk.text)
        except OSError as problem:
            # A full disk: the agent keeps the log, and what is missing is asked for later.
            _log.warning("The log of item %s cannot be kept: %s", item_id, problem.strerror)
            wish.due = time.monotonic() + _FULL_DISK_SECONDS
            return
        if grew:
            self._grown(source.run_id, log.size)
        # An attempt before the newest gets no more lines: its log ends where the agent says.
        if log.pulled(item_id, attempt) >= (wish.end if wish.is_at_newest else chunk.end):
            self._end_of_attempt(item_id, wish)
        else:
            wish.due = time.monotonic()

    def _end_of_attempt(self, item_id: str, wish: _Wish) -> None:
        """Go on with the next attempt's log; after the newest one the wish is fulfilled."""
        if wish.is_at_newest:
            del self._wishes[item_id]
        else:
            wish.reading += 1
            wish.due = time.monotonic()
