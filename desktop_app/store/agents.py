"""Paired agents: address, certificate, token, and the cursor into each one's outbox."""

from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, and_, delete, func, or_, select, update

from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import NotFoundError
from common.protocol.messages import AgentCard, Cursor
from desktop_app.store import intents, meta
from desktop_app.store.records import AgentRecord
from desktop_app.store.tables import ACCOUNT, AGENT, ITEM, PUBLISH_INTENT
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.vault import Vault

_OPEN_ITEMS = [state.value for state in ItemState if state not in ITEM_FINAL]
_SENT = [ActionState.SENDING.value, ActionState.IN_DOUBT.value, ActionState.RECONCILING.value]
_UNSENT = [
    ActionState.PLANNED.value,
    ActionState.PREPARED.value,
    # Absent in an earlier attempt: a later one of the same item may have been sent since.
    ActionState.PROVEN_ABSENT.value,
]


def save_pairing(
    connection: Connection,
    vault: Vault,
    *,
    agent_id: str,
    name: str,
    host: str,
    port: int,
    certificate: str,
    token: SecretStr,
    scope: str,
    at: float,
) -> Touched:
    """Store a paired agent. One that is paired anew keeps its cursor."""
    row = {
        "id": agent_id,
        "name": name,
        "host": host,
        "port": port,
        "certificate": certificate,
        "token": vault.seal("agent", "token", agent_id, token),
        "scope": scope,
        "paired_at": at,
    }
    known = connection.scalar(select(AGENT.c.id).where(AGENT.c.id == agent_id))
    if known:
        connection.execute(update(AGENT).where(AGENT.c.id == agent_id).values(row))
    else:
        fresh = {"card": None, "cursor_epoch": "", "cursor_seq": 0, "last_seen": None}
        connection.execute(AGENT.insert().values(row | fresh))
    return Touched(agents=frozenset({agent_id}))


def records(connection: Connection) -> list[AgentRecord]:
    """Return every paired agent, by name."""
    found = connection.execute(select(AGENT).order_by(AGENT.c.name, AGENT.c.id))
    return [_record(row) for row in found]


def record(connection: Connection, agent_id: str) -> AgentRecord:
    """Return one paired agent; raises NotFoundError."""
    row = connection.execute(select(AGENT).where(AGENT.c.id == agent_id)).first()
    if row is None:
        raise NotFoundError("This agent is not paired.", subject=agent_id)
    return _record(row)


def token(connection: Connection, vault: Vault, agent_id: str) -> SecretStr:
    """Open the token of an agent; raises NotFoundError, VaultError."""
    sealed = connection.scalar(select(AGENT.c.token).where(AGENT.c.id == agent_id))
    if sealed is None:
        raise NotFoundError("This agent is not paired.", subject=agent_id)
    return vault.open("agent", "token", agent_id, sealed)


def save_card(connection: Connection, card: AgentCard, at: float) -> Touched:
    """Store what an agent said of itself when the link opened."""
    values = {"card": card.model_dump(mode="json"), "name": card.name, "last_seen": at}
    connection.execute(update(AGENT).where(AGENT.c.id == card.agent_id).values(values))
    return Touched(agents=frozenset({card.agent_id}))


def save_seen(connection: Connection, agent_id: str, at: float) -> None:
    """Note when something was last heard from an agent."""
    connection.execute(update(AGENT).where(AGENT.c.id == agent_id).values(last_seen=at))


def account_counts(connection: Connection) -> dict[str, int]:
    """Return how many accounts each agent has."""
    counted = connection.execute(
        select(ACCOUNT.c.agent_id, func.count())
        .where(ACCOUNT.c.agent_id.is_not(None))
        .group_by(ACCOUNT.c.agent_id)
    )
    return {row[0]: row[1] for row in counted}


def open_items(connection: Connection, agent_id: str) -> int:
    """Return how many unfinished items are with an agent."""
    counted = select(func.count()).where(ITEM.c.agent_id == agent_id, ITEM.c.state.in_(_OPEN_ITEMS))
    return connection.scalar(counted) or 0


def forget(connection: Connection, agent_id: str) -> Touched:
    """Remove an agent and free its accounts for another one."""
    freed = connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.agent_id == agent_id)).scalars()
    accounts = frozenset(freed)
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.agent_id == agent_id).values(agent_id=None))
    connection.execute(delete(AGENT).where(AGENT.c.id == agent_id))
    return Touched(accounts=accounts, removed={"agents": frozenset({agent_id})})


def begin_history(connection: Connection, agent_id: str, cursor: Cursor) -> Touched:
    """Take a cursor that does not follow from the stored one.

    The first link simply begins. Later it means that history was lost on one side: a new store
    generation begins, and every intent there that is not settled is in doubt.
    """
    before = record(connection, agent_id).cursor
    connection.execute(
        update(AGENT)
        .where(AGENT.c.id == agent_id)
        .values(cursor_epoch=cursor.epoch, cursor_seq=cursor.seq)
    )
    if not before.epoch:
        return Touched(agents=frozenset({agent_id}))
    meta.next_generation(connection)
    return _doubt_intents(connection, agent_id) | Touched(agents=frozenset({agent_id}))


def _doubt_intents(connection: Connection, agent_id: str) -> Touched:
    """Doubt every intent there that may have been sent, or that an unfinished item may send."""
    state, item_state = PUBLISH_INTENT.c.state, ITEM.c.state
    theirs = (
        select(
            PUBLISH_INTENT.c.id.label("intent_id"),
            ITEM.c.id.label("item_id"),
            ITEM.c.run_id,
            item_state,
        )
        .join(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .where(ITEM.c.agent_id == agent_id)
        .where(or_(state.in_(_SENT), and_(state.in_(_UNSENT), item_state.in_(_OPEN_ITEMS))))
    )
    rows = connection.execute(theirs).all()
    intents.set_states(connection, {row.intent_id: ActionState.IN_DOUBT for row in rows})
    touched = Touched.moved(
        ItemMove(row.item_id, row.run_id, ItemState(row.state), ItemState(row.state))
        for row in rows
    )
    return touched | Touched(intents=frozenset(row.intent_id for row in rows))


def _record(row: Any) -> AgentRecord:
    return AgentRecord(
        id=row.id,
        name=row.name,
        host=row.host,
        port=row.port,
        certificate=row.certificate,
        scope=row.scope,
        card=AgentCard.model_validate(row.card) if row.card else None,
        cursor=Cursor(epoch=row.cursor_epoch, seq=row.cursor_seq),
        paired_at=row.paired_at,
        last_seen=row.last_seen,
    )
