"""What the core does with one agent while the link is up: agree on the state, then keep working.

First both sides compare what the agent holds and heal what differs; then what waited for the agent
is told to it, the operator's answers before his wishes; only then is new work handed over.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from common.domain.ids import new_id
from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import (
    AgentUnreachableError,
    ConflictError,
    FlotillaError,
    LinkError,
    NotFoundError,
    WireError,
)
from common.protocol.messages import (
    AskInventory,
    ControlItems,
    Controlled,
    Cursor,
    Inventory,
    InventoryRow,
    SettleAction,
)
from common.protocol.outbox import follows, was_put_back
from desktop_app.core.answers import AnswerTeller
from desktop_app.core.gate import DispatchGate
from desktop_app.core.handover import Handover
from desktop_app.core.healing import Healing, compare, higher_fences
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import accounts, adopting, agents, generations, items, rehoming, settling
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

Verb = Literal["pause", "resume", "cancel"]

VERB_OF_WISH: dict[str, Verb] = {"paused": "pause", "resumed": "resume", "cancelled": "cancel"}
"""What a wish stored with an item asks of its agent."""
WISH_OF_VERB: dict[Verb, str] = {verb: wish for wish, verb in VERB_OF_WISH.items()}

_GRANTED = {"paused": ItemState.PAUSED, "cancelled": ItemState.CANCELLED}
"""What a wish makes of an item that no agent has."""
_SILENCE_SECONDS = 45.0
"""How long no event may come while some are due."""
_INVENTORY_SECONDS = 60.0
_ITEMS_PER_CONTROL = 250
"""As many as fit one message, with their fences and with a refusal for each in the answer."""
_LOST = LinkError("The agent lost this item.", advice="Look at the account's page.").to_wire()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What our hello said, and when in the store's life that was."""

    cursor: Cursor
    mark: int
    generation: int


