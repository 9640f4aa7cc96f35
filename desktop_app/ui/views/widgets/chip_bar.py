"""Filter chips with counts: any number may be on; none on means all."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ICON_GAP

_GAP = 6
_HEIGHT = 26
_MORE_WIDTH = 84


@dataclass(frozen=True, slots=True)
class Chip:
    """One chip of a bar."""

    key: str
    label: str
    count: int
    icon: str = ""
    colour: str = "text_muted"


def chip_text(chip: Chip) -> str:
    """Return a chip's words: its label and its count."""
    gap = ICON_GAP if chip.icon else ""
    return f"{gap}{chip.label}  {chip.count:,}"


class ChipBar(QWidget):
    """A line of chips; those that do not fit are in a menu at its end."""

    chosen = Signal(frozenset)
    """The keys that are on."""

    def __init__(self, theme: Theme, what: str, *, shrinks: bool = True) -> None:
        super().__init__()
        self._theme = theme
        self._what = what
        self._shrinks = shrinks
        self._on: frozenset[str] = frozenset()
        self._chips: dict[str, Chip] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._more = QToolButton(self)
        self._more.setProperty("chip", "filter")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._menu = QMenu(self._more)
        self._more.setMenu(self._menu)
        self._more.hide()
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_chips(self, chips: list[Chip], on: frozenset[str]) -> None:
        """Show these chips, with those in `on` switched on."""
        known = list(self._chips.values())
        if chips == known and on == self._on:
            return
        self._on = on
        self._chips = {chip.key: chip for chip in chips}
        if [chip.key for chip in known] != list(self._chips):
            for old in self._buttons.values():
                old.hide()
                old.deleteLater()
            self._buttons = {chip.key: self._make(chip) for chip in chips}
        for chip in chips:
            made = self._buttons[chip.key]
            made.setText(chip_text(chip))
            made.setChecked(chip.key in on)
            made.setAccessibleName(f"{self._what}: {chip.label}, {chip.count:,}")
        self._place()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the width of all chips."""
        widths = [made.sizeHint().width() for made in self._buttons.values()]
        return QSize(sum(widths) + _GAP * max(len(widths) - 1, 0), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the width below which the bar does not go."""
        return QSize(_MORE_WIDTH if self._shrinks else self.sizeHint().width(), _HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many as fit."""
        super().resizeEvent(event)
        self._place()

    def _make(self, chip: Chip) -> QToolButton:
        made = QToolButton(self)
        made.setProperty("chip", "filter")
        made.setCheckable(True)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        if chip.icon:
            made.setIcon(self._theme.icon(chip.icon, chip.colour, chip.colour))
            made.setIconSize(QSize(12, 12))
        made.clicked.connect(lambda on: self._switch(chip.key, on))
        return made

    def _place(self) -> None:
        """Lay out from the left; what is on comes before what is not where room is short."""
        all_fit = self.sizeHint().width() <= self.width()
        room = self.width() - (0 if all_fit else _MORE_WIDTH + _GAP)
        left, hidden = 0, []
        for key, made in self._buttons.items():
            wide = made.sizeHint().width()
            if left + wide > room and not all_fit:
                hidden.append(key)
                made.hide()
                continue
            made.setGeometry(left, 0, wide, _HEIGHT)
            made.show()
            left += wide + _GAP
        self._more.setVisible(bool(hidden))
        self._more.setGeometry(left, 0, _MORE_WIDTH, _HEIGHT)
        self._fill_menu(hidden)

    def _fill_menu(self, keys: list[str]) -> None:
        self._menu.clear()
        for key in keys:
            chip = self._chips[key]
            action = self._menu.addAction(f"{chip.label}  {chip.count:,}")
            action.setCheckable(True)
            action.setChecked(key in self._on)
            action.triggered.connect(lambda on, key=key: self._switch(key, on))
        chosen = sum(key in self._on for key in keys)
        self._more.setText(f"{chosen} of {len(keys)}" if chosen else f"{len(keys):,} more")
        self._more.setAccessibleName(f"{self._what}: {len(keys):,} more")

    def _switch(self, key: str, on: bool) -> None:
        self.chosen.emit(self._on | {key} if on else self._on - {key})
