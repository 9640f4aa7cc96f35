"""The table of every page: one delegate, fixed rows, columns to choose, selection kept by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from desktop_app.ui.models.cells import Link
from desktop_app.ui.models.table import CELL_ROLE, RowTable
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.cells import CellDelegate

_TICK_MILLISECONDS = 5000
"""How often relative times are painted anew."""


class DataTable(QTableView):
    """A table of rows that have ids."""

    chosen = Signal(list)
    """Ids of the selected rows."""
    inspected = Signal()
    """Space was pressed on a row."""
    opened = Signal(str)
    """A row was double-clicked, or Enter was pressed on it."""

    def __init__(self, theme: Theme, model: RowTable[Any], name: str) -> None:
        super().__init__()
        self._theme = theme
        self._table = model
        self._kept: tuple[set[str], str | None] = (set(), None)
        self._asked: dict[int, bool] = {}
        """Columns that the operator has shown or hidden; these are not left out by themselves."""
        self.make_menu: Callable[[list[str]], QMenu | None] | None = None
        """Gives the context menu of the selected rows."""
        self.setAccessibleName(name)
        self._delegate = CellDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setModel(model)
        self._set_up_rows()
        self._set_up_columns()
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MILLISECONDS)
        self._tick.timeout.connect(self.viewport().update)
        self._tick.start()
        theme.changed.connect(self.viewport().update)

    def selected_ids(self) -> list[str]:
        """Return the ids of the selected rows, in the order of the lines."""
        lines = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._table.id_at(line) for line in lines]

    def select_ids(self, ids: Sequence[str]) -> None:
        """Select the rows with these ids that are shown, and go to the first."""
        lines = sorted(line for key in ids if (line := self._table.line(key)) is not None)
        selection = QItemSelection()
        last = self._table.columnCount() - 1
        for line in lines:
            selection.select(self._table.index(line, 0), self._table.index(line, last))
        mode = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().select(selection, mode | QItemSelectionModel.SelectionFlag.Rows)
        if lines:
            index = self._table.index(lines[0], 0)
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(index, flag)
            self.scrollTo(index)

    def column_menu(self) -> QMenu:
        """Return the menu in which columns are chosen."""
        menu = QMenu(self)
        for place, column in enumerate(self._table.columns):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.setEnabled(place != 0)
            action.toggled.connect(lambda on, at=place: self._show_column(at, on))
        return menu

    # Qt's events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space inspects, Enter opens, Escape clears the selection."""
        if event.key() == Qt.Key.Key_Space:
            self.inspected.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self._table.id_at(self.currentIndex().row()))
        elif event.key() == Qt.Key.Key_Escape:
            self.clearSelection()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the row under the pointer."""
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        self._hover(index.row())
        over_link = isinstance(cell := index.data(CELL_ROLE), Link) and bool(cell.url)
        self.viewport().setCursor(
            Qt.CursorShape.PointingHandCursor if over_link else Qt.CursorShape.ArrowCursor
        )

    def leaveEvent(self, event: Any) -> None:
        """Unmark the row."""
        super().leaveEvent(event)
        self._hover(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open a link that was clicked."""
        super().mouseReleaseEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            cell = self.indexAt(event.position().toPoint()).data(CELL_ROLE)
            if isinstance(cell, Link) and cell.url:
                QDesktopServices.openUrl(QUrl(cell.url))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show what can be done to the selected rows."""
        ids = self.selected_ids()
        if ids and self.make_menu is not None and (menu := self.make_menu(ids)) is not None:
            menu.popup(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what has no room, and give the stretching columns what is left."""
        super().resizeEvent(event)
        self._fit()

    # Inside

    def _set_up_rows(self) -> None:
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self._theme.size("row_regular"))

    def _set_up_columns(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(40)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self.column_menu().popup(header.mapToGlobal(place))
        )
        header.sectionResized.connect(self._column_resized)
        for place, column in enumerate(self._table.columns):
            self.setColumnWidth(place, column.width)
            self.setColumnHidden(place, column.hidden)
        self.setSortingEnabled(True)

    def _show_column(self, place: int, shown: bool) -> None:
        self._asked[place] = shown
        self._fit()

    def _column_resized(self, place: int, old: int, new: int) -> None:
        by_hand = old > 0 and new > 0  # otherwise it was shown or hidden
        if by_hand and not self._table.columns[place].stretch:
            QTimer.singleShot(0, self, self._stretch)

    def _fit(self) -> None:
        columns = self._table.columns
        shown = {p for p, c in enumerate(columns) if self._asked.get(p, not c.hidden)}
        room = self.viewport().width() - sum(self._least(place) for place in shown)
        spare = [place for place in shown if columns[place].spare and place not in self._asked]
        for place in sorted(spare, key=lambda place: -columns[place].spare):
            if room >= 0:
                break
            shown.remove(place)
            room += self._least(place)
        for place in range(len(columns)):
            self.setColumnHidden(place, place not in shown)
        self._stretch()

    def _least(self, place: int) -> int:
        column = self._table.columns[place]
        return column.width if column.stretch else self.columnWidth(place) or column.width

    def _stretch(self) -> None:
        shown = [p for p in range(self._table.columnCount()) if not self.isColumnHidden(p)]
        stretching = [place for place in shown if self._table.columns[place].stretch]
        if not stretching:
            return
        room = self.viewport().width() - sum(self._least(place) for place in shown)
        for place in stretching:
            self.setColumnWidth(place, self._least(place) + max(0, room) // len(stretching))

    def _hover(self, line: int) -> None:
        if line != self._delegate.hovered_line:
            self._delegate.hovered_line = line
            self.viewport().update()

    def _keep(self) -> None:
        current = self.currentIndex()
        key = self._table.id_at(current.row()) if current.isValid() else None
        self._kept = (set(self.selected_ids()), key)

    def _restore(self) -> None:
        ids, current = self._kept
        self._kept = (set(), None)
        if ids:
            self.select_ids(list(ids))
        if current is not None and (line := self._table.line(current)) is not None:
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(self._table.index(line, 0), flag)

    def _selection_changed(self, *_: object) -> None:
        self.chosen.emit(self.selected_ids())


def show_in(parent: QWidget, menu: QMenu, below: QWidget) -> None:
    """Open a menu under a control."""
    menu.setParent(parent, menu.windowFlags())
    menu.popup(below.mapToGlobal(below.rect().bottomLeft()))


def first_line(table: QTableView) -> QModelIndex:
    """Return the first cell of the first line."""
    return table.model().index(0, 0)
