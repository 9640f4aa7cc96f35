"""Filter chips that flow over as many lines as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.chips import CHIP_GAP, CHIP_HEIGHT, Chip, Chips

_MOST = 60
"""Chips shown at most, besides those that are on."""


class FlowChips(Chips):
    """Chips on several lines; the height follows from the width."""

    def __init__(self, theme: Theme, what: str) -> None:
        super().__init__(theme, what, on_colour="accent")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_chips(self, chips: Sequence[Chip], on: frozenset[str]) -> None:
        """Show these chips, with those in `on` switched on."""
        first, rest = chips[:_MOST], chips[_MOST:]
        self._show_chips([*first, *(chip for chip in rest if chip.key in on)], on)

    def hasHeightForWidth(self) -> bool:
        """Say that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines."""
        return self._flow(width, move=False)

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(300, self._flow(max(self.width(), 300), move=False))

    def _place(self) -> None:
        self._flow(self.width(), move=True)

    def _flow(self, width: int, *, move: bool) -> int:
        left = top = 0
        for made in self._buttons.values():
            wide = made.sizeHint().width()
            if left and left + wide > width:
                left, top = 0, top + CHIP_HEIGHT + CHIP_GAP
            if move:
                made.setGeometry(left, top, wide, CHIP_HEIGHT)
            left += wide + CHIP_GAP
        return top + CHIP_HEIGHT
