"""Paints one run of the list: name, state, bar, and when it began."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from common.domain.states import look_of
from desktop_app.contract.runs import RunRow
from desktop_app.ui.models.cells import pill_of, progress_of
from desktop_app.ui.models.formats import relative_time
from desktop_app.ui.models.table import ROW_ROLE
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.cells import CellPainter

_HEIGHT = 84
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunRowDelegate(QStyledItemDelegate):
    """The delegate of the list of runs."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cells = CellPainter(theme)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the fixed height of a run."""
        return QSize(200, _HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one run."""
        run: RunRow = index.data(ROW_ROLE)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, self._theme.colour("hover"))
        painter.setPen(self._theme.colour("border"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        self._content(painter, rect.adjusted(16, 12, -16, -12), run)
        painter.restore()

    def _content(self, painter: QPainter, rect: QRect, run: RunRow) -> None:
        faces = self._cells.faces
        line = QRect(rect.left(), rect.top(), rect.width(), 20)
        when = relative_time(run.created_at, time.time())
        taken = faces.caption_metrics.horizontalAdvance(when) + 12
        painter.setFont(faces.caption)
        painter.setPen(self._theme.colour("text_faint"))
        painter.drawText(line, _RIGHT, when)
        painter.setFont(faces.strong)
        painter.setPen(self._theme.colour("text"))
        room = line.width() - taken
        name = faces.strong_metrics.elidedText(run.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(line, _LEFT, name)
        middle = line.translated(0, 24)
        progress = progress_of(run.counts, run.total)
        count = faces.caption_metrics.horizontalAdvance(progress.text) + 12
        self._cells.pill(painter, middle.adjusted(0, 0, -count, 0), pill_of(look_of(run.state)))
        painter.setFont(faces.caption)
        painter.setPen(self._theme.colour("text_muted"))
        painter.drawText(middle, _RIGHT, progress.text)
        bar = QRectF(rect.left(), rect.bottom() - 4, rect.width(), 4)
        self._cells.bar(painter, bar, progress)
