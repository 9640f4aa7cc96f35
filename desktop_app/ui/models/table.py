"""The model of every table: rows by id, sorted and filtered inside its own list.

No QSortFilterProxyModel: at 5,000 rows it takes seconds where a Python sort takes milliseconds.
The core gathers changes for a tenth of a second, the model for a moment more; rows that only
change in place keep their line, and selections survive everything since indexes are moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer

from desktop_app.ui.models.cells import Cell, Moment, Text
from desktop_app.ui.models.formats import exact_time, relative_time

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex

CELL_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_ROLE = Qt.ItemDataRole.UserRole + 2

FLUSH_MILLISECONDS = 40
"""The core sends at most ten deltas a second; a shorter pause here keeps the two from adding up."""
_MOST_RANGES = 64
"""With more runs of inserted or removed lines than this, a reset is cheaper."""
_ALIGN_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ALIGN_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a table."""

    key: str
    """Stable name, for saved column choices."""
    title: str
    cell: Callable[[Row], Cell]
    order: Callable[[Row], Any]
    """What rows are sorted by; must compare with itself."""
    width: int = 120
    stretch: bool = False
    right: bool = False
    hidden: bool = False
    """Not shown until the operator asks for it."""
    spare: int = 0
    """Left out where the window is too narrow for all: the highest first, 0 never."""
    help: str = ""


