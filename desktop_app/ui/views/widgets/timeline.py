"""A ledger as a line of steps: state, time, words, ids to copy, and what settled a doubt."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget

from desktop_app.ui.models.cards import Sighting
from desktop_app.ui.models.formats import exact_time
from desktop_app.ui.models.ledger import POINT_HELP, POINT_OF_NO_RETURN, Step
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ElidedLabel,
    button,
    clear_layout,
    column,
    label,
    row,
)
from desktop_app.ui.views.widgets.copy_chip import CopyChip
from desktop_app.ui.views.widgets.flow import Flow
from desktop_app.ui.views.widgets.scroll_body import ScrollBody, fill_scroll
from desktop_app.ui.views.widgets.sighting import SightingTile
from desktop_app.ui.views.widgets.state_pill import StatePill

_GUTTER = 28
_DOT = 4.0
_DOT_TOP = 18.0
_BELOW = 14


class StepView(QFrame):
    """One step, with its dot on the line."""

    def __init__(self, theme: Theme, step: Step, *, narrow: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self.step = step
        self.is_first = self.is_last = False
        self.setAccessibleName(f"{step.pill.text}, {exact_time(step.at)}: {step.words}")
        body = column(spacing=4)
        body.setContentsMargins(_GUTTER, 8, 12, _BELOW - 8)
        if step.is_point_of_no_return:
            body.addLayout(_point_of_no_return(theme, self.devicePixelRatioF(), narrow=narrow))
        body.addLayout(self._head(narrow))
        body.addWidget(label(step.words, wrap=True, select=True))
        for detail in step.details:
            body.addWidget(label(detail, "muted", wrap=True, select=True))
        if step.ids or step.link:
            body.addWidget(self._ids())
        for post in step.sighted:
            body.addWidget(SightingTile(theme, Sighting(post, "", ())))
        if narrow and step.origin:
            body.addWidget(label(step.origin, "faint", wrap=True))
        self._lowered = 21.0 if step.is_point_of_no_return else 0.0
        self.setLayout(body)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line and this step's dot."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, top = 12.0, _DOT_TOP + self._lowered
        painter.setPen(QPen(self._theme.colour("border_strong"), 1.5))
        if not self.is_first:
            painter.drawLine(QPointF(middle, 0), QPointF(middle, top - _DOT))
        if not self.is_last:
            painter.drawLine(QPointF(middle, top + _DOT), QPointF(middle, self.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self.step.pill.colour))
        painter.drawEllipse(QPointF(middle, top), _DOT, _DOT)
        painter.end()

    def place(self, *, is_first: bool, is_last: bool) -> None:
        """Note where on the line it stands."""
        if (is_first, is_last) != (self.is_first, self.is_last):
            self.is_first, self.is_last = is_first, is_last
            self.update()

    def _head(self, narrow: bool) -> QHBoxLayout:
        step = self.step
        when = label(step.time, "mono")
        when.setToolTip(exact_time(step.at))
        parts: list[QWidget] = [StatePill(self._theme, step.pill), when]
        if step.gap:
            parts.append(label(step.gap, "faint"))
        line = row(*parts, 1, spacing=10)
        if not narrow and step.origin:
            origin = ElidedLabel("faint")
            origin.setText(step.origin)
            line.addWidget(origin)
        return line

    def _ids(self) -> Flow:
        flow = Flow()
        parts: list[QWidget] = [CopyChip(self._theme, name, value) for name, value in self.step.ids]
        if self.step.link:
            url = QUrl(self.step.link)
            parts.append(
                button(
                    self._theme, "Open post", "ghost", icon="external-link",
                    on_click=lambda: QDesktopServices.openUrl(url),
                )
            )  # fmt: skip
        flow.show_parts(parts)
        return flow


class Steps(QWidget):
    """The steps of a ledger under each other; those that are shown already are kept."""

    def __init__(self, theme: Theme, *, narrow: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._narrow = narrow
        self._layout = column(spacing=0)
        self.setLayout(self._layout)

    @property
    def steps(self) -> list[Step]:
        """The steps that are shown."""
        return [view.step for view in self._views()]

    def show_steps(self, steps: Sequence[Step]) -> bool:
        """Show these steps; returns whether some were added to those before."""
        shown = self.steps
        if list(steps[: len(shown)]) != shown:
            clear_layout(self._layout)
            shown = []
        for step in steps[len(shown) :]:
            self._layout.addWidget(StepView(self._theme, step, narrow=self._narrow))
        views = self._views()
        for number, view in enumerate(views):
            view.place(is_first=number == 0, is_last=number == len(views) - 1)
        return len(steps) > len(shown)

    def _views(self) -> list[StepView]:
        items = (self._layout.itemAt(place) for place in range(self._layout.count()))
        return [
            view
            for item in items
            if item is not None and isinstance(view := item.widget(), StepView)
        ]


class Timeline(QScrollArea):
    """Steps that scroll; the newest is in sight as it comes."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._steps = Steps(theme)
        inner = column(self._steps, 1, spacing=0)
        inner.setContentsMargins(12, 8, 4, 8)
        fill_scroll(self, ScrollBody(inner))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.verticalScrollBar().rangeChanged.connect(self._grown)
        self._goes_to_end = False

    @property
    def steps(self) -> list[Step]:
        """The steps that are shown."""
        return self._steps.steps

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show these steps."""
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        self._goes_to_end = self._steps.show_steps(steps) and at_end

    def _grown(self, _least: int, most: int) -> None:
        if self._goes_to_end:
            self.verticalScrollBar().setValue(most)


def _point_of_no_return(theme: Theme, ratio: float, *, narrow: bool) -> QHBoxLayout:
    icon = QLabel()
    icon.setPixmap(theme.pixmap("milestone", "running", 14, ratio))
    words = label(POINT_OF_NO_RETURN, "strong")
    words.setToolTip(POINT_HELP)
    line = row(icon, words, spacing=6)
    if not narrow:
        said = ElidedLabel("faint")
        said.setText(POINT_HELP)
        line.addWidget(said)
    line.addStretch(1)
    return line
