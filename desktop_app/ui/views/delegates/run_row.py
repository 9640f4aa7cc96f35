"""Paints one run of the list: name, state, bar, and when it began."""

from __future__ import annotations

import time

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from common.domain.states import look_of
from desktop_app.contract.runs import RunRow
from desktop_app.ui.models.cells import pill_of, progress_of
from desktop_app.ui.models.formats import relative_time
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.list_row import LEFT, RIGHT, ListRowDelegate

_HEIGHT = 84


class RunRowDelegate(ListRowDelegate):
    """The delegate of the list of runs."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent, _HEIGHT)

    def content(self, painter: QPainter, rect: QRect, run: RunRow) -> None:
        """Draw one run."""
        faces = self.cells.faces
        line = QRect(rect.left(), rect.top(), rect.width(), 20)
        when = relative_time(run.created_at, time.time())
        taken = faces.caption_metrics.horizontalAdvance(when) + 12
        painter.setFont(faces.caption)
        painter.setPen(self.theme.colour("text_faint"))
        painter.drawText(line, RIGHT, when)
        painter.setFont(faces.strong)
        painter.setPen(self.theme.colour("text"))
        room = line.width() - taken
        name = faces.strong_metrics.elidedText(run.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(line, LEFT, name)
        middle = line.translated(0, 24)
        progress = progress_of(run.counts, run.total)
        count = faces.caption_metrics.horizontalAdvance(progress.text) + 12
        self.cells.pill(painter, middle.adjusted(0, 0, -count, 0), pill_of(look_of(run.state)))
        painter.setFont(faces.caption)
        painter.setPen(self.theme.colour("text_muted"))
        painter.drawText(middle, RIGHT, progress.text)
        bar = QRectF(rect.left(), rect.bottom() - 4, rect.width(), 4)
        self.cells.bar(painter, bar, progress)
