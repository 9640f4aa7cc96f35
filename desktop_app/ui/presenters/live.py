"""The live page: browser accounts that work at this moment, over all active runs."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from common.domain.accounts import DriverName
from common.domain.states import ItemState
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.presenters.context import PresenterContext

MOST_TILES = 24
_WATCHER = "live page"


class LivePresenter(QObject):
    """Which screens are worth watching now. Follows the runs only while the page is looked at."""

    tiles_changed = Signal()

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self._fleet = context.fleet
        self.screens = context.screens
        self._items: dict[str, ItemRow] = {}
        self._revisions: dict[str, int] = {}
        self._is_looked_at = False
        self._fleet.delta_applied.connect(self._take)
        self._fleet.restarted.connect(self._forget)
        runs = self._fleet.runs.table
        for signal in (runs.dataChanged, runs.rowsInserted, runs.modelReset):
            signal.connect(lambda *_: self._follow_runs())

    def look(self, looking: bool) -> None:
        """Start or stop following, as the page is shown or hidden."""
        self._is_looked_at = looking
        if looking:
            self._follow_runs()
        else:
            self._forget()
            self._context.screens.watch(_WATCHER, frozenset())
            self._spawn_watch(frozenset())

    def tiles(self) -> list[ItemRow]:
        """Return the items whose screens are shown, in the order of their accounts."""
        running = [item for item in self._items.values() if _is_on_screen(item)]
        return sorted(running, key=lambda item: item.username)[:MOST_TILES]

    def _follow_runs(self) -> None:
        if not self._is_looked_at:
            return
        active = frozenset(run.id for run in self._fleet.active_runs())
        new = active - self._revisions.keys()
        ended = self._revisions.keys() - active
        for run_id in ended:
            del self._revisions[run_id]
        if new or ended:
            self._spawn_watch(active)
        for run_id in new:
            self._revisions[run_id] = -1
            self._context.tasks.spawn(self, self._read(run_id), "running items")

    def _spawn_watch(self, runs: frozenset[str]) -> None:
        work = self._fleet.watch_runs(_WATCHER, runs)
        self._context.tasks.spawn(self, work, "watch active runs")

    async def _read(self, run_id: str) -> None:
        page = await self._context.core.run_items(run_id, state=ItemState.RUNNING)
        if run_id in self._revisions:
            self._revisions[run_id] = page.revision
            self._update(page.rows)

    def _take(self, delta: Delta) -> None:
        fresh = [
            item
            for item in delta.items
            if delta.revision > self._revisions.get(item.run_id, 1 << 62)
        ]
        if fresh:
            self._update(fresh)

    def _update(self, items: list[ItemRow]) -> None:
        before = {item.id for item in self.tiles()}
        self._items.update((item.id, item) for item in items if _is_on_screen(item))
        for item in items:
            if not _is_on_screen(item):
                self._items.pop(item.id, None)
        tiles = self.tiles()
        if {item.id for item in tiles} != before:
            self._context.screens.watch(_WATCHER, frozenset(item.account_id for item in tiles))
        self.tiles_changed.emit()

    def _forget(self) -> None:
        self._items.clear()
        self._revisions.clear()
        self.tiles_changed.emit()
        self._follow_runs()


def _is_on_screen(item: ItemRow) -> bool:
    return item.state is ItemState.RUNNING and item.driver is DriverName.BROWSER
