"""Paired agents: address, certificate, token, and the cursor into each one's outbox."""

from collections.abc import Collection
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, delete, func, select, update

from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import NotFoundError
from common.protocol.messages import AgentCard, Cursor
from desktop_app.store import generations, items
from desktop_app.store.records import AgentRecord
from desktop_app.store.tables import ACCOUNT, AGENT, ITEM
from desktop_app.store.touched import Touched
from desktop_app.store.vault import Vault

_OPEN_ITEMS = [state.value for state in ItemState if state not in ITEM_FINAL]


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
        fresh: dict[str, Any] = {
            "card": None,
            "cursor_epoch": "",
            "cursor_seq": 0,
            "cursor_at": None,
            "last_seen": None,
            "generation": generations.current(connection),
            "foreign_items": [],
            "is_draining": False,
        }
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


def begin_history(connection: Connection, agent_id: str, cursor: Cursor, *, at: float) -> Touched:
    """Take a cursor that does not follow from the stored one.

    The first link simply begins. Later it means that history was lost on one side, and nobody can
    tell which: a new store generation begins.
    """
    before = record(connection, agent_id).cursor
    connection.execute(
        update(AGENT)
        .where(AGENT.c.id == agent_id)
        .values(cursor_epoch=cursor.epoch, cursor_seq=cursor.seq, cursor_at=cursor.at)
    )
    touched = Touched(agents=frozenset({agent_id}))
    if not before.epoch:
        return touched
    items.doubt_logs(connection, agent_id)
    return generations.begin(connection, at=at) | touched


def set_draining(connection: Connection, agent_id: str, *, drain: bool) -> Touched:
    """Give an agent nothing new, or let it have work again."""
    connection.execute(update(AGENT).where(AGENT.c.id == agent_id).values(is_draining=drain))
    return Touched(agents=frozenset({agent_id}))


def note_foreign_items(connection: Connection, agent_id: str, ids: Collection[str]) -> bool:
    """Note items that an agent holds and this store does not know; True where some are news."""
    known = connection.scalar(select(AGENT.c.foreign_items).where(AGENT.c.id == agent_id)) or []
    if set(ids) == set(known):
        return False
    connection.execute(
        update(AGENT).where(AGENT.c.id == agent_id).values(foreign_items=sorted(ids))
    )
    return not set(ids) <= set(known)


def _record(row: Any) -> AgentRecord:
    return AgentRecord(
        id=row.id,
        name=row.name,
        host=row.host,
        port=row.port,
        certificate=row.certificate,
        scope=row.scope,
        card=AgentCard.model_validate(row.card) if row.card else None,
        cursor=Cursor(epoch=row.cursor_epoch, seq=row.cursor_seq, at=row.cursor_at),
        paired_at=row.paired_at,
        last_seen=row.last_seen,
        generation=row.generation,
        is_draining=row.is_draining,
    )
