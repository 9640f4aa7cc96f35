"""The search field of a page: asks 120 ms after the last key, at once when cleared."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from desktop_app.ui.theme.theme import Theme

DEBOUNCE_MILLISECONDS = 120


class SearchBox(QLineEdit):
    """A line to search in."""

    asked = Signal(str)

    def __init__(self, theme: Theme, what: str, width: int = 260) -> None:
        super().__init__()
        self.setPlaceholderText(f"Search {what}")
        self.setAccessibleName(f"Search {what}")
        self.setClearButtonEnabled(True)
        self.setFixedWidth(width)
        self.addAction(theme.icon("search", "text_faint"), QLineEdit.ActionPosition.LeadingPosition)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(DEBOUNCE_MILLISECONDS)
        self._soon.timeout.connect(lambda: self.asked.emit(self.text()))
        self.textChanged.connect(self._later)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear on Escape."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)

    def _later(self, text: str) -> None:
        if text:
            self._soon.start()
        else:
            self._soon.stop()
            self.asked.emit("")
