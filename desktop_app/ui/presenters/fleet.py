"""The window's copy of the fleet: lists of the core, kept equal by its pushed changes.

Attention cards are here while they are open; settled ones are the cards page's own.
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from common.errors import FlotillaError
from desktop_app.contract.accounts import AccountRow
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.cards import CardRow
from desktop_app.contract.changes import Closing, Delta, Overview, Reset, Watch
from desktop_app.contract.media import MediaRow
from desktop_app.contract.runs import RunRow
from desktop_app.ui.models.accounts import account_table
from desktop_app.ui.models.agents import agent_table
from desktop_app.ui.models.cards import card_table
from desktop_app.ui.models.core_port import ChangeFeed, Core
from desktop_app.ui.models.media import media_table
from desktop_app.ui.models.mirror import Mirror
from desktop_app.ui.models.runs import RUN_FINAL, run_table

FIRST_ROWS = 200
"""Accounts that are shown before the rest is read."""
PAGE_ROWS = 5000
_LOOK_MILLISECONDS = 500


class Loading(StrEnum):
    """How far the first copy of the lists is."""

    LOADING = "loading"
    READY = "ready"
    OFFLINE = "offline"


class Fleet(QObject):
    """Accounts, agents, media, runs and open attention cards as the core has them."""

    overview_changed = Signal()
    status_changed = Signal()
    """`loading`, `offline_since` or `problem` is another."""
    delta_applied = Signal(object)
    """A `Delta`, after the lists here took it: for items and logs."""
    restarted = Signal()
    """Everything was read again: followers read their own lists again, too."""
    core_closing = Signal(str)
    cards_opened = Signal(list)
    """Cards that came while the window was open: a list of `CardRow`."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        self.core = core
        self.overview = Overview(store_name="", practice=False)
        self.accounts = Mirror[AccountRow](account_table())
        self.agents = Mirror[AgentRow](agent_table())
        self.media = Mirror[MediaRow](media_table())
        self.runs = Mirror[RunRow](run_table())
        self.cards = Mirror[CardRow](card_table())
        self.loading = Loading.LOADING
        self.offline_since: float | None = None
        self.problem: FlotillaError | None = None
        self._feed: ChangeFeed | None = None
        self._watched: dict[str, frozenset[str]] = {}
        self._again = asyncio.Event()
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MILLISECONDS)
        self._look.timeout.connect(self._look_at_connection)

    async def follow(self) -> None:
        """Read everything, then follow the core's changes until cancelled."""
        await self._load_until_done()
        feed = self.core.changes(self._wish())
        self._feed = feed
        self._look.start()
        try:
            async for change in feed:
                if isinstance(change, Delta):
                    self._apply(change)
                elif isinstance(change, Reset):
                    await self._reload(change.revision)
                elif isinstance(change, Closing):
                    self.core_closing.emit(change.reason)
        finally:
            self._look.stop()
            self._feed = None
            await feed.aclose()

    def retry(self) -> None:
        """Try the first copy again at once, where it failed."""
        self._again.set()

    async def watch_runs(self, watcher: str, run_ids: frozenset[str]) -> None:
        """Have items and log sizes of these runs pushed, for as long as `watcher` says so."""
        before = self._wish()
        self._watched[watcher] = run_ids
        wish = self._wish()
        if wish != before and self._feed is not None:
            await self._feed.set_watch(wish)

    def active_runs(self) -> list[RunRow]:
        """Return the runs that have not ended."""
        return [run for run in self.runs.table.rows() if run.state not in RUN_FINAL]

    def _wish(self) -> Watch:
        return Watch(runs=sorted(frozenset().union(*self._watched.values())))

    async def _load_until_done(self) -> None:
        pause = 0.5
        while not await self._try_to_load():
            self._again.clear()
            try:
                await asyncio.wait_for(self._again.wait(), pause)
            except TimeoutError:
                pause = min(pause * 2, 8.0)

    async def _try_to_load(self) -> bool:
        try:
            await self._load()
        except FlotillaError as problem:
            self.problem = problem
            self._set_status(Loading.OFFLINE)
            return False
        self.problem = None
        self._set_status(Loading.READY)
        return True

    async def _load(self) -> None:
        """Read every list. The first accounts are shown as soon as they are here."""
        for mirror in self._mirrors():
            mirror.begin()
        first = await self.core.accounts(limit=FIRST_ROWS)
        if not self.accounts.table.total:
            self.accounts.show_first(first.rows)
            self._set_status(Loading.READY if first.rows else Loading.LOADING)
        self._take_overview(await self.core.overview())
        agents = await self.core.agents()
        self.agents.load(agents.rows, agents.revision)
        runs = await self.core.runs()
        self.runs.load(runs.rows, runs.revision)
        await self._load_cards()
        rows = list(first.rows)
        revision = first.revision
        while len(rows) < first.total:
            page = await self.core.accounts(offset=len(rows), limit=PAGE_ROWS)
            if not page.rows:
                break
            rows += page.rows
        self.accounts.load(rows, revision)
        media = await self.core.media()
        self.media.load(media.rows, media.revision)

    async def _load_cards(self) -> None:
        page = await self.core.cards()
        rows = list(page.rows)
        while len(rows) < page.total:
            more = await self.core.cards(offset=len(rows))
            if not more.rows:
                break
            rows += more.rows
        self.cards.load(rows, page.revision)

    def _mirrors(self) -> tuple[Mirror[Any], ...]:
        return (self.accounts, self.agents, self.media, self.runs, self.cards)

    async def _reload(self, revision: int) -> None:
        if all(mirror.is_loaded and mirror.revision >= revision for mirror in self._mirrors()):
            return
        await self._load_until_done()
        self.restarted.emit()

    def _apply(self, delta: Delta) -> None:
        gone = delta.removed
        self.accounts.apply(delta.revision, delta.accounts, gone.get("accounts", ()))
        self.agents.apply(delta.revision, delta.agents, gone.get("agents", ()))
        self.media.apply(delta.revision, delta.media, gone.get("media", ()))
        self.runs.apply(delta.revision, delta.runs, gone.get("runs", ()))
        self._apply_cards(delta)
        if delta.overview is not None:
            self._take_overview(delta.overview)
        self.delta_applied.emit(delta)

    def _apply_cards(self, delta: Delta) -> None:
        """Take open cards; one that is settled leaves the list."""
        fresh = [card for card in delta.cards if card.resolved_at is None]
        settled = [card.id for card in delta.cards if card.resolved_at is not None]
        known = self.cards.table
        opened = [card for card in fresh if self.cards.is_loaded and known.row(card.id) is None]
        gone = [*delta.removed.get("cards", ()), *settled]
        self.cards.apply(delta.revision, fresh, gone)
        if opened:
            self.cards_opened.emit(opened)

    def _take_overview(self, overview: Overview) -> None:
        self.overview = overview
        self.overview_changed.emit()

    def _look_at_connection(self) -> None:
        connected = self._feed is not None and self._feed.is_connected
        if connected and self.offline_since is not None:
            self.offline_since = None
            self.status_changed.emit()
        elif not connected and self.offline_since is None:
            self.offline_since = time.time()
            self.status_changed.emit()

    def _set_status(self, loading: Loading) -> None:
        self.loading = loading
        self.status_changed.emit()
