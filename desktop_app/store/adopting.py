"""Takes over what an agent holds where this store cannot know it: its own history was lost.

Usually events tell everything, in order; nothing of this is needed then.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from common.domain.states import ActionState
from common.protocol.messages import InventoryRow
from desktop_app.store import cards, intents, items
from desktop_app.store.cards import Doubt
from desktop_app.store.inbox_rules import may_adopt, resolution_of
from desktop_app.store.records import IntentRecord, ItemRecord
from desktop_app.store.tables import ITEM, LEDGER_STEP
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.upsert import chunks

_NOTE = "The agent waits for a person here; this store had forgotten it."


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
        item = known[row.item_id]
        touched |= _adopt_item(connection, item, row, at)
        is_its_own = item.intent_id == row.action_id and row.action_id not in newer
        if row.action is not None and is_its_own:
            touched |= _adopt_action(connection, item, row, row.action, at)
    return touched


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
        intents.require_post_free(connection, intent, row.remote_id)
        return intents.confirm(connection, intent, row.remote_id, row.remote_url)
    card_ids = frozenset[str]()
    if intent.state is ActionState.UNRESOLVED:
        why = resolution_of(action, by="", note="")
        card_ids = cards.resolve(connection, intent.id, why, at=at)
    touched = intents.set_state(connection, [intent.id], action) | Touched(cards=card_ids)
    if action is ActionState.UNRESOLVED:
        card_id = cards.open_card(connection, _doubt(intent, item), at=at)
        touched |= Touched(cards=frozenset({card_id}))
    return touched


def _doubt(intent: IntentRecord, item: ItemRecord) -> Doubt:
    return Doubt(
        action_id=intent.id,
        account_id=item.account_id,
        item_id=item.id,
        run_id=item.run_id,
        note=_NOTE,
    )


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
