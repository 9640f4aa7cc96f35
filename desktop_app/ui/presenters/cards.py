"""The page of attention cards: which are listed, the one that is looked at, and answering it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QObject, Signal

from common.errors import FlotillaError
from desktop_app.contract.cards import ActOnCard, CardAct, CardRow
from desktop_app.contract.changes import Delta
from desktop_app.ui.models.cards import CardFilter, card_table, filter_of
from desktop_app.ui.presenters.context import PresenterContext

_HISTORY_ROWS = 200


class CardsPresenter(QObject):
    """What the page shows and does."""

    card_changed = Signal()
    """Another card is looked at, or that one changed."""
    list_changed = Signal()
    """Another list is shown, or how many cards are in which."""
    answer_changed = Signal()
    """An answer is on its way, was taken, or was refused."""

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.open = context.fleet.cards.table
        self.history = card_table()
        self.thumbnails = context.thumbnails
        self.listed = CardFilter.WAITING
        self.card_id: str | None = None
        self._looked_at: CardRow | None = None
        """That card as it was last seen: it stays in sight while it goes from list to list."""
        self.answering: CardAct | None = None
        """What the core is being told."""
        self.problem: FlotillaError | None = None
        """Why the core did not take the last answer."""
        self.is_history_read = False
        context.fleet.delta_applied.connect(self._take)
        context.fleet.restarted.connect(self._restarted)
        for signal in (self.open.modelReset, self.open.rowsInserted, self.open.rowsRemoved):
            signal.connect(self._list_moved)
        self.show_list(CardFilter.WAITING)

    @property
    def card(self) -> CardRow | None:
        """The card that is looked at."""
        return self._known(self.card_id) or self._looked_at

    def counts(self) -> Counter[CardFilter]:
        """Return how many cards are in each list, as far as they are here."""
        counts = Counter(filter_of(card) for card in self.open.rows())
        counts[CardFilter.RESOLVED] = self.history.total
        return counts

    def show_list(self, listed: CardFilter) -> None:
        """Show the cards that wait, were answered, or are settled; none is looked at yet."""
        self.listed = listed
        self.open.set_filter(lambda card: filter_of(card) is listed)
        self.select(None)
        self.list_changed.emit()

    def look(self) -> None:
        """Note that the page is looked at: the settled cards are read, once."""
        if not self.is_history_read:
            self._context.tasks.spawn(self, self._read_history(), "settled cards")

    def select(self, card_id: str | None) -> None:
        """Look at a card."""
        if card_id != self.card_id:
            self.card_id = card_id
            self._looked_at = self._known(card_id)
            self.problem = None
            self.card_changed.emit()
            self.answer_changed.emit()

    def _known(self, card_id: str | None) -> CardRow | None:
        if card_id is None:
            return None
        return self.open.row(card_id) or self.history.row(card_id)

    def may(self, act: CardAct) -> bool:
        """Say whether the card that is looked at may be answered so now."""
        return self.answering is None and self.card is not None and act in self.card.acts

    def act(self, act: CardAct, link: str = "") -> None:
        """Answer the card that is looked at."""
        if self.may(act) and self.card_id is not None:
            self.answering, self.problem = act, None
            self.answer_changed.emit()
            work = self._act(self.card_id, ActOnCard(act=act, link=link))
            self._context.tasks.spawn(self, work, "answer a card")

    def _list_moved(self, *_: object) -> None:
        self.list_changed.emit()

    async def _act(self, card_id: str, command: ActOnCard) -> None:
        try:
            card = await self._context.core.act_on_card(card_id, command)
        except FlotillaError as problem:
            if card_id != self.card_id:
                raise
            self.problem = problem
            return
        finally:
            self.answering = None
            self.answer_changed.emit()
        self._put(card)

    async def _read_history(self) -> None:
        page = await self._context.core.cards(resolved=True, limit=_HISTORY_ROWS)
        self.is_history_read = True
        self.history.apply(page.rows)
        self.history.flush()
        self.list_changed.emit()

    def _restarted(self) -> None:
        if self.is_history_read:
            self._context.tasks.spawn(self, self._read_history(), "settled cards")
        self.card_changed.emit()

    def _take(self, delta: Delta) -> None:
        self.history.apply([card for card in delta.cards if card.resolved_at is not None])
        if delta.cards:
            self.list_changed.emit()
        for card in delta.cards:
            if card.id == self.card_id:
                self._looked_at = card
                self.card_changed.emit()

    def _put(self, card: CardRow) -> None:
        """Show a card as the core answered it, before its change arrives."""
        if card.id == self.card_id:
            self._looked_at = card
        if card.resolved_at is None:
            self.open.apply([card])
        else:
            self.history.apply([card])
            self.open.apply(removed=[card.id])
        self.list_changed.emit()
        self.card_changed.emit()
