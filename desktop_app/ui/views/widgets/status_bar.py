"""The foot of the window: the fleet in numbers. Every number leads to the rows behind it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from common.domain.states import ItemState
from desktop_app.ui.models.formats import count_of, relative_time
from desktop_app.ui.presenters.fleet import Fleet, Loading
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ICON_GAP, label

_TICK_MILLISECONDS = 5000

Go = Callable[[str, str], object]
"""To a page, with what to show there."""


class StatusBar(QFrame):
    """Agents online, running, queued, held; and whether the core answers."""

    def __init__(self, theme: Theme, fleet: Fleet, go: Go) -> None:
        super().__init__()
        self._theme = theme
        self._fleet = fleet
        self.setObjectName("statusBar")
        self.setAccessibleName("Fleet status")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(4)
        self._agents = self._button("server", lambda: go("agents", ""))
        self._running = self._button("loader", lambda: go("runs", ""))
        self._queued = self._button("circle", lambda: go("runs", ""))
        self._held = self._button("pause", lambda: go("accounts", "held"))
        self._needs = self._button("hand", lambda: go(self._needs_place(), ""), "attention")
        for made in (self._agents, self._running, self._queued, self._held, self._needs):
            layout.addWidget(made)
        layout.addStretch(1)
        self.notice = label("", "caption")
        self.connection = label("", "caption")
        layout.addWidget(self.notice)
        layout.addSpacing(16)
        layout.addWidget(self.connection)
        fleet.overview_changed.connect(self.refresh)
        fleet.status_changed.connect(self.refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MILLISECONDS)
        self._tick.timeout.connect(self.refresh)
        self._tick.start()
        self.refresh()

    def refresh(self) -> None:
        """Say the numbers of this moment."""
        overview = self._fleet.overview
        items = overview.items
        running = items.get(ItemState.RUNNING, 0)
        queued = items.get(ItemState.QUEUED, 0) + items.get(ItemState.ASSIGNED, 0)
        online = f"{overview.agents_online:,} of {count_of(overview.agents, 'agent')} online"
        self._say(self._agents, online if overview.agents else "No agents")
        self._say(self._running, f"{running:,} running")
        self._say(self._queued, f"{queued:,} queued")
        self._say(self._held, f"{overview.held:,} held")
        needs = overview.cards or overview.needs_operator
        self._say(self._needs, f"{needs:,} {'needs' if needs == 1 else 'need'} you")
        self._needs.setVisible(needs > 0)
        going = running + queued
        self.notice.setText("Runs go on when this window is closed" if going else "")
        self.connection.setText(self._connection_words())

    def _needs_place(self) -> str:
        """Return where the number leads: the cards, or where there are none the runs' items."""
        return "needs" if self._fleet.overview.cards else "runs"

    def _connection_words(self) -> str:
        fleet = self._fleet
        if fleet.offline_since is not None:
            return f"Core lost {relative_time(fleet.offline_since, time.time())}, reconnecting…"
        if fleet.loading is Loading.OFFLINE:
            return "The core does not answer"
        return "Connecting…" if fleet.loading is Loading.LOADING else "Connected"

    def _button(
        self, icon: str, act: Callable[[], object], colour: str = "text_muted"
    ) -> QToolButton:
        made = QToolButton()
        made.setIcon(self._theme.icon(icon, colour))
        made.setIconSize(QSize(12, 12))
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.clicked.connect(lambda: act())
        return made

    @staticmethod
    def _say(made: QToolButton, text: str) -> None:
        if made.accessibleName() != text:
            made.setText(ICON_GAP + text)
            made.setAccessibleName(text)
