"""The bar of a run as a widget, painted as in the tables."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop_app.ui.models.cells import Progress
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.cells import CellPainter

_HEIGHT = 8


class ProgressStrip(QWidget):
    """A run's items by state, as one bar."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._cells = CellPainter(theme)
        self._progress = Progress(())
        self.setFixedHeight(_HEIGHT)
        theme.changed.connect(self.update)

    def show_progress(self, progress: Progress) -> None:
        """Show another progress."""
        self._progress = progress
        self.setAccessibleName(f"Progress {progress.text}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar."""
        painter = QPainter(self)
        self._cells.bar(painter, QRectF(self.rect()), self._progress)
        painter.end()
