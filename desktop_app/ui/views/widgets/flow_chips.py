"""Filter chips that flow over as many lines as they need."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.chip_bar import Chip, chip_text

_GAP = 6
_LINE = 26
_MOST = 60


class FlowChips(QWidget):
    """Chips of which any number may be on."""

    chosen = Signal(frozenset)

    def __init__(self, theme: Theme, what: str) -> None:
        super().__init__()
        self._theme = theme
        self._what = what
        self._on: frozenset[str] = frozenset()
        self._buttons: dict[str, QToolButton] = {}
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_chips(self, chips: list[Chip], on: frozenset[str]) -> None:
        """Show these chips, with those in `on` switched on."""
        self._on = on
        shown = chips[:_MOST] + [chip for chip in chips[_MOST:] if chip.key in on]
        if [chip.key for chip in shown] != list(self._buttons):
            for old in self._buttons.values():
                old.hide()
                old.deleteLater()
            self._buttons = {chip.key: self._make(chip) for chip in shown}
        for chip in shown:
            made = self._buttons[chip.key]
            made.setText(chip_text(chip))
            made.setChecked(chip.key in on)
            made.setAccessibleName(f"{self._what}: {chip.label}, {chip.count:,}")
        self._place()
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """Say that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines."""
        return self._flow(width, move=False)

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(300, self._flow(max(self.width(), 300), move=False))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        super().resizeEvent(event)
        self._place()

    def _make(self, chip: Chip) -> QToolButton:
        made = QToolButton(self)
        made.setProperty("chip", "filter")
        made.setCheckable(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        if chip.icon:
            made.setIcon(self._theme.icon(chip.icon, chip.colour, "accent"))
            made.setIconSize(QSize(12, 12))
        made.clicked.connect(lambda on: self._switch(chip.key, on))
        made.show()
        return made

    def _switch(self, key: str, on: bool) -> None:
        self.chosen.emit(self._on | {key} if on else self._on - {key})

    def _place(self) -> None:
        self._flow(self.width(), move=True)

    def _flow(self, width: int, *, move: bool) -> int:
        left = top = 0
        for made in self._buttons.values():
            wide = made.sizeHint().width()
            if left and left + wide > width:
                left, top = 0, top + _LINE + _GAP
            if move:
                made.setGeometry(left, top, wide, _LINE)
            left += wide + _GAP
        return top + _LINE
