"""The ledger of an account: every effect it has had, newest first; each unfolds into its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QToolButton, QWidget

from common.domain.states import ActionState, look_of
from desktop_app.ui.models.cells import pill_of
from desktop_app.ui.models.formats import exact_time, relative_time
from desktop_app.ui.models.ledger import Story, stories_of
from desktop_app.ui.presenters.account_ledger import AccountLedgerPresenter
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ElidedLabel,
    button,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)
from desktop_app.ui.views.widgets.scroll_body import ScrollBody, fill_scroll
from desktop_app.ui.views.widgets.state_pill import StatePill
from desktop_app.ui.views.widgets.timeline import Steps

_FILTERS = (
    ActionState.UNRESOLVED,
    ActionState.IN_DOUBT,
    ActionState.RECONCILING,
    ActionState.SENDING,
    ActionState.CONFIRMED,
    ActionState.PROVEN_ABSENT,
)


class StoryView(QFrame):
    """One effect: its title, how it stands, and when; a click shows its steps."""

    def __init__(self, theme: Theme, story: Story, open_run: Callable[[], object]) -> None:
        super().__init__()
        self._theme = theme
        self._story = story
        self._steps: Steps | None = None
        self.is_unfolded = False
        self.setProperty("card", "true")
        self.fold = QToolButton()
        self.fold.setIconSize(QSize(14, 14))
        self.fold.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fold.setIcon(theme.icon("chevron-right"))
        self.fold.setToolTip("Show its steps")
        self.fold.setAccessibleName(f"Steps of {story.title}")
        self.fold.clicked.connect(lambda: self.unfold(not self.is_unfolded))
        title = ElidedLabel("strong")
        title.setText(story.title)
        when = label(relative_time(story.at, time.time()), "faint")
        when.setToolTip(exact_time(story.at))
        to_run = icon_button(theme, "list-checks", f"Open the run of {story.title}")
        to_run.clicked.connect(lambda: open_run())
        to_run.setVisible(bool(story.run_id))
        head = row(self.fold, title, 1, to_run, spacing=4)
        head.setStretch(1, 10)
        foot = row(StatePill(theme, pill_of(look_of(story.state))), 1, when)
        foot.setContentsMargins(32, 0, 8, 0)
        self._body = column(head, foot, spacing=4)
        self._body.setContentsMargins(4, 6, 4, 8)
        self.setLayout(self._body)

    @property
    def story(self) -> Story:
        """The effect that is shown."""
        return self._story

    def unfold(self, shown: bool) -> None:
        """Show or hide the steps."""
        if shown and self._steps is None:
            self._steps = Steps(self._theme, narrow=True)
            self._steps.show_steps(self._story.steps)
            self._body.addWidget(self._steps)
        if self._steps is not None:
            self._steps.setVisible(shown)
        self.is_unfolded = shown
        self.fold.setIcon(self._theme.icon("chevron-down" if shown else "chevron-right"))


class AccountLedgerView(QWidget):
    """The effects of the account that is looked at, with a filter, a page at a time."""

    item_wanted = Signal(str, str)
    """A run, and an item of it."""

    def __init__(self, theme: Theme, presenter: AccountLedgerPresenter) -> None:
        super().__init__()
        self._theme = theme
        self.presenter = presenter
        self._shown: dict[str, tuple[Story, StoryView]] = {}
        self.states = QComboBox()
        self.states.setAccessibleName("Steps of which state")
        self.states.addItem("All steps", None)
        for state in _FILTERS:
            self.states.addItem(f"Only “{look_of(state).label}”", state.value)
        self.states.currentIndexChanged.connect(self._choose)
        self.count = label("", "faint")
        self.older = button(theme, "Show older", "ghost", icon="history")
        self.older.clicked.connect(presenter.read_older)
        self.nothing = label("", "muted", wrap=True)
        self._list = column(spacing=8)
        inner = column(self._list, self.nothing, self.older, 1, spacing=8)
        inner.setContentsMargins(16, 0, 16, 16)
        scroll = QScrollArea()
        fill_scroll(scroll, ScrollBody(inner))
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        top = row(self.states, 1, self.count)
        top.setContentsMargins(16, 0, 16, 10)
        outer = column(top, scroll, spacing=0)
        outer.setStretch(1, 1)
        self.setLayout(outer)
        presenter.changed.connect(self.refresh)
        self.refresh()

    def stories(self) -> list[StoryView]:
        """Return the effects that are shown, newest first."""
        return [view for _, view in self._shown.values()]

    def refresh(self) -> None:
        """Show what is here; effects that did not change keep their widgets, folded or not."""
        presenter = self.presenter
        stories = stories_of(presenter.entries)
        before = list(self._shown.items())
        if [(story.action_id, story) for story in stories] != [(k, s) for k, (s, _) in before]:
            self._rebuild(stories)
        self.older.setVisible(presenter.has_more)
        self.count.setText(f"{presenter.total:,} steps" if presenter.total else "")
        self.nothing.setText(self._why_nothing())
        self.nothing.setVisible(not stories)

    def _why_nothing(self) -> str:
        if not self.presenter.is_loaded:
            return "Reading…"
        if self.presenter.state is not None:
            return f"No step is “{look_of(self.presenter.state).label}”."
        return "It has had no effect on the platform so far."

    def _rebuild(self, stories: tuple[Story, ...]) -> None:
        unfolded = {key for key, (_, view) in self._shown.items() if view.is_unfolded}
        clear_layout(self._list)
        self._shown = {}
        for story in stories:
            view = StoryView(self._theme, story, partial(self._open, story))
            self._list.addWidget(view)
            self._shown[story.action_id] = (story, view)
            if story.action_id in unfolded:
                view.unfold(True)

    def _open(self, story: Story) -> None:
        self.item_wanted.emit(story.run_id, story.item_id)

    def _choose(self) -> None:
        chosen = self.states.currentData()
        self.presenter.show_state(ActionState(chosen) if chosen else None)
