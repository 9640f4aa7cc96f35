"""The page of attention cards: the list at the left, the card that is looked at at the right."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget

from desktop_app.contract.cards import CardAct
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.cards import ACT_LABELS, CardFilter
from desktop_app.ui.presenters.cards import CardsPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.delegates.card_row import CardRowDelegate
from desktop_app.ui.views.pages.card_detail import CardDetail
from desktop_app.ui.views.widgets.chip_bar import ChipBar
from desktop_app.ui.views.widgets.chips import Chip
from desktop_app.ui.views.widgets.controls import row, separator
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.page import Page
from desktop_app.ui.views.widgets.row_list import RowList

_LIST_WIDTH = 320
_LISTS: tuple[tuple[CardFilter, str, str, str], ...] = (
    (CardFilter.WAITING, "Waiting", "hand", "attention"),
    (CardFilter.ANSWERED, "Answered", "send", "info"),
    (CardFilter.RESOLVED, "Settled", "history", "text_faint"),
)
_SHORTCUTS: dict[CardAct, str] = {
    "it_is_there": "Ctrl+Shift+T",
    "publish_it": "Ctrl+Shift+U",
    "look_again": "Ctrl+R",
    "close": "Ctrl+Shift+X",
}


class NeedsYouPage(Page):
    """What waits for the operator."""

    account_wanted = Signal(str)
    item_wanted = Signal(str, str)
    """A run, and an item of it."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Needs you", "cards")
        self._context = context
        self.presenter = CardsPresenter(context.presenters)
        self.detail = CardDetail(context.theme, self.presenter)
        self._build()
        self._connect()
        context.commands.add(*self._commands())
        self._refresh()

    def shown(self) -> None:
        """Note that the page is looked at now."""
        super().shown()
        self.presenter.look()

    def show_card(self, card_id: str) -> None:
        """Look at one card."""
        if self.search is not None and self.search.text():
            self.search.clear()
        self.presenter.show_list(CardFilter.WAITING)
        self.presenter.select(card_id)
        self.list.select(card_id)
        self._refresh()

    def _build(self) -> None:
        self.lists = ChipBar(self.theme, "Cards", shrinks=False)
        strip = QFrame()
        strip.setObjectName("toolbar")
        line = row(self.lists, 1)
        line.setContentsMargins(20, 0, 16, 12)
        strip.setLayout(line)
        self.strip = strip
        self.list = RowList(self.theme, self.presenter.open, "Attention cards")
        self.list.draw_with(CardRowDelegate(self.theme, self.list))
        self.list.setMinimumWidth(260)
        self.main = self.list
        self.nothing = EmptyState(self.theme)
        self.nothing.show_empty(Empty("inbox", "Choose a card", "Arrow keys go through the list."))
        self.right = QStackedWidget()
        self.right.addWidget(self.detail)
        self.right.addWidget(self.nothing)
        splitter = QSplitter()
        splitter.addWidget(self.list)
        splitter.addWidget(self.right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, 760])
        splitter.setChildrenCollapsible(False)
        self.empty = EmptyState(self.theme)
        self.stack = QStackedWidget()
        self.stack.addWidget(splitter)
        self.stack.addWidget(self.empty)
        self.body.addWidget(strip)
        self.body.addWidget(separator())
        self.body.addWidget(self.stack, 1)

    def _connect(self) -> None:
        presenter = self.presenter
        if self.search is not None:
            self.search.asked.connect(self._search)
        presenter.list_changed.connect(self._refresh)
        presenter.card_changed.connect(self._refresh)
        for table in (presenter.open, presenter.history):
            for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
                signal.connect(self._refresh)
        self._context.fleet.status_changed.connect(self._refresh)
        self.lists.chosen.connect(self._choose_list)
        self.list.row_chosen.connect(presenter.select)
        self.list.opened.connect(lambda _: self.detail.acts.focus_first())
        self.detail.account_wanted.connect(self.account_wanted)
        self.detail.item_wanted.connect(self.item_wanted)

    def _commands(self) -> tuple[Command, ...]:
        return tuple(
            Command(
                id=f"cards.{act}",
                title=f"Answer the card: {label[0].lower()}{label[1:]}",
                section="Needs you",
                icon=icon,
                shortcut=_SHORTCUTS[act],
                run=partial(self.detail.acts.answer, act),
                is_enabled=partial(self._may, act),
            )
            for act, (label, icon) in ACT_LABELS.items()
        )

    def _may(self, act: CardAct) -> bool:
        return self.isVisible() and self.presenter.may(act)

    def _search(self, text: str) -> None:
        self.presenter.open.set_search(text)
        self.presenter.history.set_search(text)
        self._refresh()

    def _choose_list(self, on: frozenset[str]) -> None:
        """Exactly one list is shown: the one that was clicked last, else the first."""
        chosen = on - {self.presenter.listed.value}
        self.list.select(None)
        self.presenter.show_list(CardFilter(next(iter(chosen), CardFilter.WAITING.value)))

    def _refresh(self, *_: object) -> None:
        presenter = self.presenter
        resolved = presenter.listed is CardFilter.RESOLVED
        self.list.show_rows(presenter.history if resolved else presenter.open)
        counts = presenter.counts()
        self.lists.set_chips(
            [
                Chip(key.value, label, counts[key], icon, colour)
                for key, label, icon, colour in _LISTS
            ],
            frozenset({presenter.listed.value}),
        )
        total = presenter.open.total
        self.count.setText(f"{total:,}" if total else "")
        self.strip.setVisible(self._context.fleet.cards.is_loaded)
        self._choose_first()
        empty = self._empty_state()
        if empty is not None:
            self.empty.show_empty(empty)
        self.stack.setCurrentIndex(0 if empty is None else 1)
        self.right.setCurrentIndex(1 if presenter.card is None else 0)

    def _choose_first(self) -> None:
        """Look at the first card where none is looked at."""
        presenter = self.presenter
        table = presenter.history if presenter.listed is CardFilter.RESOLVED else presenter.open
        if presenter.card is None and table.rowCount():
            presenter.select(table.id_at(0))
        if presenter.card_id is not None and table.line(presenter.card_id) is not None:
            self.list.select(presenter.card_id)

    def _empty_state(self) -> Empty | None:
        presenter, counts = self.presenter, self.presenter.counts()
        table = presenter.history if presenter.listed is CardFilter.RESOLVED else presenter.open
        if table.rowCount() or presenter.card is not None:
            return None
        if counts[presenter.listed] and self.search is not None and self.search.text():
            return Empty(
                "list-filter", "No card fits", "No card of this list is about what you search for.",
                "Clear the search", self.search.clear, "x",
            )  # fmt: skip
        waiting = waiting_state(self._context.fleet, self._context.fleet.cards.is_loaded)
        if waiting is not None:
            return waiting
        if presenter.listed is CardFilter.RESOLVED:
            if not presenter.is_history_read:
                return Empty("loader", "Reading…")
            return Empty("history", "Nothing was settled by you yet")
        if presenter.listed is CardFilter.ANSWERED:
            return Empty(
                "send", "No answer is on its way",
                "What you answer while an agent is offline stays here until it has heard it.",
            )  # fmt: skip
        return Empty(
            "circle-check", "Nothing needs you",
            "Where Flotilla cannot settle something by itself, it asks you here, with both sides "
            "of it: what was sent, and what the platform showed.",
        )  # fmt: skip
