"""Tells an agent what the operator answered to the cards of its items, before any new work."""

import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from sqlalchemy import Connection

from common.errors import AgentUnreachableError, FlotillaError, NotFoundError, WireError, from_wire
from common.protocol.messages import SettleAction
from desktop_app.contract.cards import CardAct
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import accounts, cards, items, settling
from desktop_app.store.cards import Answer, CardRecord
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

_VERDICTS: dict[CardAct, Literal["there", "absent", "look_again"]] = {
    "it_is_there": "there",
    "publish_it": "absent",
    "look_again": "look_again",
}

_log = logging.getLogger(__name__)


class Control(Protocol):
    """Asks the agent for a verb."""

    def __call__(
        self, verb: Literal["cancel"], ids: Collection[str]
    ) -> Awaitable[dict[str, WireError]]:
        """Return what was refused, and why, by item id."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    """One answer and what is needed to tell it."""

    card: CardRecord
    answer: Answer
    item: ItemRecord
    fence: int


class AnswerTeller:
    """Tells one agent, over one session."""

    def __init__(
        self,
        live: LiveLink,
        store: Store,
        control: Control,
        changed: Callable[[Touched], object],
    ) -> None:
        self._live = live
        self._store = store
        self._control = control
        self._changed = changed
        self._taken: set[tuple[str, float]] = set()
        """Answers that the agent took; what follows from them comes as events."""

    async def tell(self) -> None:
        """Tell what was answered and not told in this session yet. Safe to repeat."""
        waiting = await self._store.read(partial(_answered, agent_id=self._live.agent_id))
        for told in waiting:
            key = (told.card.id, told.answer.at)
            if key in self._taken:
                continue
            work = partial(
                cards.save_told, card_id=told.card.id, answer=told.answer, at=time.time()
            )
            touched = await self._store.write(work)
            if touched is None:
                continue  # settled, or answered otherwise meanwhile; that wakes us
            self._changed(touched)
            try:
                await self._tell(told)
            except AgentUnreachableError:
                raise
            except NotFoundError:
                await self._settle_here(told)
            except FlotillaError as refusal:
                await self._ask_again(told, refusal)
            self._taken.add(key)

    async def _tell(self, told: _Told) -> None:
        if told.answer.act == "close":
            refused = await self._control("cancel", [told.item.id])
            for error in refused.values():
                raise from_wire(error)
            return
        request = SettleAction(
            id=_word_id(told),
            item_id=told.item.id,
            action_id=told.card.action_id,
            fence=told.fence,
            verdict=_VERDICTS[told.answer.act],
            remote_id=told.answer.remote_id,
            remote_url=told.answer.remote_url,
            by=told.answer.by,
            check=told.answer.act == "it_is_there",
        )
        await self._live.request(request)

    async def _settle_here(self, told: _Told) -> None:
        """The agent knows nothing of it any more: what was said is carried out here."""
        work = partial(_settle_here, told=told, agent_id=self._live.agent_id)
        try:
            self._changed(await self._store.write(work))
        except FlotillaError as refusal:
            await self._ask_again(told, refusal)

    async def _ask_again(self, told: _Told, refusal: FlotillaError) -> None:
        _log.warning("The answer to card %s was refused: %s", told.card.id, refusal.message)
        note = f"Your answer was not taken: {refusal.message}"
        work = partial(cards.drop_answer, card_id=told.card.id, note=note)
        self._changed(await self._store.write(work))


def _word_id(told: _Told) -> str:
    """Return an id that the same word has in every session: an agent takes each word once."""
    return f"{told.card.id}.{int(told.answer.at * 1000)}"


def _settle_here(connection: Connection, told: _Told, agent_id: str) -> Touched:
    """Carry an answer out, unless the card is settled or the item has moved on meanwhile."""
    item = items.records(connection, [told.item.id]).get(told.item.id)
    if item is None or item.agent_id != agent_id or item.attempt != told.item.attempt:
        return Touched()
    if not cards.stands(connection, told.card.id, told.answer):
        return Touched()
    return settling.settle_here(connection, told.card, item, told.answer, agent_id)


def _answered(connection: Connection, agent_id: str) -> list[_Told]:
    found = cards.answered(connection, agent_id)
    known = items.records(connection, [card.item_id for card in found])
    fences = accounts.fences(connection, {card.account_id for card in found})
    return [
        _Told(card, card.answer, known[card.item_id], fences.get(card.account_id, 0))
        for card in found
        if card.answer is not None and known[card.item_id].is_away
    ]
