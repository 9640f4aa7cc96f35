"""What every group of filter chips has in common; how they are laid out is the group's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ICON_GAP

CHIP_GAP = 6
CHIP_HEIGHT = 26
_ICON = QSize(12, 12)


@dataclass(frozen=True, slots=True)
class Chip:
    """One chip of a group."""

    key: str
    label: str
    count: int
    icon: str = ""
    colour: str = "text_muted"


class Chips(QWidget):
    """Chips of which any number may be on; none on means all."""

    chosen = Signal(frozenset)
    """The keys that are on."""

    def __init__(self, theme: Theme, what: str, on_colour: str = "") -> None:
        """`what` names the group to a screen reader; `on_colour` tints icons of chosen chips."""
        super().__init__()
        self._theme = theme
        self._what = what
        self._on_colour = on_colour
        self._on: frozenset[str] = frozenset()
        self._buttons: dict[str, QToolButton] = {}

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the chips out anew."""
        super().resizeEvent(event)
        self._place()

    def _show_chips(self, chips: Sequence[Chip], on: frozenset[str]) -> None:
        self._on = on
        if [chip.key for chip in chips] != list(self._buttons):
            for old in self._buttons.values():
                old.hide()
                old.deleteLater()
            self._buttons = {chip.key: self._make(chip) for chip in chips}
        for chip in chips:
            made = self._buttons[chip.key]
            gap = ICON_GAP if chip.icon else ""
            made.setText(f"{gap}{chip.label}  {chip.count:,}")
            made.setChecked(chip.key in on)
            made.setAccessibleName(f"{self._what}: {chip.label}, {chip.count:,}")
        self._place()
        self.updateGeometry()

    def _make(self, chip: Chip) -> QToolButton:
        made = QToolButton(self)
        made.setProperty("chip", "filter")
        made.setCheckable(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        if chip.icon:
            on_colour = self._on_colour or chip.colour
            made.setIcon(self._theme.icon(chip.icon, chip.colour, on_colour))
            made.setIconSize(_ICON)
        made.clicked.connect(lambda on: self._switch(chip.key, on))
        made.show()
        return made

    def _switch(self, key: str, on: bool) -> None:
        self.chosen.emit(self._on | {key} if on else self._on - {key})

    def _place(self) -> None:
        """Give every chip its place in the group's present size."""
