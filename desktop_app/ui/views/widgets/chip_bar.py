"""A line of filter chips with counts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.chips import CHIP_GAP, CHIP_HEIGHT, Chip, Chips

_MORE_WIDTH = 84


class ChipBar(Chips):
    """A line of chips; those that do not fit are in a menu at its end."""

    def __init__(self, theme: Theme, what: str, *, shrinks: bool = True) -> None:
        super().__init__(theme, what)
        self._shrinks = shrinks
        self._chips: dict[str, Chip] = {}
        self._more = QToolButton(self)
        self._more.setProperty("chip", "filter")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._menu = QMenu(self._more)
        self._more.setMenu(self._menu)
        self._more.hide()
        self.setFixedHeight(CHIP_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_chips(self, chips: Sequence[Chip], on: frozenset[str]) -> None:
        """Show these chips, with those in `on` switched on."""
        if list(chips) == list(self._chips.values()) and on == self._on:
            return
        self._chips = {chip.key: chip for chip in chips}
        self._show_chips(chips, on)

    def sizeHint(self) -> QSize:
        """Return the width of all chips."""
        widths = [made.sizeHint().width() for made in self._buttons.values()]
        return QSize(sum(widths) + CHIP_GAP * max(len(widths) - 1, 0), CHIP_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the width below which the bar does not go."""
        return QSize(_MORE_WIDTH if self._shrinks else self.sizeHint().width(), CHIP_HEIGHT)

    def _place(self) -> None:
        """Lay out from the left; what is on comes before what is not where room is short."""
        all_fit = self.sizeHint().width() <= self.width()
        room = self.width() - (0 if all_fit else _MORE_WIDTH + CHIP_GAP)
        left, hidden = 0, []
        for key, made in self._buttons.items():
            wide = made.sizeHint().width()
            if left + wide > room and not all_fit:
                hidden.append(key)
                made.hide()
                continue
            made.setGeometry(left, 0, wide, CHIP_HEIGHT)
            made.show()
            left += wide + CHIP_GAP
        self._more.setVisible(bool(hidden))
        self._more.setGeometry(left, 0, _MORE_WIDTH, CHIP_HEIGHT)
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
