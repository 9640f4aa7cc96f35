"""The theme object: what views and delegates ask for colours, sizes, fonts and icons."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from desktop_app.ui.theme.fonts import load_fonts, make_font
from desktop_app.ui.theme.icons import IconPainter, TintedEngine, app_icon
from desktop_app.ui.theme.palette import build_palette
from desktop_app.ui.theme.stylesheet import build_stylesheet
from desktop_app.ui.theme.tokens import Scheme, load_tokens


class ThemeMode(StrEnum):
    """What the operator chose."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class Theme(QObject):
    """The look of the moment. `changed` is emitted after a switch between dark and light."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: ThemeMode = ThemeMode.SYSTEM) -> None:
        super().__init__()
        self._app = app
        self._mode = mode
        self._folder = tempfile.TemporaryDirectory(prefix="flotilla-theme-")
        self._tokens = load_tokens(self._wanted_scheme())
        self._colours: dict[str, QColor] = {}
        self._icons = IconPainter(self.colour)
        load_fonts()
        app.setStyle("Fusion")
        app.setWindowIcon(app_icon())
        app.setFont(self.font())
        self._apply()
        app.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def scheme(self) -> Scheme:
        """The theme that is shown."""
        return self._tokens.scheme

    @property
    def mode(self) -> ThemeMode:
        """What the operator chose."""
        return self._mode

    def set_mode(self, mode: ThemeMode) -> None:
        """Follow the system, or stay dark or light."""
        self._mode = mode
        self._switch_to(self._wanted_scheme())

    def toggle(self) -> None:
        """Go to the other theme, and stay there."""
        dark = self.scheme is Scheme.DARK
        self.set_mode(ThemeMode.LIGHT if dark else ThemeMode.DARK)

    def colour(self, token: str) -> QColor:
        """Return a colour by token; raises KeyError for an unknown one."""
        if token not in self._colours:
            self._colours[token] = QColor(self._tokens.colours[token])
        return self._colours[token]

    def size(self, token: str) -> int:
        """Return a size in pixels by token."""
        return self._tokens.sizes[token]

    def font(self, size: str = "type_body", weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Return the interface's font in one of the four sizes."""
        return make_font(self._tokens.fonts["font_ui"], self._tokens.sizes[size], weight)

    def mono_font(self, size: str = "type_caption") -> QFont:
        """Return the fixed-width font."""
        return make_font(self._tokens.fonts["font_mono"], self._tokens.sizes[size])

    def icon(self, name: str, colour: str = "text_muted", active: str = "text") -> QIcon:
        """Return an icon that follows the theme; `active` is its colour when on or selected."""
        return QIcon(TintedEngine(self._icons, name, colour, active))

    def pixmap(self, name: str, colour: str, side: int, ratio: float = 1.0) -> QPixmap:
        """Return an icon as a picture in the theme of this moment."""
        return self._icons.pixmap(name, colour, QSize(side, side), ratio)

    def close(self) -> None:
        """Remove the files that the style sheet used."""
        self._app.styleHints().colorSchemeChanged.disconnect(self._follow_system)
        self._folder.cleanup()

    def _wanted_scheme(self) -> Scheme:
        if self._mode is not ThemeMode.SYSTEM:
            return Scheme(self._mode.value)
        light = self._app.styleHints().colorScheme() is Qt.ColorScheme.Light
        return Scheme.LIGHT if light else Scheme.DARK

    def _follow_system(self) -> None:
        self._switch_to(self._wanted_scheme())

    def _switch_to(self, scheme: Scheme) -> None:
        if scheme is self.scheme:
            return
        self._tokens = load_tokens(scheme)
        self._colours.clear()
        self._apply()
        self.changed.emit()

    def _apply(self) -> None:
        folder = Path(self._folder.name)
        self._app.setPalette(build_palette(self._tokens))
        self._app.setStyleSheet(
            build_stylesheet(
                self._tokens, lambda name, colour: self._icons.write(name, colour, folder)
            )
        )
