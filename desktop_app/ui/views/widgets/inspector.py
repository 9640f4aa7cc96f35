"""The panel beside a table that says everything of one row: head, error, acts, facts.

A page may add further tabs beside the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from common.errors import WireError
from desktop_app.ui.models.cells import Pill
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ButtonKind,
    ElidedLabel,
    add_menu,
    button,
    clear_layout,
    icon_button,
    label,
    row,
    separator,
)
from desktop_app.ui.views.widgets.copy_chip import CopyChip
from desktop_app.ui.views.widgets.state_pill import StatePill

WIDTH = 340
_NAME_WIDTH = 104


def _nothing() -> None:
    """Do nothing: the menu of an act does it."""


@dataclass(frozen=True, slots=True)
class Act:
    """One button of an inspector."""

    text: str
    run: Callable[[], object] = _nothing
    kind: ButtonKind = "secondary"
    icon: str = ""
    menu: tuple[tuple[str, str, Callable[[], object]], ...] = ()
    """Words, icon and act of each line of a menu that it opens instead of `run`."""


class Facts(QWidget):
    """Names and values in two columns; labels are kept while the names stay the same."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnMinimumWidth(0, _NAME_WIDTH)
        self._grid.setColumnStretch(1, 1)
        self._names: list[str] = []
        self._ids: list[tuple[str, str]] = []
        self._values: list[QLabel] = []

    def show_facts(
        self, facts: Sequence[tuple[str, str]], ids: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Show pairs of name and value; an empty value is a dash. Ids come last, to be copied."""
        names = [name for name, _ in facts]
        if names != self._names or list(ids) != self._ids:
            self._rebuild(names, ids)
        for shown, (_, value) in zip(self._values, facts, strict=True):
            if shown.text() != (value or "–"):
                shown.setText(value or "–")

    def _rebuild(self, names: list[str], ids: Sequence[tuple[str, str]]) -> None:
        clear_layout(self._grid)
        self._names, self._ids = names, list(ids)
        self._values = []
        for line, name in enumerate(names):
            self._grid.addWidget(label(name, "muted"), line, 0, Qt.AlignmentFlag.AlignTop)
            value = label("", wrap=True, select=True)
            self._grid.addWidget(value, line, 1, Qt.AlignmentFlag.AlignTop)
            self._values.append(value)
        for line, (name, key) in enumerate(ids, start=len(names)):
            self._grid.addWidget(label(name, "muted"), line, 0)
            self._grid.addLayout(row(CopyChip(self._theme, "", key), 1), line, 1)


class Inspector(QFrame):
    """Everything of one row. `closed` is emitted when the operator closes it."""

    closed = Signal()
    tab_changed = Signal()

    def __init__(self, theme: Theme, what: str) -> None:
        super().__init__()
        self._tabs: QTabWidget | None = None
        self._theme = theme
        self._error_act: Act | None = None
        self._said_error: tuple[WireError | None, str] = (None, "")
        self._acts_now: tuple[Act, ...] = ()
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
        self.facts = Facts(theme)
        self._acts = QGridLayout()
        self._acts.setSpacing(8)
        self._said_acts: list[tuple[str, ButtonKind, tuple[tuple[str, str], ...]]] = []
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
        self._error_act = act
        said = (error, act.text if act else "")
        if said == self._said_error:
            return
        self._said_error = said
        clear_layout(self._error_layout)
        if error is not None:
            self._error_layout.addWidget(label(error.message, wrap=True, select=True))
            if error.advice:
                self._error_layout.addWidget(label(error.advice, "muted", wrap=True, select=True))
            if act is not None:
                made = button(self._theme, act.text, icon=act.icon, on_click=self._mend)
                self._error_layout.addLayout(row(made, 1))

    def show_acts(self, acts: Sequence[Act]) -> None:
        """Show the buttons, two beside each other. They act on the row that is shown now."""
        self._acts_now = tuple(acts)
        said = [(act.text, act.kind, tuple(line[:2] for line in act.menu)) for act in acts]
        if said == self._said_acts:
            return
        self._said_acts = said
        clear_layout(self._acts)
        for place, act in enumerate(acts):
            self._acts.addWidget(self._act_button(place, act), *divmod(place, 2))

    def _act_button(self, place: int, act: Act) -> QPushButton:
        if not act.menu:
            run = partial(self._run, place)
            return button(self._theme, act.text, act.kind, icon=act.icon, on_click=run)
        made = button(self._theme, act.text, act.kind, icon=act.icon)
        lines = [
            (words, icon, partial(self._run, place, line))
            for line, (words, icon, _) in enumerate(act.menu)
        ]
        add_menu(self._theme, made, lines)
        return made

    def _run(self, place: int, line: int | None = None) -> None:
        act = self._acts_now[place]
        if line is None:
            act.run()
        else:
            act.menu[line][2]()

    def _mend(self) -> None:
        if self._error_act is not None:
            self._error_act.run()

    def add_tab(self, shown: QWidget, title: str) -> None:
        """Show something else of the row on a tab of its own."""
        if self._tabs is None:
            self._tabs = QTabWidget()
            self._tabs.setAccessibleName("What is shown of it")
            self._tabs.tabBar().setAccessibleName("What is shown of it")
            self._outer.removeWidget(self._scroll)
            self._tabs.addTab(self._scroll, "Facts")
            self._tabs.currentChanged.connect(lambda _: self.tab_changed.emit())
            self._outer.addWidget(self._tabs, 1)
        self._tabs.addTab(_padded(shown), title)

    def is_on(self, shown: QWidget) -> bool:
        """Say whether the operator looks at this tab."""
        if self._tabs is None or self.isHidden():
            return False
        return self._tabs.currentWidget().isAncestorOf(shown)

    def go_to(self, shown: QWidget) -> None:
        """Go to the tab that shows this."""
        if self._tabs is not None:
            for place in range(self._tabs.count()):
                tab = self._tabs.widget(place)
                if tab is not None and tab.isAncestorOf(shown):
                    self._tabs.setCurrentIndex(place)

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
        self._scroll: QWidget = _padded(scroll)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(0)
        self._outer.addLayout(head)
        self._outer.addWidget(separator())
        self._outer.addWidget(self._scroll, 1)


def _padded(shown: QWidget) -> QWidget:
    """Leave room between a line and what stands under it."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 12, 0, 0)
    layout.addWidget(shown)
    return holder
