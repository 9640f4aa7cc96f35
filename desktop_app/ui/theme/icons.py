"""Icons: the vendored SVGs, drawn in a token's colour at the size and pixel ratio asked for.

An icon made here follows the theme: it asks for its colour each time that it is painted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

Colour = Callable[[str], QColor]
"""From a token to its colour in the theme of this moment."""


def icon_source(name: str) -> str:
    """Return the SVG text of an icon; raises FileNotFoundError for one that is not shipped."""
    file = resources.path("icons", "lucide", f"{name}.svg")
    return file.read_text("utf-8")


def app_icon() -> QIcon:
    """Return the product's own icon."""
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addFile(str(resources.path("icons", f"flotilla-{size}.png")))
    return icon


class IconPainter:
    """Draws icons, and keeps what it drew."""

    def __init__(self, colour: Colour) -> None:
        self._colour = colour
        self._sources: dict[str, str] = {}
        self._pixmaps: dict[tuple[str, str, int, int, float], QPixmap] = {}

    def pixmap(self, name: str, colour: str, size: QSize, ratio: float = 1.0) -> QPixmap:
        """Return an icon in a token's colour; `size` in device-independent pixels."""
        shade = self._colour(colour).name()
        key = (name, shade, size.width(), size.height(), ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = self._draw(name, shade, size, ratio)
        return self._pixmaps[key]

    def write(self, name: str, colour: str, folder: Path) -> Path:
        """Write an icon in a token's colour as an SVG file, for the style sheet."""
        shade = self._colour(colour).name()
        file = folder / f"{name}-{shade.lstrip('#')}.svg"
        if not file.exists():
            file.write_text(self._source(name).replace("currentColor", shade), "utf-8")
        return file

    def _draw(self, name: str, shade: str, size: QSize, ratio: float) -> QPixmap:
        pixmap = QPixmap(size * ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        text = self._source(name).replace("currentColor", shade)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(pixmap.rect()))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _source(self, name: str) -> str:
        if name not in self._sources:
            self._sources[name] = icon_source(name)
        return self._sources[name]


class TintedEngine(QIconEngine):
    """One icon in the colours of the theme of the moment."""

    def __init__(self, painter: IconPainter, name: str, colour: str, active: str) -> None:
        super().__init__()
        self._painter = painter
        self._name = name
        self._colour = colour
        self._active = active
        self._clones: list[TintedEngine] = []

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw into `rect`, square and centred."""
        side = min(rect.width(), rect.height())
        ratio = painter.device().devicePixelRatioF()
        pixmap = self._painter.pixmap(
            self._name, self._token(mode, state), QSize(side, side), ratio
        )
        offset = QPoint((rect.width() - side) // 2, (rect.height() - side) // 2)
        painter.drawPixmap(rect.topLeft() + offset, pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon alone."""
        return self._painter.pixmap(self._name, self._token(mode, state), size)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """Return the icon for a screen with this pixel ratio; `size` in its pixels."""
        return self._painter.pixmap(self._name, self._token(mode, state), size / scale, scale)

    def key(self) -> str:
        """Name the kind of engine, for Qt."""
        return "flotilla-tinted"

    def clone(self) -> QIconEngine:
        """Return another one like this; kept here, since Qt does not keep the Python half."""
        twin = TintedEngine(self._painter, self._name, self._colour, self._active)
        self._clones.append(twin)
        return twin

    def _token(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        if mode is QIcon.Mode.Disabled:
            return "text_faint"
        if state is QIcon.State.On or mode is QIcon.Mode.Selected:
            return self._active
        return self._colour
