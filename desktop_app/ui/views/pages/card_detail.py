"""One attention card: what it asks, what is on hold, both sides, and what can be done."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from desktop_app.contract.cards import CardAct, CardRow
from desktop_app.ui.models.cards import answer_words, card_pill, waits
from desktop_app.ui.models.formats import exact_time, moment, relative_time
from desktop_app.ui.presenters.cards import CardsPresenter
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.pages.card_acts import CardActs
from desktop_app.ui.views.pages.card_sides import CardSides
from desktop_app.ui.views.widgets.controls import button, column, label, row
from desktop_app.ui.views.widgets.scroll_body import ScrollBody, fill_scroll
from desktop_app.ui.views.widgets.state_pill import StatePill

_TICK_MILLISECONDS = 5000


class CardDetail(QWidget):
    """The card that is looked at: its sides scroll, the acts stay at the foot."""

    account_wanted = Signal(str)
    item_wanted = Signal(str, str)
    """A run, and an item of it."""

    def __init__(self, theme: Theme, presenter: CardsPresenter) -> None:
        super().__init__()
        self._theme = theme
        self.presenter = presenter
        self.title = label("", "section", wrap=True, select=True)
        self.pill = StatePill(theme)
        self.when = label("", "faint")
        self.text = label("", wrap=True, select=True)
        self.held = label("", "caption")
        self.acts = CardActs(theme)
        self.sides = CardSides(theme, presenter.thumbnails, self.acts.use_link)
        self._answer_icon, self._answer_text = QLabel(), label("", wrap=True, select=True)
        self._answer = QFrame()
        self._build()
        presenter.card_changed.connect(self.refresh)
        presenter.answer_changed.connect(self.refresh)
        self.acts.answered.connect(self._act)
        theme.changed.connect(self.refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MILLISECONDS)
        self._tick.timeout.connect(self._say_when)
        self._tick.start()

    def refresh(self) -> None:
        """Show the card as it is now."""
        shown = self.presenter.card
        if shown is None:
            return
        self.title.setText(shown.title)
        self.pill.set_pill(card_pill(shown))
        self.text.setText(shown.text)
        self.held.setText(waits(shown) if shown.resolved_at is None else "")
        self.account.setText(f"\u2009 {shown.username}")
        self.account.setAccessibleName(f"Open the account {shown.username}")
        self.item.setVisible(bool(shown.run_id))
        self.sides.setVisible(shown.ours is not None or shown.theirs is not None)
        self.sides.show_card(shown)
        self._say_answer(shown)
        self._say_when()
        self.acts.setVisible(bool(shown.acts))
        self.acts.show_card(shown, self.presenter.answering, self.presenter.problem)

    def _build(self) -> None:
        self.account = button(self._theme, "Account", icon="user", on_click=self._to_account)
        self.item = button(self._theme, "Open the run", icon="list-checks", on_click=self._to_item)
        head = row(self.title, self.pill, spacing=12)
        head.setStretch(0, 1)
        head.setAlignment(self.pill, Qt.AlignmentFlag.AlignTop)
        answer = row(self._answer_icon, self._answer_text, spacing=10)
        answer.setStretch(1, 1)
        answer.setContentsMargins(12, 10, 12, 10)
        self._answer.setLayout(answer)
        self._answer.setProperty("card", "quiet")
        inner = column(
            head,
            row(self.when, self.held, 1, self.account, self.item, spacing=12),
            self.text,
            self._answer,
            self.sides,
            1,
            spacing=12,
        )
        inner.setContentsMargins(20, 16, 20, 20)
        self.area = QScrollArea()
        fill_scroll(self.area, ScrollBody(inner))
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName("The card")
        outer = column(self.area, self.acts, spacing=0)
        outer.setStretch(0, 1)
        self.setLayout(outer)

    def _say_when(self) -> None:
        shown = self.presenter.card
        if shown is None:
            return
        self.when.setText(f"Opened {relative_time(shown.opened_at, time.time())}")
        self.when.setToolTip(exact_time(shown.opened_at))
        self._say_answer(shown)

    def _say_answer(self, shown: CardRow) -> None:
        """Say what settled the card, or what was answered and waits for the agent."""
        icon, colour, words = "send", "info", answer_words(shown, time.time())
        if shown.resolved_at is not None:
            icon, colour = "circle-check", "success"
            words = f"{shown.resolution or 'Settled.'}  {moment(shown.resolved_at)}".strip()
        self._answer.setVisible(bool(words))
        self._answer_text.setText(words)
        ratio = self.devicePixelRatioF()
        self._answer_icon.setPixmap(self._theme.pixmap(icon, colour, 16, ratio))

    def _act(self, act: CardAct, link: str) -> None:
        self.presenter.act(act, link)

    def _to_account(self) -> None:
        if self.presenter.card is not None:
            self.account_wanted.emit(self.presenter.card.account_id)

    def _to_item(self) -> None:
        shown = self.presenter.card
        if shown is not None:
            self.item_wanted.emit(shown.run_id, shown.item_id)
