"""Accounts on their way from one agent to another, while the first ends what it holds."""

from sqlalchemy import Connection, select

from desktop_app.store import accounts, items
from desktop_app.store.tables import ACCOUNT
from desktop_app.store.touched import Touched


def agents_left(connection: Connection) -> frozenset[str]:
    """Return the agents that accounts are about to leave."""
    wanted = select(ACCOUNT.c.agent_id).where(
        ACCOUNT.c.moving_to.is_not(None), ACCOUNT.c.agent_id.is_not(None)
    )
    return frozenset(connection.scalars(wanted))


def move_on(connection: Connection, agent_id: str, *, at: float) -> Touched:
    """Move those accounts of an agent on of which it holds nothing now, with what waits here."""
    leaving = accounts.moving(connection, agent_id)
    open_items = items.of_work(connection, account_ids=list(leaving), agent_ids=())
    busy = {item.account_id for item in open_items if item.is_away}
    going = {account: target for account, target in leaving.items() if account not in busy}
    touched = accounts.assign(connection, going)
    for item in open_items:
        if item.account_id in going:
            target = going[item.account_id]
            touched |= items.place_at(connection, item, target, {"changed_at": at})
    return touched


def forget_target(connection: Connection, agent_id: str) -> Touched:
    """Let accounts stay that were about to go to an agent which is forgotten."""
    wanted = select(ACCOUNT.c.id).where(ACCOUNT.c.moving_to == agent_id)
    return accounts.set_moving(connection, list(connection.scalars(wanted)), None)
