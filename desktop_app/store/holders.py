"""Which agents had an item before the one that has it now: their word on its post still counts.

The agent that has it now stands with the item itself. What the word of either means is decided in
`inbox_rules.py`.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from common.domain.states import ActionState
from desktop_app.store.records import ItemRecord
from desktop_app.store.tables import FORMER_HOLDER, PUBLISH_INTENT
from desktop_app.store.upsert import chunks, insert_ignoring

_ANYBODY = ""
"""Stands for every agent, where this store may have forgotten who had an item."""
_KEYS = ("item_id", "agent_id")


def note_departure(connection: Connection, found: Iterable[ItemRecord]) -> None:
    """Note who may have items that are about to be theirs no more, or of a new attempt."""
    for item in found:
        if item.agent_id is not None and item.is_away:
            note(connection, item.agent_id, [item.id])


def note(connection: Connection, agent_id: str, item_ids: Iterable[str]) -> None:
    """Note that an agent had items."""
    had = [{"item_id": item_id, "agent_id": agent_id} for item_id in item_ids]
    insert_ignoring(connection, FORMER_HOLDER, had, keys=_KEYS)


def forget_who_had(connection: Connection) -> None:
    """Rule nobody out for the posts that are not confirmed: a history was lost."""
    open_posts = PUBLISH_INTENT.c.state != ActionState.CONFIRMED.value
    found = connection.scalars(select(PUBLISH_INTENT.c.item_id).where(open_posts)).all()
    note(connection, _ANYBODY, found)


def had_by(connection: Connection, agent_id: str, item_ids: Collection[str]) -> set[str]:
    """Return those of the items that an agent had before."""
    return _noted(connection, agent_id, item_ids)


def is_forgotten(connection: Connection, item_id: str) -> bool:
    """Say whether this store may have forgotten who had an item."""
    return bool(_noted(connection, _ANYBODY, [item_id]))


def _noted(connection: Connection, agent_id: str, item_ids: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(item_ids):
        wanted = select(FORMER_HOLDER.c.item_id).where(
            FORMER_HOLDER.c.item_id.in_(some), FORMER_HOLDER.c.agent_id == agent_id
        )
        found.update(connection.scalars(wanted))
    return found