class AgentWork:
    """The work with one agent; made anew for each session."""

    def __init__(
        self,
        live: LiveLink,
        store: Store,
        gate: DispatchGate,
        deciding: asyncio.Lock,
        changed: Callable[[Touched], object],
        let_go: Callable[[], Awaitable[None]],
    ) -> None:
        """`let_go` moves those accounts on that wait to leave this agent."""
        self._live = live
        self._store = store
        self._gate = gate
        self._let_go = let_go
        self._changed = changed
        self._handover = Handover(store, gate, deciding, changed)
        self._answers = AnswerTeller(live, store, self.control, changed)
        self._more = asyncio.Event()
        self._more.set()
        self._news = asyncio.Event()
        self._is_first_link = True
        self._told: dict[str, tuple[int, str]] = {}
        """Wishes that the agent has heard in this session, with the attempt, by item."""
        self._applied_seq = 0
        self._compared_in: int | None = None
        self._heard_in = 0

    def wake(self) -> None:
        """There is something new to hand over or to tell."""
        self._more.set()

    def compare_again(self) -> None:
        """Something was taken from the agent: it has to give up what it still has of it."""
        self._compared_in = None
        self.wake()

    def events_came(self, seq: int) -> None:
        """Events up to `seq` were applied."""
        self._applied_seq = seq
        self._news.set()

    async def begin(self, greeting: Greeting) -> None:
        """Store what the agent said of itself; begin a new history where ours does not follow.

        Raises LinkError for an agent that says what cannot be.
        """
        card, cursor = self._live.card, greeting.cursor
        is_put_back = was_put_back(greeting.mark, card.seen_mark)
        before = await self._store.read(partial(agents.record, agent_id=card.agent_id))
        self._heard_in = before.generation
        self._is_first_link = not cursor.epoch
        self._applied_seq = cursor.seq
        if not follows(cursor, card.epoch, card.lowest_seq):
            fresh = Cursor(epoch=card.epoch, seq=max(card.lowest_seq - 1, 0))
            work = partial(
                agents.begin_history, agent_id=card.agent_id, cursor=fresh, at=time.time()
            )
            self._changed(await self._store.write(work))
            self._applied_seq = fresh.seq
            if not self._is_first_link:
                _log.warning("The history of agent %s does not follow.", card.name)
        if is_put_back:
            put_back = partial(
                generations.note_put_back,
                seen=card.seen_mark,
                generation=greeting.generation,
                at=time.time(),
            )
            self._changed(await self._store.write(put_back))
            _log.warning("This store was put back: agent %s has seen more of it.", card.name)
        self._changed(await self._store.write(partial(agents.save_card, card=card, at=time.time())))
        await self._gate.look()

    async def run(self) -> None:
        """Heal, then tell wishes and hand over whenever there is something; until cancelled."""
        await self._compare_if_due()
        while True:
            await self._more.wait()
            is_more = True
            while is_more:
                if self._more.is_set():
                    self._more.clear()
                    await self._compare_if_due()
                    await self._tell_published()
                    await self._answers.tell()
                    await self.tell_wishes()
                    await self._let_go()
                is_more = await self._handover.hand_over_some(self._live)

    async def control(self, verb: Verb, ids: Collection[str]) -> dict[str, WireError]:
        """Ask the agent for a verb; return what it refused, and why, by item id.

        A wish is over once it was heard, but for three. One about an item that the agent does not
        know counts when that is cleared up. A granted pause stays until its event is applied, so
        that a resume right behind it finds what to undo. A cancel stays until the item has ended:
        a post on its way, or in doubt, has to have its verdict first. Nor is another wish over
        that came meanwhile.
        """
        refused = await self._ask(verb, ids)
        over = [item_id for item_id in ids if _is_over(verb, refused.get(item_id))]
        if over:
            work = partial(_end_wishes, ids=over, wish=WISH_OF_VERB[verb])
            self._changed(await self._store.write(work))
        return refused

    async def _ask(self, verb: Verb, ids: Collection[str]) -> dict[str, WireError]:
        refused: dict[str, WireError] = {}
        everything = list(ids)
        fences = await self._store.read(partial(_fences_of_items, ids=everything))
        for start in range(0, len(everything), _ITEMS_PER_CONTROL):
            some = everything[start : start + _ITEMS_PER_CONTROL]
            request = ControlItems(
                id=new_id(),
                verb=verb,
                item_ids=some,
                fences={item_id: fences[item_id] for item_id in some if item_id in fences},
            )
            answer = await self._live.request(request)
            if isinstance(answer, Controlled):
                refused |= answer.refused
        return refused

    async def tell_wishes(self) -> None:
        """Tell the agent what the operator asked while it was away, and take its answer.

        An item that it does not know never reached it: the wish is granted here.
        """
        waiting = await self._store.read(partial(items.with_wishes, agent_id=self._live.agent_id))
        never_sent = [item for item in waiting if not item.is_away]
        for wish, verb in VERB_OF_WISH.items():
            asked = {
                item.id: item
                for item in waiting
                if item.wanted == wish
                and item.is_away
                and self._told.get(item.id) != (item.attempt, wish)
            }
            refused = await self.control(verb, asked)
            for item_id, item in asked.items():
                error = refused.get(item_id)
                if not is_unknown(error):
                    self._told[item_id] = (item.attempt, wish)
                elif not item.accepted:
                    never_sent.append(item)
                if error is not None and item not in never_sent:
                    _log.warning("Item %s could not be %s: %s", item_id, wish, error.message)
        for item in never_sent:
            grant = partial(_grant_wish, item=item, at=time.time())
            self._changed(await self._store.write(grant))

    async def _tell_published(self) -> None:
        """End what waits here or there although its post exists: an earlier agent came back."""
        find = partial(items.published_elsewhere, agent_id=self._live.agent_id)
        ended = []
        for item in await self._store.read(find):
            try:
                if item.is_away:
                    await self._live.request(await self._store.read(partial(_there, item=item)))
                else:
                    ended.append(item)
            except AgentUnreachableError:
                raise
            except NotFoundError:
                ended.append(item)
            except FlotillaError as refusal:
                _log.warning("Item %s is not closed at the agent: %s", item.id, refusal.message)
        if ended:
            work = partial(rehoming.finish, found=ended, at=time.time())
            self._changed(await self._store.write(work))

    async def _compare_if_due(self) -> None:
        """Compare what the agent holds: once a session and a generation, and when asked to."""
        while self._compared_in != self._gate.generation:
            generation = self._gate.generation
            inventory = await self._inventory()
            if await self._is_news_of_a_loss(inventory.rows):
                continue
            await self._heal(inventory, is_lost=self._heard_in < generation)
            self._compared_in = self._heard_in = generation
            await self._gate.note_heard(self._live.agent_id, generation)

    async def _is_news_of_a_loss(self, rows: Collection[InventoryRow]) -> bool:
        """Begin a new generation where the agent knows what this store has forgotten."""
        work = partial(
            _note_forgotten,
            agent_id=self._live.agent_id,
            rows=rows,
            is_first=self._is_first_link,
            at=time.time(),
        )
        touched = await self._store.write(work)
        if touched is None:
            return False
        _log.warning("Agent %s knows more than this store.", self._live.card.name)
        self._changed(touched)
        await self._gate.look()
        return True

    async def _heal(self, inventory: Inventory, *, is_lost: bool) -> None:
        """Mend what differs; believe the agent's journal where a history `is_lost`."""
        healing = compare(self._live.agent_id, await self._known(inventory.rows), inventory.rows)
        now = time.time()
        if is_lost:
            adopt = partial(
                adopting.adopt,
                agent_id=self._live.agent_id,
                rows=healing.held,
                seq=inventory.last_seq,
                at=now,
            )
            self._changed(await self._store.write(adopt))
        elif healing.newer_there:
            work = partial(items.save_accepted, attempts=healing.newer_there, at=now)
            self._changed(await self._store.write(work))
        await self._close_there(healing)
        if healing.suspects:
            _log.warning("The agent lost %d items.", len(healing.suspects))
            lost = partial(_rehome_lost, ids=healing.suspects, agent_id=self._live.agent_id, at=now)
            self._changed(await self._store.write(lost))

    async def _close_there(self, healing: Healing) -> None:
        """Close at the agent what is not its own here: published, cancelled, another agent's.

        No wish is over by that: it is about what the item is here.
        """
        to_cancel = set(healing.to_cancel)
        for row in healing.to_confirm:
            try:
                await self._live.request(await self._store.read(partial(_settled, row=row)))
            except AgentUnreachableError:
                raise
            except FlotillaError:
                to_cancel.add(row.item_id)
        for item_id, error in (await self._ask("cancel", to_cancel)).items():
            _log.warning("Item %s is not closed at the agent: %s", item_id, error.message)

    async def _inventory(self) -> Inventory:
        """Ask what the agent holds, and wait until everything is applied that led to it."""
        answer = await self._live.request(AskInventory(id=new_id()), _INVENTORY_SECONDS)
        if not isinstance(answer, Inventory):
            raise LinkError("The agent did not answer with an inventory.")
        while self._applied_seq < answer.last_seq:
            self._news.clear()
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                raise LinkError("The agent does not send the events that it has.") from None
        return answer

    async def _known(self, held: Collection[InventoryRow]) -> list[ItemRecord]:
        """Return the store's unfinished items of this agent, and those that it names itself."""
        ours = await self._store.read(partial(items.unfinished, agent_id=self._live.agent_id))
        named = await self._store.read(partial(items.records, ids=[row.item_id for row in held]))
        return list({item.id: item for item in [*ours, *named.values()]}.values())