class RowTable(QAbstractTableModel, Generic[Row]):
    """Rows of one kind. Lines are those that the filter lets through, in the sort's order."""

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], str],
        *,
        search: Callable[[Row], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self._key = key
        self._search = search
        self._clock = clock
        self._rows: dict[str, Row] = {}
        self._found: dict[str, str] = {}
        """Lower-case text of each row that a search looks at."""
        self._lines: list[str] = []
        self._line_of: dict[str, int] = {}
        self._needles: tuple[str, ...] = ()
        self._filter: Callable[[Row], bool] | None = None
        self._sort: tuple[int, bool] | None = None
        self._waiting: dict[str, Row | None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FLUSH_MILLISECONDS)
        self._timer.timeout.connect(self._flush)

    # What views read

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many lines are shown."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt or the delegate asks of one cell."""
        if not index.isValid():
            return None
        row = self._rows[self._lines[index.row()]]
        if role == ROW_ROLE:
            return row
        if role == CELL_ROLE:
            return self.columns[index.column()].cell(row)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell_text(self.columns[index.column()].cell(row), self._clock())
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell_help(self.columns[index.column()].cell(row))
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title, and its alignment."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_ALIGN_RIGHT if column.right else _ALIGN_LEFT)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; a negative one goes back to the rows' own order."""
        self._sort = (column, order is Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._relayout()

    # What presenters read

    @property
    def total(self) -> int:
        """How many rows there are, shown or not."""
        return len(self._rows)

    def rows(self) -> Iterable[Row]:
        """Return all rows, shown or not, in their own order."""
        return self._rows.values()

    def shown(self) -> list[Row]:
        """Return the rows that are shown, in order."""
        return [self._rows[key] for key in self._lines]

    def shown_ids(self) -> Sequence[str]:
        """Return the ids of the lines."""
        return self._lines

    def row(self, key: str) -> Row | None:
        """Return a row by id, also where it is waiting to be shown."""
        if key in self._waiting:
            return self._waiting[key]
        return self._rows.get(key)

    def line(self, key: str) -> int | None:
        """Return the line on which a row is shown."""
        return self._line_of.get(key)

    def id_at(self, line: int) -> str:
        """Return the id of the row on a line."""
        return self._lines[line]

    # What changes it

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Replace all rows by a fresh copy of the list."""
        self._waiting.clear()
        self._timer.stop()
        before = self._rows
        fresh = {self._key(row): row for row in rows}
        self._remove_lines([key for key in self._lines if key not in fresh])
        self._rows = fresh
        changed = {key: row for key, row in fresh.items() if before.get(key) != row}
        self._found = {key: text for key, text in self._found.items() if key in fresh}
        self._note_text(changed)
        self._relayout()
        self._touch([line for key in changed if (line := self._line_of.get(key)) is not None])

    def apply(self, changed: Iterable[Row] = (), removed: Iterable[str] = ()) -> None:
        """Take changes; they are shown at once, or within 100 ms while more keep coming."""
        for key in removed:
            self._waiting[key] = None
        for row in changed:
            self._waiting[self._key(row)] = row
        if not self._waiting or self._timer.isActive():
            return
        self._flush()
        self._timer.start()

    def flush(self) -> None:
        """Show what is waiting now."""
        self._flush()

    def set_search(self, text: str) -> None:
        """Show rows in which every word of `text` is found."""
        needles = tuple(text.lower().split())
        if needles != self._needles:
            self._needles = needles
            self._relayout()

    def set_filter(self, let_through: Callable[[Row], bool] | None) -> None:
        """Show rows that the function lets through; None shows all."""
        self._filter = let_through
        self._relayout()

    # Inside

    def _flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        gone = [key for key, row in waiting.items() if row is None and key in self._rows]
        fresh = {key: row for key, row in waiting.items() if row is not None}
        self._remove_lines(gone)
        for key in gone:
            del self._rows[key]
            self._found.pop(key, None)
        stays = self._stays_in_place(fresh)
        self._rows.update(fresh)
        self._note_text(fresh)
        if not stays:
            self._relayout()
        self._touch([line for key in fresh if (line := self._line_of.get(key)) is not None])

    def _stays_in_place(self, fresh: dict[str, Row]) -> bool:
        """Say whether these rows would stay where they are, in sort and filter."""
        order = self.columns[self._sort[0]].order if self._sort else None
        for key, row in fresh.items():
            old = self._rows.get(key)
            if old is None or self._passes(row) != (key in self._line_of):
                return False
            if order is not None and order(old) != order(row):
                return False
        return True

    def _passes(self, row: Row) -> bool:
        if self._filter is not None and not self._filter(row):
            return False
        if not self._needles or self._search is None:
            return True
        text = self._search(row).lower()
        return all(needle in text for needle in self._needles)

    def _note_text(self, rows: dict[str, Row]) -> None:
        if self._search is not None:
            for key, row in rows.items():
                self._found[key] = self._search(row).lower()

    def _wanted(self) -> list[str]:
        keys: Iterable[str] = self._rows
        if self._filter is not None:
            let_through = self._filter
            keys = (key for key in keys if let_through(self._rows[key]))
        if self._needles and self._search is not None:
            keys = (
                key for key in keys if all(needle in self._found[key] for needle in self._needles)
            )
        wanted = list(keys)
        if self._sort is not None:
            order = self.columns[self._sort[0]].order
            wanted.sort(key=lambda key: order(self._rows[key]), reverse=self._sort[1])
        return wanted

    def _relayout(self) -> None:
        """Bring the lines to what sort and filter ask for, moving what stays."""
        wanted = self._wanted()
        if wanted == self._lines:
            return
        keep = set(wanted)
        gone = [key for key in self._lines if key not in keep]
        came = keep - self._line_of.keys()
        ranges = _count_runs([self._line_of[key] for key in gone]) + _count_runs(
            [line for line, key in enumerate(wanted) if key in came]
        )
        if ranges > _MOST_RANGES or not self._lines:
            self._reset(wanted)
            return
        self._remove_lines(gone)
        self._permute([key for key in wanted if key not in came])
        self._insert_lines(wanted, came)

    def _reset(self, wanted: list[str]) -> None:
        self.beginResetModel()
        self._set_lines(wanted)
        self.endResetModel()

    def _remove_lines(self, keys: Sequence[str]) -> None:
        lines = sorted(self._line_of[key] for key in keys if key in self._line_of)
        for first, last in reversed(_runs(lines)):
            self.beginRemoveRows(QModelIndex(), first, last)
            self._set_lines(self._lines[:first] + self._lines[last + 1 :])
            self.endRemoveRows()

    def _insert_lines(self, wanted: list[str], came: set[str]) -> None:
        lines = [line for line, key in enumerate(wanted) if key in came]
        for first, last in _runs(lines):
            self.beginInsertRows(QModelIndex(), first, last)
            self._set_lines(self._lines[:first] + wanted[first : last + 1] + self._lines[first:])
            self.endInsertRows()

    def _permute(self, wanted: list[str]) -> None:
        if wanted == self._lines:
            return
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        keys = [self._lines[index.row()] for index in old]
        self._set_lines(wanted)
        self.changePersistentIndexList(
            old,
            [
                self.index(self._line_of[key], index.column())
                for key, index in zip(keys, old, strict=True)
            ],
        )
        self.layoutChanged.emit()

    def _set_lines(self, lines: list[str]) -> None:
        self._lines = lines
        self._line_of = {key: line for line, key in enumerate(lines)}

    def _touch(self, lines: list[int]) -> None:
        last_column = len(self.columns) - 1
        for first, last in _runs(sorted(lines)):
            self.dataChanged.emit(self.index(first, 0), self.index(last, last_column))


def cell_text(cell: Cell, now: float) -> str:
    """Return a cell as words: for screen readers, copying, and plain views."""
    if isinstance(cell, Moment):
        return cell.text or relative_time(cell.at, now)
    if isinstance(cell, Text) and cell.after:
        return f"{cell.text} {cell.after}"
    return cell.text


def cell_help(cell: Cell) -> str | None:
    """Return what hovering over a cell says."""
    if isinstance(cell, Moment):
        return exact_time(cell.at) or None
    help_text: str = getattr(cell, "help", "")
    return help_text or getattr(cell, "url", "") or cell_text(cell, 0.0) or None


def _runs(lines: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of neighbouring numbers in a sorted list, as first and last."""
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], line)
        else:
            runs.append((line, line))
    return runs


def _count_runs(lines: Sequence[int]) -> int:
    return len(_runs(sorted(lines)))
