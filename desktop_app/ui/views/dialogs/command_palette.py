"""Ctrl+K: every command and every account by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.ui.commands.ranking import rank
from desktop_app.ui.theme.theme import Theme

_WIDTH = 560
_LINES = 9
_HEIGHT = 36
_MOST = 40
_ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the palette finds."""

    title: str
    section: str
    run: Callable[[], object]
    icon: str = ""
    shortcut: str = ""
    words: str = ""


Provider = Callable[[str], Iterable[Entry]]
"""Gives entries for a typed text; all that are worth showing for an empty one."""


class CommandPalette(QDialog):
    """A line to type in, and what fits under it."""

    def __init__(self, theme: Theme, parent: QWidget, provider: Provider) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._provider = provider
        self.setAccessibleName("All commands")
        self.setFixedWidth(_WIDTH)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Type a command, or an account…")
        self.line.setAccessibleName("Search commands and accounts")
        self.line.addAction(theme.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.line.textChanged.connect(self._find)
        self.line.installEventFilter(self)
        self.list = QListView()
        self.list.setAccessibleName("What fits")
        self._model = QStandardItemModel(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_EntryDelegate(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFixedHeight(_LINES * _HEIGHT)
        self.list.clicked.connect(lambda _: self._run())
        frame = QFrame(self)
        frame.setObjectName("bulkBar")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(8, 8, 8, 8)
        inner.setSpacing(8)
        inner.addWidget(self.line)
        inner.addWidget(self.list)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._find("")

    def place_over(self, window: QWidget) -> None:
        """Stand in the upper middle of a window."""
        corner = window.mapToGlobal(QRect(window.rect()).topLeft())
        self.move(corner.x() + (window.width() - _WIDTH) // 2, corner.y() + 96)

    def titles(self) -> list[str]:
        """Return what is found, best first."""
        model = self.list.model()
        return [model.index(at, 0).data() for at in range(model.rowCount())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys and Enter in the line work on the list."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if event.key() in steps:
                self._step(steps[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return False

    def _find(self, typed: str) -> None:
        model = self._model
        model.clear()
        for entry in best_entries(typed, self._provider(typed)):
            item = QStandardItem(entry.title)
            item.setData(entry, _ENTRY_ROLE)
            item.setEditable(False)
            model.appendRow(item)
        self.list.setCurrentIndex(model.index(0, 0))

    def _step(self, by: int) -> None:
        count = self.list.model().rowCount()
        if count:
            at = (self.list.currentIndex().row() + by) % count
            self.list.setCurrentIndex(self.list.model().index(at, 0))

    def _run(self) -> None:
        entry = self.list.currentIndex().data(_ENTRY_ROLE)
        if isinstance(entry, Entry):
            self.accept()
            entry.run()


def best_entries(typed: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that fit, best first; all in their own order where nothing is typed."""
    if not typed.strip():
        return list(entries)[:_MOST]
    ranked = []
    for place, entry in enumerate(entries):
        found = rank(typed, entry.title)
        also = rank(typed, f"{entry.section} {entry.title} {entry.words}")
        scores = [found, also - 20 if also is not None else None]
        score = max((each for each in scores if each is not None), default=None)
        if score is not None:
            ranked.append((-score, place, entry))
    return [entry for _, _, entry in sorted(ranked, key=lambda each: each[:2])][:_MOST]


class _EntryDelegate(QStyledItemDelegate):
    """Paints one entry: icon, title, section, shortcut."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the fixed height of an entry."""
        return QSize(_WIDTH - 40, _HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one entry."""
        entry: Entry = index.data(_ENTRY_ROLE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selection"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 6, 6)
        if entry.icon:
            ratio = painter.device().devicePixelRatioF()
            icon = self._theme.pixmap(entry.icon, "text_muted", 16, ratio)
            painter.drawPixmap(rect.left() + 12, rect.center().y() - 7, icon)
        middle = Qt.AlignmentFlag.AlignVCenter
        body = rect.adjusted(40, 0, -12, 0)
        painter.setFont(self._theme.font())
        painter.setPen(self._theme.colour("text"))
        painter.drawText(body, Qt.AlignmentFlag.AlignLeft | middle, entry.title)
        used = painter.fontMetrics().horizontalAdvance(entry.title) + 12
        painter.setFont(self._theme.font("type_caption"))
        painter.setPen(self._theme.colour("text_faint"))
        painter.drawText(
            body.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | middle, entry.section
        )
        painter.setPen(self._theme.colour("text_muted"))
        painter.drawText(body, Qt.AlignmentFlag.AlignRight | middle, entry.shortcut)
        painter.restore()
