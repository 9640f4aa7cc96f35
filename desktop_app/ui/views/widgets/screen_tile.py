"""One live screen: the newest frame, whose it is, what it does, and how old the picture is."""

from __future__ import annotations

import time

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.ui.models.formats import relative_time
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.frame_decoder import FrameDecoder

_HEAD = 30
_STALE_SECONDS = 10.0
_TICK_MILLISECONDS = 1000
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ScreenTile(QWidget):
    """The screen of one browser account."""

    clicked = Signal(str)

    def __init__(self, theme: Theme, decoder: FrameDecoder) -> None:
        super().__init__()
        self._theme = theme
        self._decoder = decoder
        self._account_id = ""
        self._name = ""
        self._what = ""
        self._image = QImage()
        self._framed_at: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 170)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        decoder.decoded.connect(self._decoded)
        theme.changed.connect(self.update)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MILLISECONDS)
        self._tick.timeout.connect(self.update)
        self._tick.start()

    @property
    def account_id(self) -> str:
        """Whose screen it is."""
        return self._account_id

    def show_account(self, account_id: str, name: str, what: str) -> None:
        """Show the screen of an account that is doing `what`."""
        if account_id != self._account_id:
            self._image = QImage()
            self._framed_at = None
        self._account_id, self._name, self._what = account_id, name, what
        self.setAccessibleName(f"Screen of {name}: {what}")
        self.update()

    def take_frame(self, account_id: str, jpeg: bytes) -> None:
        """Take a frame, where it is this account's and the tile can be seen."""
        if account_id == self._account_id and self.isVisible():
            ratio = self.devicePixelRatioF()
            self._decoder.decode(account_id, jpeg, self._picture_box().size() * ratio)

    def has_frame(self) -> bool:
        """Say whether a picture is shown."""
        return not self._image.isNull()

    def sizeHint(self) -> QSize:
        """Return a size that suits a page of 16:10."""
        return QSize(360, 225 + _HEAD)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Say that the tile was clicked."""
        self.clicked.emit(self._account_id)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint head and picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(self._theme.colour("surface"))
        painter.setPen(self._theme.colour("focus" if self.hasFocus() else "border"))
        painter.drawRoundedRect(frame, 8, 8)
        self._paint_head(painter)
        self._paint_picture(painter)
        painter.end()

    def _picture_box(self) -> QRect:
        return self.rect().adjusted(6, _HEAD, -6, -6)

    def _paint_head(self, painter: QPainter) -> None:
        box = QRect(12, 0, self.width() - 24, _HEAD)
        age = relative_time(self._framed_at, time.time()) if self._framed_at else "no picture yet"
        stale = self._framed_at is None or time.time() - self._framed_at > _STALE_SECONDS
        caption = self._theme.font("type_caption")
        painter.setFont(caption)
        painter.setPen(self._theme.colour("warning" if stale and self._framed_at else "text_faint"))
        painter.drawText(box, _RIGHT, age)
        room = box.adjusted(0, 0, -QFontMetrics(caption).horizontalAdvance(age) - 10, 0)
        strong = self._theme.font(weight=QFont.Weight.Medium)
        metrics = QFontMetrics(strong)
        name = metrics.elidedText(self._name, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(strong)
        painter.setPen(self._theme.colour("text"))
        painter.drawText(room, _LEFT, name)
        rest = room.adjusted(metrics.horizontalAdvance(name) + 8, 0, 0, 0)
        painter.setFont(caption)
        painter.setPen(self._theme.colour("text_muted"))
        what = QFontMetrics(caption).elidedText(
            self._what, Qt.TextElideMode.ElideRight, rest.width()
        )
        painter.drawText(rest, _LEFT, what)

    def _paint_picture(self, painter: QPainter) -> None:
        box = self._picture_box()
        path = QPainterPath()
        path.addRoundedRect(QRectF(box), 5, 5)
        painter.setClipPath(path)
        painter.fillRect(box, self._theme.colour("surface_sunken"))
        if self._image.isNull():
            icon = self._theme.pixmap("monitor", "text_faint", 24, self.devicePixelRatioF())
            painter.drawPixmap(box.center().x() - 12, box.center().y() - 12, icon)
            return
        size = self._image.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(box.topLeft(), size)
        place.moveCenter(box.center())
        painter.drawImage(place, self._image)
        painter.setClipping(False)
        painter.setPen(QColor(0, 0, 0, 30))

    def _decoded(self, account_id: str, image: QImage) -> None:
        if account_id == self._account_id and not image.isNull():
            self._image = image
            self._framed_at = time.time()
            self.update()
