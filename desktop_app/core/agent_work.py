"""What the core does with one agent while the link is up: agree on the state, then keep working.

First both sides compare what the agent holds and heal what differs; then wishes that waited for
the agent are told to it; only then is new work handed over.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from common.domain.ids import new_id
from common.domain.states import ItemState
from common.errors import LinkError, WireError
from common.protocol.messages import (
    AskInventory,
    ControlItems,
    Controlled,
    Cursor,
    Inventory,
    InventoryRow,
)
from desktop_app.core.handover import Handover, InFlight
from desktop_app.core.healing import compare, judge_loss
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import agents, items
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

Verb = Literal["pause", "resume", "cancel"]

VERB_OF_WISH: dict[str, Verb] = {"paused": "pause", "resumed": "resume", "cancelled": "cancel"}
"""What a wish stored with an item asks of its agent."""
WISH_OF_VERB: dict[Verb, str] = {verb: wish for wish, verb in VERB_OF_WISH.items()}

_GRANTED = {"paused": ItemState.PAUSED, "cancelled": ItemState.CANCELLED}
"""What a wish makes of an item that no agent has."""
_QUIET_SECONDS = 2.0
"""How long no event may have come before an item that is missing counts as lost."""
_CATCH_UP_SECONDS = 20.0
_INVENTORY_SECONDS = 60.0
_ITEMS_PER_CONTROL = 1000
_LOST = "The agent lost this item; it may have had its effect."

_log = logging.getLogger(__name__)


class AgentWork:
    """The work with one agent; made anew for each session."""

    def __init__(
        self,
        live: LiveLink,
        store: Store,
        in_flight: InFlight,
        changed: Callable[[Touched], object],
    ) -> None:
        self._live = live
        self._store = store
        self._in_flight = in_flight
        self._changed = changed
        self._handover = Handover(store, in_flight, changed)
        self._more = asyncio.Event()
        self._more.set()
        self._news = asyncio.Event()
        self._is_same_history = True

    def wake(self) -> None:
        """There is something new to hand over or to tell."""
        self._more.set()

    def events_came(self) -> None:
        """Events were applied: the outbox is still being replayed, or the agent is at work."""
        self._news.set()

    async def begin(self, cursor: Cursor) -> None:
        """Store what the agent said of itself; begin a new history where ours does not follow."""
        card = self._live.card
        follows = card.epoch == cursor.epoch and card.lowest_seq <= cursor.seq + 1
        if not follows:
            fresh = Cursor(epoch=card.epoch, seq=max(card.lowest_seq - 1, 0))
            work = partial(agents.begin_history, agent_id=card.agent_id, cursor=fresh)
            self._changed(await self._store.write(work))
            if cursor.epoch:
                self._is_same_history = False
                _log.warning("Agent %s begins a new history.", card.name)
        self._changed(await self._store.write(partial(agents.save_card, card=card, at=time.time())))

    @property
    def is_same_history(self) -> bool:
        """False where this session had to begin a new history."""
        return self._is_same_history

    async def run(self) -> None:
        """Heal, then tell wishes and hand over whenever there is something; until cancelled."""
        await self._heal()
        await self._settle_here()
        while True:
            await self._more.wait()
            is_more = True
            while is_more:
                if self._more.is_set():
                    self._more.clear()
                    await self.tell_wishes()
                is_more = await self._handover.hand_over_some(self._live)

    async def control(self, verb: Verb, ids: Collection[str]) -> dict[str, WireError]:
        """Ask the agent for a verb; return what it refused, and why, by item id."""
        refused: dict[str, WireError] = {}
        everything = list(ids)
        for start in range(0, len(everything), _ITEMS_PER_CONTROL):
            some = everything[start : start + _ITEMS_PER_CONTROL]
            answer = await self._live.request(ControlItems(id=new_id(), verb=verb, item_ids=some))
            if isinstance(answer, Controlled):
                refused |= answer.refused
        if everything:
            self._changed(await self._store.write(partial(items.want, ids=everything, wanted=None)))
        return refused

    async def tell_wishes(self) -> None:
        """Tell the agent what the operator asked while it was away."""
        waiting = await self._store.read(
            partial(items.with_wishes, agent_id=self._live.agent_id, accepted=True)
        )
        for wish, verb in VERB_OF_WISH.items():
            ids = [item.id for item in waiting if item.wanted == wish]
            for item_id, error in (await self.control(verb, ids)).items():
                _log.warning("Item %s could not be %s: %s", item_id, wish, error.message)

    async def _settle_here(self) -> None:
        """Grant the wishes about items that, as we know now, never reached the agent."""
        agent_id = self._live.agent_id
        async with self._in_flight.deciding:
            self._in_flight.clear(agent_id)
            work = partial(items.with_wishes, agent_id=agent_id, accepted=False)
            for item in await self._store.read(work):
                grant = partial(_grant_wish, item=item, at=time.time())
                self._changed(await self._store.write(grant))

    async def _heal(self) -> None:
        held = await self._inventory()
        healing = compare(await self._known(held), held)
        if healing.newer_there:
            work = partial(items.save_accepted, attempts=healing.newer_there, at=time.time())
            self._changed(await self._store.write(work))
        if healing.to_cancel:
            await self.control("cancel", healing.to_cancel)
        if healing.suspects:
            await self._heal_losses(healing.suspects)

    async def _heal_losses(self, suspects: Collection[str]) -> None:
        """Decide on items that the agent does not name, once it has told everything it knows."""
        if not await self._is_caught_up():
            _log.warning("Agent %s is too busy to be compared; later.", self._live.card.name)
            return
        held = {(row.item_id, row.attempt) for row in await self._inventory()}
        known = await self._store.read(partial(items.records, ids=suspects))
        open_ids = {item.id for item in await self._unfinished()}
        lost = [
            item
            for item in known.values()
            if item.id in open_ids and (item.id, item.attempt) not in held
        ]
        loss = judge_loss(lost, is_same_history=self._is_same_history)
        now = time.time()
        if loss.to_requeue:
            _log.warning("The agent lost %d items; handing them over again.", len(loss.to_requeue))
            work = partial(items.requeue, ids=loss.to_requeue, at=now)
            self._changed(await self._store.write(work))
        error = LinkError(_LOST, advice="Look at the account's page before you decide.").to_wire()
        for state in (ItemState.INTERRUPTED, ItemState.NEEDS_OPERATOR):
            move = partial(items.move, ids=loss.in_doubt, state=state, at=now, error=error)
            self._changed(await self._store.write(move))

    async def _is_caught_up(self) -> bool:
        """Wait until no event came for a while; False where they do not stop coming."""
        until = time.monotonic() + _CATCH_UP_SECONDS
        while time.monotonic() < until:
            self._news.clear()
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return True
        return False

    async def _inventory(self) -> list[InventoryRow]:
        answer = await self._live.request(AskInventory(id=new_id()), _INVENTORY_SECONDS)
        if not isinstance(answer, Inventory):
            raise LinkError("The agent did not answer with an inventory.")
        return answer.rows

    async def _unfinished(self) -> list[ItemRecord]:
        return await self._store.read(partial(items.unfinished, agent_id=self._live.agent_id))

    async def _known(self, held: Collection[InventoryRow]) -> list[ItemRecord]:
        """Return the store's unfinished items of this agent, and those that it names itself."""
        named = await self._store.read(partial(items.records, ids=[row.item_id for row in held]))
        return list(
            {item.id: item for item in [*await self._unfinished(), *named.values()]}.values()
        )


def _grant_wish(connection: Connection, item: ItemRecord, at: float) -> Touched:
    state = _GRANTED.get(item.wanted or "")
    moved = items.move(connection, [item.id], state, at=at) if state else Touched()
    return moved | items.want(connection, [item.id], None)
