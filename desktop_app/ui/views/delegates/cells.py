"""Paints the cells of every table, and the pills elsewhere. One role is read per cell."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_app.ui.models.cells import Cell, Chips, Link, Moment, Pill, Progress, Text
from desktop_app.ui.models.formats import relative_time
from desktop_app.ui.models.table import CELL_ROLE
from desktop_app.ui.theme.theme import Theme

PADDING = 12
_PILL_HEIGHT = 20
_PILL_ICON = 12
_PILL_PADDING = 8
_CHIP_HEIGHT = 18
_CHIP_PADDING = 7
_GAP = 6
_ICON = 14
_SLACK = 2
"""Pixels by which a text may be wider than its whole-number metrics say."""
_BAR_HEIGHT = 6
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Faces:
    """The fonts of a table with their metrics, made once."""

    body: QFont
    strong: QFont
    caption: QFont
    label: QFont
    mono: QFont
    body_metrics: QFontMetrics
    strong_metrics: QFontMetrics
    caption_metrics: QFontMetrics
    label_metrics: QFontMetrics

    @classmethod
    def of(cls, theme: Theme) -> Faces:
        """Make the fonts of a theme; both schemes share them."""
        body = theme.font()
        strong = theme.font(weight=QFont.Weight.Medium)
        caption = theme.font("type_caption")
        label = theme.font("type_caption", QFont.Weight.Medium)
        return cls(
            body,
            strong,
            caption,
            label,
            theme.mono_font(),
            QFontMetrics(body),
            QFontMetrics(strong),
            QFontMetrics(caption),
            QFontMetrics(label),
        )


class CellPainter:
    """Draws cells in the theme of the moment."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.faces = Faces.of(theme)

    def paint(self, painter: QPainter, rect: QRect, cell: Cell) -> None:
        """Draw one cell into `rect`, padding included."""
        if isinstance(cell, Text):
            self._text(painter, rect, cell)
        elif isinstance(cell, Pill):
            self.pill(painter, rect, cell)
        elif isinstance(cell, Moment):
            text = cell.text or relative_time(cell.at, time.time())
            self._plain(painter, rect, text, "text_muted", _LEFT if cell.text else _RIGHT)
        elif isinstance(cell, Chips):
            self._chips(painter, rect, cell)
        elif isinstance(cell, Progress):
            self._progress(painter, rect, cell)
        else:
            self._link(painter, rect, cell)

    def pill(self, painter: QPainter, rect: QRect, pill: Pill) -> None:
        """Draw a state's pill at the left of `rect`."""
        faces = self.faces
        most = rect.width() - _PILL_PADDING * 2 - _PILL_ICON - 5 + _SLACK
        text = faces.label_metrics.elidedText(pill.text, Qt.TextElideMode.ElideRight, most)
        width = faces.label_metrics.horizontalAdvance(text) + _PILL_PADDING * 2 + _PILL_ICON + 5
        top = rect.top() + (rect.height() - _PILL_HEIGHT) // 2
        box = QRectF(rect.left(), top, width, _PILL_HEIGHT)
        self._rounded(painter, box, self._theme.colour(f"{pill.colour}_soft"), _PILL_HEIGHT / 2)
        self._icon(
            painter, pill.icon, pill.colour, _PILL_ICON,
            QPointF(box.left() + _PILL_PADDING, top + (_PILL_HEIGHT - _PILL_ICON) / 2),
        )  # fmt: skip
        painter.setFont(faces.label)
        painter.setPen(self._theme.colour(pill.colour))
        left = int(box.left()) + _PILL_PADDING + _PILL_ICON + 5
        painter.drawText(QRect(left, top, width, _PILL_HEIGHT), _LEFT, text)

    def pill_size(self, pill: Pill) -> QSize:
        """Return how much room a pill takes."""
        width = self.faces.label_metrics.horizontalAdvance(pill.text)
        return QSize(width + _PILL_PADDING * 2 + _PILL_ICON + 5 + _SLACK, _PILL_HEIGHT)

    def bar(self, painter: QPainter, box: QRectF, progress: Progress) -> None:
        """Draw a bar of parts, each in its state's colour."""
        self._rounded(painter, box, self._theme.colour("neutral_soft"), box.height() / 2)
        shape = QPainterPath()
        shape.addRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.save()
        painter.setClipPath(shape)
        left = box.left()
        for share, colour in progress.parts:
            if share <= 0:
                continue
            width = box.width() * min(share, 1.0)
            painter.fillRect(
                QRectF(left, box.top(), max(width, 2.0), box.height()), self._theme.colour(colour)
            )
            left += width
        painter.restore()

    def _text(self, painter: QPainter, rect: QRect, cell: Text) -> None:
        colour = cell.colour or ("text_muted" if cell.muted else "text")
        if cell.icon:
            top = rect.top() + (rect.height() - _ICON) / 2
            icon_colour = cell.colour or "text_faint"
            self._icon(painter, cell.icon, icon_colour, _ICON, QPointF(rect.left(), top))
            rect = rect.adjusted(_ICON + _GAP, 0, 0, 0)
        faces = self.faces
        font = faces.mono if cell.mono else faces.strong if cell.strong else faces.body
        metrics = faces.strong_metrics if cell.strong else faces.body_metrics
        painter.setFont(font)
        painter.setPen(self._theme.colour(colour))
        text = metrics.elidedText(cell.text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, _RIGHT if cell.right else _LEFT, text)
        if cell.after and not cell.right:
            used = metrics.horizontalAdvance(text) + 8
            self._plain(painter, rect.adjusted(used, 0, 0, 0), cell.after, "text_faint", _LEFT)

    def _plain(
        self, painter: QPainter, rect: QRect, text: str, colour: str, align: Qt.AlignmentFlag
    ) -> None:
        if rect.width() < 12:
            return
        metrics = self.faces.body_metrics
        painter.setFont(self.faces.body)
        painter.setPen(self._theme.colour(colour))
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, align, elided)

    def _chips(self, painter: QPainter, rect: QRect, cell: Chips) -> None:
        left = rect.left()
        metrics = self.faces.caption_metrics
        top = rect.top() + (rect.height() - _CHIP_HEIGHT) // 2
        for place, label in enumerate(cell.labels):
            rest = len(cell.labels) - place
            width = metrics.horizontalAdvance(label) + _CHIP_PADDING * 2
            room = rect.right() - left - (28 if rest > 1 else 0)
            if width > room and place:
                self._chip(painter, QRect(left, top, 28, _CHIP_HEIGHT), f"+{rest}")
                return
            box = QRect(left, top, min(width, room), _CHIP_HEIGHT)
            most = box.width() - _CHIP_PADDING * 2 + _SLACK
            self._chip(painter, box, metrics.elidedText(label, Qt.TextElideMode.ElideRight, most))
            left += box.width() + 4

    def _chip(self, painter: QPainter, box: QRect, text: str) -> None:
        self._rounded(painter, QRectF(box), self._theme.colour("neutral_soft"), 4)
        painter.setFont(self.faces.caption)
        painter.setPen(self._theme.colour("neutral"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _progress(self, painter: QPainter, rect: QRect, cell: Progress) -> None:
        if cell.text:
            width = self.faces.caption_metrics.horizontalAdvance("100%")
            width = max(width, self.faces.caption_metrics.horizontalAdvance(cell.text))
            painter.setFont(self.faces.caption)
            painter.setPen(self._theme.colour("text_muted"))
            painter.drawText(rect, _RIGHT, cell.text)
            rect = rect.adjusted(0, 0, -width - 8, 0)
        top = rect.top() + (rect.height() - _BAR_HEIGHT) / 2
        self.bar(painter, QRectF(rect.left(), top, rect.width(), _BAR_HEIGHT), cell)

    def _link(self, painter: QPainter, rect: QRect, cell: Link) -> None:
        if not cell.url:
            return
        text = cell.text or cell.url
        self._plain(painter, rect.adjusted(0, 0, -_ICON - 4, 0), text, "accent", _LEFT)
        used = min(self.faces.body_metrics.horizontalAdvance(text), rect.width() - _ICON - 4)
        top = rect.top() + (rect.height() - 12) / 2
        self._icon(painter, "external-link", "accent", 12, QPointF(rect.left() + used + 5, top))

    def _icon(self, painter: QPainter, name: str, colour: str, side: int, place: QPointF) -> None:
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(place, self._theme.pixmap(name, colour, side, ratio))

    @staticmethod
    def _rounded(painter: QPainter, box: QRectF, colour: QColor, radius: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(box, radius, radius)


class CellDelegate(QStyledItemDelegate):
    """The one delegate of a table."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells = CellPainter(theme)
        self.hovered_line = -1
        """The line under the pointer."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one cell on the ground of its row."""
        cell = index.data(CELL_ROLE)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        elif index.row() == self.hovered_line:
            painter.fillRect(rect, self._theme.colour("hover"))
        painter.setPen(self._theme.colour("border"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        if cell is not None:
            self._cells.paint(painter, rect.adjusted(PADDING, 0, -PADDING, -1), cell)
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the fixed height of a row."""
        return QSize(self._theme.size("row_regular"), self._theme.size("row_regular"))
