"""A list of rows at the left of a page, one of them looked at. How a row is drawn is a delegate's.

The choice is kept by id. A row that leaves the list takes the choice with it, and no other row is
chosen in its place: what the operator is looking at never changes under their hand.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate

from desktop_app.ui.models.table import RowTable
from desktop_app.ui.theme.theme import Theme


class RowList(QListView):
    """Rows of one table."""

    row_chosen = Signal(str)
    opened = Signal(str)
    """Enter was pressed on a row, or it was double-clicked."""

    def __init__(self, theme: Theme, rows: RowTable[Any], name: str) -> None:
        super().__init__()
        self._rows = rows
        self._wanted: str | None = None
        self._is_losing = False
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(220)
        self.setTabKeyNavigation(False)
        self._show(rows)
        self.doubleClicked.connect(lambda index: self.opened.emit(self._rows.id_at(index.row())))
        theme.changed.connect(self.viewport().update)

    def draw_with(self, delegate: QStyledItemDelegate) -> None:
        """Draw every row by a delegate, which is a child of this list."""
        self.setItemDelegate(delegate)

    def show_rows(self, rows: RowTable[Any]) -> None:
        """Show another table; nothing of it is chosen yet."""
        if rows is self._rows:
            return
        self._rows.rowsAboutToBeRemoved.disconnect(self._losing)
        for signal, slot in self._wires(self._rows):
            signal.disconnect(slot)
        self._wanted = None
        self._show(rows)

    def select(self, key: str | None) -> None:
        """Choose a row, as soon as it is in the list; None chooses none."""
        self._wanted = key
        if key is None:
            self._clear()
        self._catch_up()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the row that is chosen."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.opened.emit(self._rows.id_at(index.row()))
        else:
            super().keyPressEvent(event)

    def _show(self, rows: RowTable[Any]) -> None:
        self._rows = rows
        rows.rowsAboutToBeRemoved.connect(self._losing)  # before the view hears of it
        self.setModel(rows)
        self.selectionModel().currentChanged.connect(self._changed)
        for signal, slot in self._wires(rows):
            signal.connect(slot)

    def _wires(self, rows: RowTable[Any]) -> tuple[tuple[Any, Any], ...]:
        return (
            (rows.modelReset, self._catch_up),
            (rows.rowsInserted, self._catch_up),
            (rows.rowsRemoved, self._lost),
        )

    def _losing(self, parent: object, first: int, last: int) -> None:
        """Let go of a chosen row that is about to leave, before Qt moves on to its neighbour."""
        if first <= self.currentIndex().row() <= last:
            self._is_losing = True
            self._clear()

    def _lost(self, *_: object) -> None:
        if self._is_losing:
            self._clear()
            self._is_losing = False

    def _clear(self) -> None:
        self.selectionModel().clear()

    def _catch_up(self, *_: object) -> None:
        line = self._rows.line(self._wanted) if self._wanted else None
        if line is not None and self.currentIndex().row() != line:
            index = self._rows.index(line, 0)
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flag)

    def _changed(self) -> None:
        index = self.currentIndex()
        if index.isValid() and not self._is_losing:
            self._wanted = self._rows.id_at(index.row())
            self.row_chosen.emit(self._wanted)
