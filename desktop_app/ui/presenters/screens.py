"""Live screens of browser accounts: asked for only while somebody looks."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_app.contract.changes import WatchScreens
from desktop_app.ui.aio import Tasks
from desktop_app.ui.models.core_port import Core, ScreenFeed


class Screens(QObject):
    """The stream of screens, shared by everybody who watches one."""

    framed = Signal(str, object)
    """Account id and the JPEG's bytes."""

    def __init__(self, core: Core, tasks: Tasks) -> None:
        super().__init__()
        self._core = core
        self._tasks = tasks
        self._watched: dict[str, frozenset[str]] = {}
        self._widths: dict[str, int] = {}
        self._feed: ScreenFeed | None = None

    def watch(self, watcher: str, account_ids: frozenset[str], width: int = 640) -> None:
        """Have these accounts' screens pushed, for as long as `watcher` says so."""
        before = self._wish()
        self._watched[watcher] = account_ids
        self._widths[watcher] = width
        wish = self._wish()
        if wish == before:
            return
        if self._feed is None:
            self._feed = self._core.screens(wish)
            self._tasks.spawn(self, self._follow(self._feed), "screens")
        else:
            self._tasks.spawn(self, self._feed.set_watch(wish), "watch screens")

    async def _follow(self, feed: ScreenFeed) -> None:
        try:
            async for account_id, jpeg in feed:
                self.framed.emit(account_id, jpeg)
        finally:
            self._feed = None
            await feed.aclose()

    def _wish(self) -> WatchScreens:
        ids = sorted(frozenset().union(*self._watched.values()))
        widths = [self._widths[watcher] for watcher, seen in self._watched.items() if seen]
        return WatchScreens(account_ids=ids, width=max(widths, default=640))
