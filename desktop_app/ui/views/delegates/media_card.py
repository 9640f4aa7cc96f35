"""Paints one file of the library as a card: its picture, its title, what is known of it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from common.domain.content import MediaKind
from desktop_app.contract.media import MediaRow
from desktop_app.ui.models.formats import duration
from desktop_app.ui.models.table import ROW_ROLE
from desktop_app.ui.presenters.thumbnails import Thumbnails
from desktop_app.ui.theme.theme import Theme

CARD = QSize(188, 250)
_GAP = 8
_PICTURE_HEIGHT = 180
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def draw_cover(painter: QPainter, box: QRect, image: QImage, radius: float) -> None:
    """Draw an image so that it fills `box`, cut at its edges, with rounded corners."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(box), radius, radius)
    scale = max(box.width() / image.width(), box.height() / image.height())
    width, height = box.width() / scale, box.height() / scale
    source = QRectF((image.width() - width) / 2, (image.height() - height) / 2, width, height)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setClipPath(path)
    painter.drawImage(QRectF(box), image, source)
    painter.restore()


class MediaCardDelegate(QStyledItemDelegate):
    """The delegate of the media grid."""

    def __init__(self, theme: Theme, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._thumbnails = thumbnails
        self._title = theme.font(weight=QFont.Weight.Medium)
        self._caption = theme.font("type_caption")

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of a card: that of the grid, which follows the room."""
        return option.widget.gridSize() if isinstance(option.widget, QListView) else CARD

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one card."""
        media: MediaRow = index.data(ROW_ROLE)
        box = option.rect.adjusted(_GAP // 2, _GAP // 2, -_GAP // 2, -_GAP // 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, box, option.state)
        picture = QRect(box.left() + 6, box.top() + 6, box.width() - 12, _PICTURE_HEIGHT)
        self._picture(painter, picture, media)
        self._words(painter, box, picture, media)
        painter.restore()

    def _ground(self, painter: QPainter, box: QRect, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        ground = "selection" if selected else "hover" if hovered else "surface"
        painter.setBrush(self._theme.colour(ground))
        painter.setPen(self._theme.colour("accent" if selected else "border"))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _picture(self, painter: QPainter, box: QRect, media: MediaRow) -> None:
        image = self._thumbnails.get(media.sha256)
        if image is not None and not image.isNull():
            draw_cover(painter, box, image, 5)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("surface_sunken"))
            painter.drawRoundedRect(QRectF(box), 5, 5)
            name = "film" if media.kind is MediaKind.VIDEO else "image"
            icon = self._theme.pixmap(name, "text_faint", 24, painter.device().devicePixelRatioF())
            painter.drawPixmap(box.center().x() - 12, box.center().y() - 12, icon)
        if media.kind is MediaKind.VIDEO:
            self._badge(painter, box, duration(media.duration))

    def _badge(self, painter: QPainter, picture: QRect, text: str) -> None:
        width = QFontMetrics(self._caption).horizontalAdvance(text) + 26
        box = QRect(picture.right() - width - 5, picture.bottom() - 25, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 170))
        painter.drawRoundedRect(QRectF(box), 4, 4)
        white = QColor("#ffffff")
        painter.setBrush(white)
        left, middle = box.left() + 8, box.center().y() + 1
        triangle = QPainterPath()
        triangle.moveTo(left, middle - 4)
        triangle.lineTo(left + 7, middle)
        triangle.lineTo(left, middle + 4)
        painter.drawPath(triangle)
        painter.setPen(white)
        painter.setFont(self._caption)
        painter.drawText(box.adjusted(19, 0, 0, 0), _LEFT, text)

    def _words(self, painter: QPainter, box: QRect, picture: QRect, media: MediaRow) -> None:
        room = QRect(box.left() + 10, picture.bottom() + 8, box.width() - 20, 20)
        painter.setFont(self._title)
        painter.setPen(self._theme.colour("text"))
        title = media.title or media.name
        metrics = QFontMetrics(self._title)
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(room, _LEFT, metrics.elidedText(title, elide, room.width()))
        below = room.translated(0, 19)
        painter.setFont(self._caption)
        painter.setPen(self._theme.colour("text_muted"))
        used = f"used {media.used:,}×" if media.used else "not used yet"
        facts = f"{media.width} × {media.height} · {used}"
        caption = QFontMetrics(self._caption)
        painter.drawText(below, _LEFT, caption.elidedText(facts, elide, below.width()))
