"""The bar that floats over a table while several rows are selected: the count, and the acts.

Where the table is too narrow for the words, the acts are icons with the words as tool tips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QPushButton, QWidget

from desktop_app.ui.models.formats import count_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    add_menu,
    button,
    icon_button,
    label,
    row,
    set_role,
)

_LEAST_ROWS = 2
_FROM_BELOW = 20
_EDGE = 12


class BulkBar(QFrame):
    """Acts on several rows at once."""

    cleared = Signal()

    def __init__(self, theme: Theme, host: QWidget, noun: str) -> None:
        super().__init__(host)
        self._host = host
        self._noun = noun
        self._theme = theme
        self._buttons: list[tuple[QPushButton, str]] = []
        self._is_narrow = False
        self.setObjectName("bulkBar")
        self._count = label("", "")
        self._acts = row(spacing=4)
        clear = icon_button(theme, "x", "Clear the selection", on_click=self.cleared.emit)
        layout = row(self._count, self._acts, clear, spacing=12)
        layout.setContentsMargins(16, 8, 8, 8)
        self.setLayout(layout)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(24)
        shadow.setOffset(0, 6)
        self.setGraphicsEffect(shadow)
        host.installEventFilter(self)
        self.hide()

    def add_act(self, made: QPushButton) -> None:
        """Add a button; those that come first stand first."""
        self._buttons.append((made, made.text()))
        self._acts.addWidget(made)

    def add(self, text: str, icon: str, on_click: Callable[[], object]) -> QPushButton:
        """Add an act by its words."""
        made = button(self._theme, text, "ghost", icon=icon, on_click=on_click)
        self.add_act(made)
        return made

    def add_menu(
        self, text: str, icon: str, acts: Sequence[tuple[str, str, Callable[[], object]]]
    ) -> QPushButton:
        """Add several acts behind one button, each with its words and its icon."""
        made = button(self._theme, text, "ghost", icon=icon)
        add_menu(self._theme, made, acts)
        self.add_act(made)
        return made

    def show_count(self, count: int) -> None:
        """Show the bar for so many rows, or hide it."""
        self._count.setText(f"{count_of(count, self._noun)} selected")
        self.setVisible(count >= _LEAST_ROWS)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the bottom of the table."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        if self.isHidden():
            return
        room = self._host.size()
        self._show_words(True)
        if self.sizeHint().width() > room.width() - 2 * _EDGE:
            self._show_words(False)
        self.adjustSize()
        self.move((room.width() - self.width()) // 2, room.height() - self.height() - _FROM_BELOW)
        self.raise_()

    def _show_words(self, shown: bool) -> None:
        if shown is not self._is_narrow:
            return
        self._is_narrow = not shown
        for made, words in self._buttons:
            made.setText(words if shown else "")
            made.setToolTip("" if shown else made.accessibleName())
            set_role(made, "narrow", "false" if shown else "true")
        self._acts.invalidate()
        if (layout := self.layout()) is not None:
            layout.activate()
