"""Leads the spectator through the window: the right page at the right moment, and pictures."""

from collections.abc import Sequence
from pathlib import Path

from common.domain.accounts import DriverName
from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from desktop_app.contract.runs import ItemRow
from desktop_app.demo.voyage import Narrator
from desktop_app.ui.app import WindowHandle

_PAGES = ("accounts", "agents", "media", "compose", "runs")


class WindowGuide:
    """A narrator that also turns the window's pages; tells everything on to another one."""

    def __init__(self, window: WindowHandle, narrator: Narrator, pictures: Path | None) -> None:
        """With a folder for `pictures` it saves the main pages there."""
        self._window = window
        self._narrator = narrator
        self._folder = pictures
        self._live_is_taken = False
        self.pictures: list[Path] = []

    def step(self, text: str) -> None:
        """A step begins."""
        self._narrator.step(text)

    async def run_began(self, task: str, run_id: str) -> None:
        """Show accounts while they sign in, and the run while it publishes."""
        if task == "bulk_login":
            self._window.show_page("accounts" if self._folder is None else "live")
        else:
            self._window.show_page("runs", run_id)

    async def items(self, title: str, rows: Sequence[ItemRow]) -> None:
        """Tell the items on; take the picture of the live screens while there are some."""
        await self._narrator.items(title, rows)
        if self._folder and not self._live_is_taken and _are_screens_lively(rows):
            self._live_is_taken = True
            self.pictures += await self._window.grab_pages(self._folder, ("live",))

    async def finish(self, last_run: str) -> None:
        """End at the run, and take the pictures of the other pages."""
        self._window.show_page("runs", last_run)
        if self._folder:
            self.step("Taking pictures of the window")
            self.pictures += await self._window.grab_pages(self._folder, _PAGES)


def _are_screens_lively(rows: Sequence[ItemRow]) -> bool:
    browsers = [row for row in rows if row.driver is DriverName.BROWSER]
    running = sum(row.state is ItemState.RUNNING for row in browsers)
    return running > 1 and any(row.state in ITEM_FINAL for row in browsers)
