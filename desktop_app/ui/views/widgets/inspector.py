"""The panel beside a table that says everything of one row: head, error, acts, facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from common.errors import WireError
from desktop_app.ui.models.cells import Pill
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ButtonKind,
    ElidedLabel,
    button,
    clear_layout,
    icon_button,
    label,
    row,
    separator,
)
from desktop_app.ui.views.widgets.state_pill import StatePill

WIDTH = 340
_NAME_WIDTH = 104


@dataclass(frozen=True, slots=True)
class Act:
    """One button of an inspector."""

    text: str
    run: Callable[[], object]
    kind: ButtonKind = "secondary"
    icon: str = ""


class Facts(QWidget):
    """Names and values in two columns; labels are kept while the names stay the same."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, _NAME_WIDTH)
        self._grid.setColumnStretch(1, 1)
        self._names: list[str] = []
        self._values: list[QLabel] = []

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Show pairs of name and value; an empty value is a dash."""
        names = [name for name, _ in facts]
        if names != self._names:
            self._rebuild(names)
        for shown, (_, value) in zip(self._values, facts, strict=True):
            if shown.text() != (value or "–"):
                shown.setText(value or "–")

    def _rebuild(self, names: list[str]) -> None:
        clear_layout(self._grid)
        self._names = names
        self._values = []
        for line, name in enumerate(names):
            self._grid.addWidget(label(name, "muted"), line, 0, Qt.AlignmentFlag.AlignTop)
            value = label("", wrap=True, select=True)
            self._grid.addWidget(value, line, 1, Qt.AlignmentFlag.AlignTop)
            self._values.append(value)


class Inspector(QFrame):
    """Everything of one row. `closed` is emitted when the operator closes it."""

    closed = Signal()

    def __init__(self, theme: Theme, what: str) -> None:
        super().__init__()
        self._theme = theme
        self._error: WireError | None = None
        self.setObjectName("inspector")
        self.setMinimumWidth(WIDTH)
        self.setMaximumWidth(WIDTH + 120)
        self.title = ElidedLabel("section")
        self.subtitle = label("", "muted", wrap=True, select=True)
        self.pill = StatePill(theme)
        close = icon_button(theme, "x", f"Close the inspector of {what}", on_click=self.closed.emit)
        self.error_box = QFrame()
        self.error_box.setProperty("card", "attention")
        self._error_layout = QVBoxLayout(self.error_box)
        self._error_layout.setContentsMargins(12, 10, 12, 10)
        self._error_layout.setSpacing(6)
        self.facts = Facts()
        self._acts = QGridLayout()
        self._acts.setSpacing(8)
        self._said_acts: list[tuple[str, ButtonKind]] = []
        self._build(close)

    def show_head(self, title: str, subtitle: str, pill: Pill) -> None:
        """Say which row this is, and how it stands."""
        self.title.setText(title)
        self.subtitle.setText(subtitle)
        self.subtitle.setVisible(bool(subtitle))
        self.pill.set_pill(pill)

    def show_error(self, error: WireError | None, act: Act | None = None) -> None:
        """Show what went wrong, why, and the next act."""
        self.error_box.setVisible(error is not None)
        if error == self._error:
            return
        self._error = error
        clear_layout(self._error_layout)
        if error is not None:
            self._error_layout.addWidget(label(error.message, wrap=True, select=True))
            if error.advice:
                self._error_layout.addWidget(label(error.advice, "muted", wrap=True, select=True))
            if act is not None:
                made = button(self._theme, act.text, icon=act.icon, on_click=act.run)
                self._error_layout.addLayout(row(made, 1))

    def show_acts(self, acts: Sequence[Act]) -> None:
        """Show the buttons, two beside each other."""
        said = [(act.text, act.kind) for act in acts]
        if said == self._said_acts:
            return
        self._said_acts = said
        clear_layout(self._acts)
        for place, act in enumerate(acts):
            made = button(self._theme, act.text, act.kind, icon=act.icon, on_click=act.run)
            self._acts.addWidget(made, *divmod(place, 2))

    def _build(self, close: QWidget) -> None:
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(16, 4, 16, 16)
        inner.setSpacing(16)
        inner.addWidget(self.error_box)
        inner.addLayout(self._acts)
        inner.addWidget(self.facts)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = QVBoxLayout()
        head.setContentsMargins(16, 12, 12, 12)
        head.setSpacing(6)
        head.addLayout(row(self.title, 1, close))
        head.addWidget(self.subtitle)
        head.addWidget(self.pill)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(head)
        outer.addWidget(separator())
        outer.addSpacing(12)
        outer.addWidget(scroll, 1)
