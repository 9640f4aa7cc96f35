"""The product's own window, watched from within: when rows are on the screen.

Usage: python -m tests.bench.window_probe first-rows DATA ROWS
           prints the seconds from the process's start until a table with rows was painted, and
           until it had ROWS rows
       python -m tests.bench.window_probe latency DATA
           prints a line when it is ready, reads the id of a run from its standard input, shows
           that run, and prints one line per change of an item: seconds from the agent's clock to
           the paint that showed it; ends when its standard input is closed
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QModelIndex, QObject
from PySide6.QtWidgets import QTableView

from common.domain.states import ItemState
from desktop_app.client.launcher import CoreOptions, connect
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.app import WindowHandle, run_with
from desktop_app.ui.models.table import ROW_ROLE

_MILLISECOND = 0.001


class Paints(QObject):
    """Calls back after each paint of a view."""

    def __init__(self, view: QTableView, painted: Callable[[], None]) -> None:
        super().__init__(view)
        self._painted = painted
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint:
            self._painted()
        return False


async def visible_table(handle: WindowHandle) -> QTableView:
    """Return the table on the current page, once it has a row."""
    while True:
        for view in handle.window.findChildren(QTableView):
            model = view.model()
            if view.isVisible() and model is not None and model.rowCount():
                return view
        await asyncio.sleep(_MILLISECOND)


async def first_rows(handle: WindowHandle, rows: int) -> int:
    """Print when the first rows were painted, and when all of them were in the table."""
    view = await visible_table(handle)
    view.viewport().repaint()
    first = _age()
    while view.model().rowCount() < rows:  # noqa: ASYNC110 - several signals could say it
        await asyncio.sleep(_MILLISECOND)
    print(first, _age(), flush=True)
    return 0


async def latency(handle: WindowHandle) -> int:
    """Print how old each change of an item was when it was painted."""
    print("ready", flush=True)
    handle.show_page("runs", (await asyncio.to_thread(sys.stdin.readline)).strip())
    view = await visible_table(handle)
    known: dict[str, float] = {}
    waiting: list[float] = []

    def painted() -> None:
        now = time.time()
        for changed_at in waiting:
            print(now - changed_at)
        waiting.clear()

    def changed(first: QModelIndex, last: QModelIndex) -> None:
        for row in _rows(view, range(first.row(), last.row() + 1)):
            # Until an agent has spoken of an item, its time is the store's.
            if row.state is not ItemState.QUEUED and row.changed_at > known.get(row.id, 0.0):
                known[row.id] = row.changed_at
                waiting.append(row.changed_at)
        view.viewport().update()  # a row out of sight counts with the next paint

    paints = Paints(view, painted)
    view.model().dataChanged.connect(changed)
    await asyncio.to_thread(sys.stdin.read)
    view.model().dataChanged.disconnect(changed)
    paints.deleteLater()
    sys.stdout.flush()
    return 0


def _rows(view: QTableView, lines: range) -> list[ItemRow]:
    """Return the items on these lines; the model's row role gives the value behind a line."""
    model = view.model()
    found = (model.data(model.index(line, 0), ROW_ROLE) for line in lines)
    return [row for row in found if isinstance(row, ItemRow)]


def _age() -> float:
    return time.time() - psutil.Process().create_time()


def main() -> int:
    """Open the window on a data folder and measure."""
    what, data, *detail = sys.argv[1:]

    async def beside(handle: WindowHandle) -> int:
        if what == "first-rows":
            return await first_rows(handle, int(detail[0]))
        return await latency(handle)

    return run_with(lambda: connect(CoreOptions(Path(data))), beside=beside)


if __name__ == "__main__":
    raise SystemExit(main())
