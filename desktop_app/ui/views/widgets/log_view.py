"""A live log: filtered by level and words, searched, followed at its end, copied."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app.contract.runs import LogLine
from desktop_app.ui.models.formats import clock_time
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import icon_button, row
from desktop_app.ui.views.widgets.search_box import SearchBox

MOST_LINES = 20_000
BATCH_MILLISECONDS = 50
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LEVEL_COLOURS = {
    "DEBUG": "text_faint",
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "danger",
    "CRITICAL": "danger",
}
_TIME_WIDTH = 12
_LEVEL_AT = _TIME_WIDTH + 2
_LEVEL_WIDTH = 8
_NAME_AT = _LEVEL_AT + _LEVEL_WIDTH
_NAME_WIDTH = 20


def line_text(line: LogLine) -> str:
    """Return a line as the log shows it, in columns."""
    level = line.level.upper()
    text = line.text.replace("\n", " ⏎ ")
    name = line.username
    if len(name) > _NAME_WIDTH - 2:
        name = name[: _NAME_WIDTH - 3] + "…"
    return f"{clock_time(line.at)}  {level:<{_LEVEL_WIDTH}}{name:<{_NAME_WIDTH}}{text}"


def level_rank(level: str) -> int:
    """Return how grave a level is; an unknown one counts as INFO."""
    name = level.upper()
    return _LEVELS.index(name) if name in _LEVELS else 1


class _Colours(QSyntaxHighlighter):
    """Colours the columns of each line."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        self._colour(0, _TIME_WIDTH, "text_faint")
        level = text[_LEVEL_AT:_NAME_AT].strip()
        self._colour(_LEVEL_AT, len(level), _LEVEL_COLOURS.get(level, "text_muted"))
        self._colour(_NAME_AT, _NAME_WIDTH, "text_muted")
        if level_rank(level) >= level_rank("ERROR"):
            self._colour(_NAME_AT + _NAME_WIDTH, len(text), "danger")

    def _colour(self, start: int, count: int, token: str) -> None:
        form = QTextCharFormat()
        form.setForeground(self._theme.colour(token))
        self.setFormat(start, count, form)


class LogView(QWidget):
    """The log with its controls."""

    counted = Signal(int)
    """How many lines it holds."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._new: list[LogLine] = []
        self._needle = ""
        self._username = ""
        self._least = level_rank("INFO")
        self.text = _log_edit()
        self.text.setPlaceholderText("No lines to show.")
        self._colours = _Colours(theme, self.text.document())
        self._batch = QTimer(self)
        self._batch.setSingleShot(True)
        self._batch.setInterval(BATCH_MILLISECONDS)
        self._batch.timeout.connect(self.flush)
        self._build()

    def append(self, lines: Iterable[LogLine]) -> None:
        """Add lines; they are shown within 50 ms."""
        self._new.extend(lines)
        if not self._batch.isActive():
            self._batch.start()

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()
        self._new.clear()
        self.text.clear()
        self._say_count()

    def show_account(self, username: str) -> None:
        """Show lines of one account; empty shows all."""
        if username != self._username:
            self._username = username
            self._rebuild()

    def flush(self) -> None:
        """Show what is waiting now."""
        fresh, self._new = self._new, []
        self._lines.extend(fresh)
        self._show([line for line in fresh if self._passes(line)])
        self._say_count()

    def find_next(self) -> bool:
        """Select the next place of the searched words; from the top after the end."""
        words = self.find_line.text()
        if not words:
            return False
        if self.text.find(words):
            return True
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        return self.text.find(words)

    def copy(self) -> None:
        """Copy the selected lines, or all that are shown."""
        chosen = self.text.textCursor().selectedText().replace("\u2029", "\n")
        QGuiApplication.clipboard().setText(chosen or self.text.toPlainText())

    def _build(self) -> None:
        self.level = QComboBox()
        self.level.setAccessibleName("Least level of lines shown")
        for name in ("Debug", "Info", "Warnings", "Errors"):
            self.level.addItem(name)
        self.level.setCurrentIndex(1)
        self.level.currentIndexChanged.connect(self._set_level)
        self.filter = SearchBox(self._theme, "the log")
        self.filter.setMinimumWidth(110)
        self.filter.setMaximumWidth(220)
        self.filter.setPlaceholderText("Filter")
        self.filter.asked.connect(self._set_needle)
        self.find_line = QLineEdit()
        self.find_line.setPlaceholderText("Find")
        self.find_line.setAccessibleName("Find in the log")
        self.find_line.setFixedWidth(96)
        self.find_line.returnPressed.connect(self.find_next)
        after = icon_button(self._theme, "arrow-down", "Find next", on_click=self.find_next)
        self.follow = QCheckBox("Follow")
        self.follow.setAccessibleName("Follow the end of the log")
        self.follow.setChecked(True)
        self.follow.toggled.connect(self._follow)
        copy = icon_button(self._theme, "copy", "Copy the log", on_click=self.copy)
        bar = row(
            self.filter,
            self.level,
            self.find_line,
            after,
            1,
            self.follow,
            copy,
            spacing=8,
        )
        bar.setContentsMargins(12, 6, 12, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.text, 1)

    def _passes(self, line: LogLine) -> bool:
        if level_rank(line.level) < self._least:
            return False
        if self._username and line.username != self._username:
            return False
        return not self._needle or self._needle in line_text(line).lower()

    def _show(self, lines: list[LogLine]) -> None:
        if not lines:
            return
        bar = self.text.verticalScrollBar()
        at = bar.value()
        self.text.appendPlainText("\n".join(line_text(line) for line in lines))
        bar.setValue(bar.maximum() if self.follow.isChecked() else at)

    def _rebuild(self) -> None:
        self.text.clear()
        self._show([line for line in self._lines if self._passes(line)])
        self._say_count()

    def _set_level(self, place: int) -> None:
        self._least = place
        self._rebuild()

    def _set_needle(self, text: str) -> None:
        self._needle = text.lower().strip()
        self._rebuild()

    def _follow(self, on: bool) -> None:
        if on:
            bar = self.text.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _say_count(self) -> None:
        self.counted.emit(len(self._lines))


def _log_edit() -> QPlainTextEdit:
    edit = QPlainTextEdit()
    edit.setProperty("role", "log")
    edit.setAccessibleName("Log")
    edit.setReadOnly(True)
    edit.setUndoRedoEnabled(False)
    edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    edit.setMaximumBlockCount(MOST_LINES)
    edit.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return edit
