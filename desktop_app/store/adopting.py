"""Takes over what an agent holds where this store cannot know it: its own history was lost.

Usually events tell everything, in order; nothing of this is needed then. What cannot be taken over
from one item keeps nothing else back.
"""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from common.domain.states import ActionState
from common.errors import ConflictError, FlotillaError
from common.protocol.messages import InventoryRow
from desktop_app.store import cards, intents, items
from desktop_app.store.cards import Doubt
from desktop_app.store.inbox_rules import may_adopt, resolution_of
from desktop_app.store.records import IntentRecord, ItemRecord
from desktop_app.store.tables import ITEM, LEDGER_STEP
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.upsert import chunks

_NOTE = "The agent waits for a person here; this store had forgotten it."
_TAKEN = "The agent says that it made a post which is another item's here: {0}"

_log = logging.getLogger(__name__)


def adopt(
    connection: Connection, agent_id: str, rows: Sequence[InventoryRow], *, seq: int, at: float
) -> Touched:
    """Believe an agent's inventory, which was read when its outbox had reached `seq`.

    What events behind `seq` tell of an effect is newer, and stays.
    """
    known = items.records(connection, [row.item_id for row in rows])
    newer = _told_since(connection, agent_id, seq, [row.action_id for row in rows])
    touched = Touched()
    for row in rows:
        item = known.get(row.item_id)
        if item is None:
            continue
        try:
            with connection.begin_nested():
                touched |= _adopt(connection, item, row, at, is_newer_here=row.action_id in newer)
        except FlotillaError as problem:
            _log.error(
                "What agent %s says of item %s (@%s) cannot be taken over: %s Cancel the item, and "
                "look at the account's page before you publish it again.",
                agent_id,
                item.id,
                item.username,
                problem,
            )
    return touched


def _adopt(
    connection: Connection, item: ItemRecord, row: InventoryRow, at: float, *, is_newer_here: bool
) -> Touched:
    touched = _adopt_item(connection, item, row, at)
    if row.action is None or item.intent_id != row.action_id or is_newer_here:
        return touched
    return touched | _adopt_action(connection, item, row, row.action, at)


def _adopt_item(connection: Connection, item: ItemRecord, row: InventoryRow, at: float) -> Touched:
    values: dict[str, Any] = {"attempt": row.attempt, "state": row.state.value, "accepted_at": at}
    if row.attempt > item.attempt:
        values["log_end"] = 0
    connection.execute(update(ITEM).where(ITEM.c.id == item.id).values(values))
    return Touched.moved([ItemMove(item.id, item.run_id, item.state, row.state)])


def _adopt_action(
    connection: Connection, item: ItemRecord, row: InventoryRow, action: ActionState, at: float
) -> Touched:
    intent = intents.record(connection, row.action_id)
    if not may_adopt(intent.state, action):
        return Touched()
    if action is ActionState.CONFIRMED:
        return _confirm(connection, intent, item, row, at)
    card_ids = frozenset[str]()
    if intent.state is ActionState.UNRESOLVED:
        why = resolution_of(action, by="", note="")
        card_ids = cards.resolve(connection, intent.id, why, at=at)
    touched = intents.set_state(connection, [intent.id], action) | Touched(cards=card_ids)
    if action is ActionState.UNRESOLVED:
        touched |= _ask(connection, intent, item, _NOTE, at)
    return touched


def _confirm(
    connection: Connection, intent: IntentRecord, item: ItemRecord, row: InventoryRow, at: float
) -> Touched:
    """Take a post over as this item's; where it is another one's, a person has to say."""
    try:
        intents.require_post_free(connection, intent, row.remote_id)
    except ConflictError as taken:
        unresolved = intents.set_state(connection, [intent.id], ActionState.UNRESOLVED)
        return unresolved | _ask(connection, intent, item, _TAKEN.format(taken.message), at)
    why = resolution_of(ActionState.CONFIRMED, by="", note="the agent published it")
    settled = cards.resolve(connection, intent.id, why, at=at)
    confirmed = intents.confirm(connection, intent, row.remote_id, row.remote_url)
    return confirmed | Touched(cards=settled)


def _ask(
    connection: Connection, intent: IntentRecord, item: ItemRecord, note: str, at: float
) -> Touched:
    doubt = Doubt(
        action_id=intent.id,
        account_id=item.account_id,
        item_id=item.id,
        run_id=item.run_id,
        note=note,
    )
    return Touched(cards=frozenset({cards.open_card(connection, doubt, at=at)}))


def _told_since(
    connection: Connection, agent_id: str, seq: int, action_ids: Sequence[str]
) -> set[str]:
    found: set[str] = set()
    for some in chunks(action_ids):
        wanted = select(LEDGER_STEP.c.action_id).where(
            LEDGER_STEP.c.action_id.in_(some),
            LEDGER_STEP.c.agent_id == agent_id,
            LEDGER_STEP.c.seq > seq,
        )
        found.update(connection.scalars(wanted))
    return found
