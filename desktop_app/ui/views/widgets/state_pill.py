"""A state's pill as a widget, painted as in the tables."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.ui.models.cells import Pill
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.cells import CellPainter


class StatePill(QWidget):
    """Icon and label of a state."""

    def __init__(self, theme: Theme, pill: Pill | None = None) -> None:
        super().__init__()
        self._cells = CellPainter(theme)
        self._pill: Pill | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        if pill is not None:
            self.set_pill(pill)

    def set_pill(self, pill: Pill) -> None:
        """Show another state."""
        self._pill = pill
        self.setToolTip(pill.help)
        self.setAccessibleName(pill.text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the pill's size."""
        return self._cells.pill_size(self._pill) if self._pill else QSize(0, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pill."""
        if self._pill is not None:
            painter = QPainter(self)
            self._cells.pill(painter, self.rect(), self._pill)
            painter.end()
