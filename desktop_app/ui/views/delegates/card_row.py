"""Paints one attention card of the list: kind, title on two lines, account, how long it waits."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QPainter, QTextLayout, QTextOption
from PySide6.QtWidgets import QWidget

from desktop_app.contract.cards import CardRow
from desktop_app.ui.models.cards import CardFilter, card_icon, card_pill, filter_of
from desktop_app.ui.models.formats import relative_time
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.list_row import LEFT, RIGHT, ListRowDelegate

_HEIGHT = 88
_ICON = 16
_TEXT_LEFT = 28
_TITLE_LINES = 2
_LINE = 18
_SLACK = 2
"""Pixels by which a line may be wider than its whole-number metrics say."""


class CardRowDelegate(ListRowDelegate):
    """The delegate of the list of cards."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent, _HEIGHT)

    def content(self, painter: QPainter, rect: QRect, card: CardRow) -> None:
        """Draw one card."""
        waiting = filter_of(card) is CardFilter.WAITING
        colour = "attention" if waiting else "text_faint"
        icon = card_icon(card) if waiting else card_pill(card).icon
        ratio = painter.device().devicePixelRatioF()
        place = QPointF(rect.left(), rect.top() + 1)
        painter.drawPixmap(place, self.theme.pixmap(icon, colour, _ICON, ratio))
        text = rect.adjusted(_TEXT_LEFT, 0, 0, 0)
        self._title(painter, text, card.title)
        foot = QRect(text.left(), rect.bottom() - _LINE + 1, text.width(), _LINE)
        self._foot(painter, foot, card)

    def _title(self, painter: QPainter, rect: QRect, title: str) -> None:
        """Draw the title on at most two lines; what does not fit ends in an ellipsis."""
        faces = self.cells.faces
        painter.setFont(faces.strong)
        painter.setPen(self.theme.colour("text"))
        layout = QTextLayout(title, faces.strong)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        for number in range(_TITLE_LINES):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(rect.width())
            rest = title[line.textStart() :]
            fits = title[line.textStart() : line.textStart() + line.textLength()].rstrip()
            last = number == _TITLE_LINES - 1
            shown = rest if last else fits
            words = faces.strong_metrics.elidedText(
                shown, Qt.TextElideMode.ElideRight, rect.width() + _SLACK
            )
            box = QRect(rect.left(), rect.top() + number * _LINE, rect.width(), _LINE)
            painter.drawText(box, LEFT, words)
        layout.endLayout()

    def _foot(self, painter: QPainter, rect: QRect, card: CardRow) -> None:
        faces = self.cells.faces
        at = card.opened_at if card.resolved_at is None else card.resolved_at
        when = relative_time(at, time.time())
        painter.setFont(faces.caption)
        painter.setPen(self.theme.colour("text_faint"))
        painter.drawText(rect, RIGHT, when)
        room = rect.width() - faces.caption_metrics.horizontalAdvance(when) - 12
        words = " · ".join(part for part in (card.username, self._state(card)) if part)
        elided = faces.caption_metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        painter.setPen(self.theme.colour("text_muted"))
        painter.drawText(rect, LEFT, elided)

    @staticmethod
    def _state(card: CardRow) -> str:
        if card.resolved_at is not None:
            return ""
        if card.answer is not None:
            return "answered" if card.agent_online else "agent offline"
        return f"{card.held:,} waiting" if card.held else ""
