"""Attention cards as the operator answers them.

Where an agent has the item, the answer is kept and told as soon as the agent is there; otherwise
it is carried out at once.
"""

import time
from functools import partial

from sqlalchemy import Connection

from common.domain.transitions import ITEM_FINAL
from common.errors import ConflictError, NotFoundError
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.core.changes import ChangeHub
from desktop_app.core.fleet import Fleet
from desktop_app.core.operator import operator_name
from desktop_app.core.placing import agents_for
from desktop_app.core.post_links import read_post_link
from desktop_app.core.views import Views
from desktop_app.store import accounts, agents, cards, intents, items, settling
from desktop_app.store.cards import Answer, CardRecord
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched


class CardService:
    """Takes the operator's answers."""

    def __init__(self, store: Store, hub: ChangeHub, fleet: Fleet, views: Views) -> None:
        self._store = store
        self._hub = hub
        self._fleet = fleet
        self._views = views

    async def act(self, card_id: str, command: ActOnCard) -> CardRow:
        """Answer a card; return it as it is then.

        Raises NotFoundError, InputError for the link, and ConflictError where the card is settled,
        the link is another item's post, or no agent is left to do what is asked.
        """
        async with self._fleet.deciding:
            work = partial(self._act, card_id=card_id, command=command, at=time.time())
            self._hub.touch(await self._store.write(work))
        self._fleet.wake_all()
        return await self._views.card(card_id)

    def _act(self, connection: Connection, card_id: str, command: ActOnCard, at: float) -> Touched:
        card = settling.require_open(connection, card_id)
        item = items.records(connection, [card.item_id]).get(card.item_id)
        if item is None:
            raise NotFoundError("The item of this card is gone.", subject=card.item_id)
        answer = self._answer(connection, card, command, at)
        if item.is_away and item.state not in ITEM_FINAL:
            return cards.save_answer(connection, card.id, answer)
        agent_id = self._agent_for(connection, item)
        touched = settling.settle_here(connection, card, item, answer, agent_id)
        if agent_id is not None and answer.act in {"publish_it", "look_again"}:
            touched |= accounts.assign(connection, {item.account_id: agent_id})
        return touched

    def _answer(
        self, connection: Connection, card: CardRecord, command: ActOnCard, at: float
    ) -> Answer:
        remote_id, url = "", ""
        if command.act == "it_is_there":
            account = accounts.records(connection, [card.account_id]).get(card.account_id)
            if account is None:
                raise ConflictError("The account of this card is no longer in the store.")
            remote_id, url = read_post_link(command.link, account)
            intent = intents.record(connection, card.action_id)
            intents.require_post_free(connection, intent, remote_id)
        return Answer(
            act=command.act, by=operator_name(), at=at, remote_id=remote_id, remote_url=url
        )

    def _agent_for(self, connection: Connection, item: ItemRecord) -> str | None:
        known = accounts.records(connection, [item.account_id])
        options = self._fleet.options(agents.records(connection))
        return agents_for([item], known, options).get(item.id)
