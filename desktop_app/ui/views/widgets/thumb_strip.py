"""Small pictures of a post's files, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop_app.ui.presenters.thumbnails import Thumbnails
from desktop_app.ui.theme.theme import Theme

_SIDE = 72
_GAP = 6
_MOST = 4
_ICON = 20
_RADIUS = 6.0


class ThumbStrip(QWidget):
    """The first files of a post; how many more there are is said on the last."""

    def __init__(self, theme: Theme, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._theme = theme
        self._thumbnails = thumbnails
        self._files: tuple[str, ...] = ()
        self.setAccessibleName("Pictures of the post")
        self.setFixedHeight(_SIDE)
        thumbnails.arrived.connect(self._arrived)
        theme.changed.connect(self.update)

    def show_files(self, sha256s: Sequence[str]) -> None:
        """Show these files."""
        self._files = tuple(sha256s)
        self.setVisible(bool(self._files))
        self.setFixedWidth(self.sizeHint().width())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room of the pictures."""
        shown = min(len(self._files), _MOST)
        return QSize(max(shown * (_SIDE + _GAP) - _GAP, 1), _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pictures that are here, and a place for those that are not."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, sha256 in enumerate(self._files[:_MOST]):
            box = QRectF(number * (_SIDE + _GAP), 0, _SIDE, _SIDE)
            self._picture(painter, box, sha256)
            more = len(self._files) - _MOST
            if more > 0 and number == _MOST - 1:
                self._count(painter, box, f"+{more}")
        painter.end()

    def _picture(self, painter: QPainter, box: QRectF, sha256: str) -> None:
        shape = QPainterPath()
        shape.addRoundedRect(box, _RADIUS, _RADIUS)
        painter.fillPath(shape, self._theme.colour("neutral_soft"))
        image = self._thumbnails.get(sha256)
        if image is None or image.isNull():
            ratio = self.devicePixelRatioF()
            icon = self._theme.pixmap("image", "text_faint", _ICON, ratio)
            place = box.center()
            painter.drawPixmap(int(place.x() - _ICON / 2), int(place.y() - _ICON / 2), icon)
            return
        side = min(image.width(), image.height())
        part = QRectF((image.width() - side) / 2, (image.height() - side) / 2, side, side)
        painter.save()
        painter.setClipPath(shape)
        painter.drawImage(box, image, part)
        painter.restore()

    def _count(self, painter: QPainter, box: QRectF, text: str) -> None:
        shape = QPainterPath()
        shape.addRoundedRect(box, _RADIUS, _RADIUS)
        veil = self._theme.colour("surface_raised")
        painter.setOpacity(0.8)
        painter.fillPath(shape, veil)
        painter.setOpacity(1.0)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _arrived(self, sha256: str) -> None:
        if sha256 in self._files:
            self.update()