def is_unknown(refusal: WireError | None) -> bool:
    """Say whether an agent left an item as it is because it has no such item."""
    return refusal is not None and refusal.code == NotFoundError.code


def is_postponed(verb: Verb, refusal: WireError) -> bool:
    """Say whether an agent will do what it was asked, as soon as it can."""
    return verb == "cancel" and refusal.code == ConflictError.code


def _is_over(verb: Verb, refusal: WireError | None) -> bool:
    """Say whether a wish that an agent has heard is over; otherwise what comes of it ends it."""
    if refusal is None:
        return verb == "resume"
    return not (is_unknown(refusal) or is_postponed(verb, refusal))


def _end_wishes(connection: Connection, ids: Collection[str], wish: str) -> Touched:
    found = items.records(connection, ids).values()
    over = [item.id for item in found if item.wanted == wish]
    return items.want(connection, over, None)


def _grant_wish(connection: Connection, item: ItemRecord, at: float) -> Touched:
    state = _GRANTED.get(item.wanted or "")
    touched = items.place_at(connection, item, item.agent_id, {})
    return touched | (items.move(connection, [item.id], state, at=at) if state else Touched())


def _fences_of_items(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    found = items.records(connection, ids)
    fences = accounts.fences(connection, {item.account_id for item in found.values()})
    return {
        item.id: fences[item.account_id] for item in found.values() if item.account_id in fences
    }


def _note_forgotten(
    connection: Connection,
    agent_id: str,
    rows: Collection[InventoryRow],
    *,
    is_first: bool,
    at: float,
) -> Touched | None:
    """Take note of fences and items that this store did not give; None where there are none.

    An agent that links for the first time may have worked for another store before.
    """
    known = items.records(connection, [row.item_id for row in rows])
    foreign = [row.item_id for row in rows if row.item_id not in known]
    has_news = agents.note_foreign_items(connection, agent_id, foreign) and not is_first
    ours = [row for row in rows if row.item_id in known]
    fences = accounts.fences(connection, {row.account_id for row in ours})
    higher = higher_fences(fences, ours)
    if not has_news and not higher:
        return None
    return accounts.raise_fences(connection, higher) | generations.begin(connection, at=at)


def _settled(connection: Connection, row: InventoryRow) -> SettleAction:
    """Return what the store knows of a post, to tell the agent that still has it open."""
    (fence,) = accounts.fences(connection, [row.account_id]).values() or (row.fence,)
    return _word(connection, row.item_id, row.action_id, fence)


def _there(connection: Connection, item: ItemRecord) -> SettleAction:
    """Return what the store knows of the post of an item that waits at an agent."""
    fence = accounts.fences(connection, [item.account_id]).get(item.account_id, 0)
    return _word(connection, item.id, item.intent_id or "", fence)


def _word(connection: Connection, item_id: str, action_id: str, fence: int) -> SettleAction:
    return SettleAction(
        id=new_id(),
        item_id=item_id,
        action_id=action_id,
        fence=fence,
        verdict="there",
        remote_id=items.remote_id(connection, item_id),
        remote_url=items.row(connection, item_id).link,
    )


def _rehome_lost(connection: Connection, ids: Collection[str], agent_id: str, at: float) -> Touched:
    found = [
        item
        for item in items.records(connection, ids).values()
        if item.state not in ITEM_FINAL and item.agent_id == agent_id and item.accepted
    ]
    same = {item.id: agent_id for item in found}
    return settling.take_from_agent(connection, found, same, at=at, error=_LOST)
