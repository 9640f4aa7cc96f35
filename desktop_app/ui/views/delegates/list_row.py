"""What every painted list has in common: rows of one height, and their ground."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop_app.ui.models.table import ROW_ROLE
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.cells import CellPainter

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEAST_WIDTH = 200


class ListRowDelegate(QStyledItemDelegate):
    """A delegate whose rows are drawn by `content`."""

    def __init__(self, theme: Theme, parent: QWidget, height: int) -> None:
        super().__init__(parent)
        self.theme = theme
        self.cells = CellPainter(theme)
        self._height = height

    def content(self, painter: QPainter, rect: QRect, row: Any) -> None:
        """Draw one row into `rect`; its ground is there already."""
        raise NotImplementedError

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the fixed height of a row."""
        return QSize(_LEAST_WIDTH, self._height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one row on its ground."""
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self.theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, self.theme.colour("hover"))
        painter.setPen(self.theme.colour("border"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        self.content(painter, rect.adjusted(16, 12, -16, -12), index.data(ROW_ROLE))
        painter.restore()
