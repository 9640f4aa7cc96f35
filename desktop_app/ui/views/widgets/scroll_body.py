"""What stands inside a scroll area and wraps its words: as high as it is at its present width."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QWidget


class ScrollBody(QWidget):
    """The contents of a scroll area.

    Qt asks for the least height of wrapped words at their least width, and would leave that much
    room empty below them; the height at the present width is what counts here.
    """

    def __init__(self, layout: QLayout) -> None:
        super().__init__()
        self.setLayout(layout)

    def minimumSizeHint(self) -> QSize:
        """Return the least width alone."""
        return QSize(super().minimumSizeHint().width(), 0)

    def sizeHint(self) -> QSize:
        """Return the usual width, and the height that it takes."""
        width = super().sizeHint().width()
        return QSize(width, max(self.heightForWidth(max(self.width(), width)), 0))


def fill_scroll(area: QScrollArea, body: ScrollBody) -> None:
    """Put a body into a scroll area that scrolls down only."""
    area.setWidget(body)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
