"""Follows the log of one run: reads on where it stopped, page by page, one request at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_app.ui.aio import Tasks
from desktop_app.ui.models.core_port import Core


class LogTail(QObject):
    """The log of one run, from its beginning to wherever it has grown."""

    lines_arrived = Signal(object)

    def __init__(self, run_id: str, core: Core, tasks: Tasks) -> None:
        super().__init__()
        self._run_id = run_id
        self._core = core
        self._tasks = tasks
        self._offset = 0
        self._size = 0
        self._is_reading = False
        self._is_asked = False

    def read_on(self, size: int | None = None) -> None:
        """Read what is new; `size` is how long the log is by now, where that is known."""
        if size is not None:
            if size <= self._offset:
                return
            self._size = max(self._size, size)
        self._is_asked = True
        if not self._is_reading:
            self._is_reading = True
            self._tasks.spawn(self, self._read(), f"log of {self._run_id}")

    async def _read(self) -> None:
        try:
            while self._is_asked or self._offset < self._size:
                self._is_asked = False
                page = await self._core.run_log(self._run_id, self._offset)
                stuck = page.end <= self._offset
                self._offset = max(self._offset, page.end)
                self._size = self._offset if stuck else max(self._size, page.size)
                if page.lines:
                    self.lines_arrived.emit(page.lines)
        finally:
            self._is_reading = False
