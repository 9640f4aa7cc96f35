"""Facts of the store itself."""

from sqlalchemy import Connection, select

from desktop_app.store.tables import META
from desktop_app.store.upsert import upsert

STORE_ID = "store_id"
GENERATION = "generation"
"""Counts up whenever an agent's history turned out to be gone or ahead of ours."""

MARK = "mark"
"""Counts up with every hello and with all that is handed over: how far this history is. Agents
keep what they have heard of it, so that they can tell a store that was put back."""


def get(connection: Connection, key: str) -> str | None:
    """Return a fact, or None."""
    found: str | None = connection.scalar(select(META.c.value).where(META.c.key == key))
    return found


def put(connection: Connection, key: str, value: str) -> None:
    """Store a fact."""
    upsert(connection, META, [{"key": key, "value": value}], keys=["key"])


def number(connection: Connection, key: str) -> int:
    """Return a fact that is a number; 0 where it is not there."""
    return int(get(connection, key) or "0")


def count_up(connection: Connection, key: str, *, least: int = 0) -> int:
    """Raise a number by one, or to `least` where that is more, and return it."""
    value = max(number(connection, key) + 1, least)
    put(connection, key, str(value))
    return value
