"""The rail on the left: the places of the window with their counts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout

import resources
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import icon_button, label, row

WIDTH = 196
_LOGO = 24


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail."""

    key: str
    title: str
    icon: str
    is_urgent: bool = False
    """Its count stands out: what it counts waits for the operator."""


class _Entry(QToolButton):
    """One place with its count at the right."""

    def __init__(self, theme: Theme, place: Place, number: int) -> None:
        super().__init__()
        self._title = place.title
        self.setObjectName("rail")
        self.setText("  " + place.title)
        self.setCheckable(True)
        self.setIcon(theme.icon(place.icon, "text_muted", "accent"))
        self.setIconSize(QSize(16, 16))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(self.sizePolicy().Policy.Expanding, self.sizePolicy().Policy.Fixed)
        self.setToolTip(f"{place.title}  Ctrl+{number}")
        self._count = label("", "" if place.is_urgent else "faint")
        if place.is_urgent:
            self._count.setProperty("chip", "attention")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 10, 0)
        layout.addStretch(1)
        layout.addWidget(self._count)
        self._count.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.show_count(0)

    def show_count(self, count: int) -> None:
        """Show how many rows are there; nothing for none."""
        self._count.setText(f"{count:,}" if count else "")
        self._count.setVisible(count > 0)
        self.setAccessibleName(f"{self._title}, {count:,}" if count else self._title)


class Rail(QFrame):
    """The places, the product's name above them, and the theme's switch below."""

    chosen = Signal(str)
    palette_wanted = Signal()

    def __init__(self, theme: Theme, places: tuple[Place, ...]) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("railFrame")
        self.setFixedWidth(WIDTH)
        self._group = QButtonGroup(self)
        self._entries: dict[str, _Entry] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 8)
        layout.setSpacing(2)
        layout.addLayout(self._brand())
        for number, place in enumerate(places, start=1):
            entry = _Entry(theme, place, number)
            entry.clicked.connect(lambda _=False, key=place.key: self.chosen.emit(key))
            self._group.addButton(entry)
            self._entries[place.key] = entry
            layout.addWidget(entry)
        layout.addStretch(1)
        layout.addLayout(self._foot())
        theme.changed.connect(self._dress_switch)

    def select(self, key: str) -> None:
        """Mark the place that is shown."""
        self._entries[key].setChecked(True)

    def show_count(self, key: str, count: int) -> None:
        """Show a count beside a place."""
        self._entries[key].show_count(count)

    def show_store(self, name: str) -> None:
        """Show the name of the store."""
        self._store.setText(name)
        self._store.setVisible(bool(name))

    def _brand(self) -> QHBoxLayout:
        logo = QLabel()
        picture = QPixmap(str(resources.path("icons", "flotilla-48.png")))
        picture.setDevicePixelRatio(2)
        logo.setPixmap(picture)
        logo.setFixedSize(_LOGO, _LOGO)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label("Flotilla", "section"))
        self._store = label("", "caption")
        self._store.hide()
        words.addWidget(self._store)
        line = row(logo, words, 1, spacing=10)
        line.setContentsMargins(8, 16, 8, 16)
        return line

    def _foot(self) -> QHBoxLayout:
        palette = QToolButton()
        palette.setObjectName("rail")
        palette.setText("  Commands")
        palette.setIcon(self._theme.icon("command"))
        palette.setIconSize(QSize(14, 14))
        palette.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        palette.setSizePolicy(
            palette.sizePolicy().Policy.Expanding, palette.sizePolicy().Policy.Fixed
        )
        palette.setToolTip("All commands  Ctrl+K")
        palette.setAccessibleName("All commands")
        palette.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        palette.clicked.connect(lambda: self.palette_wanted.emit())
        self.switch = icon_button(self._theme, "sun", "Switch theme", on_click=self._theme.toggle)
        self._dress_switch()
        return row(palette, self.switch, spacing=2)

    def _dress_switch(self) -> None:
        dark = self._theme.scheme.value == "dark"
        self.switch.setIcon(self._theme.icon("sun" if dark else "moon"))
        name = "Switch to the light theme" if dark else "Switch to the dark theme"
        self.switch.setToolTip(name)
        self.switch.setAccessibleName(name)
