"""Facts of the store itself."""

from sqlalchemy import Connection, select

from desktop_app.store.tables import META
from desktop_app.store.upsert import upsert

STORE_ID = "store_id"
GENERATION = "generation"
"""Counts up whenever an agent's history turned out to be gone or ahead of ours."""


def get(connection: Connection, key: str) -> str | None:
    """Return a fact, or None."""
    found: str | None = connection.scalar(select(META.c.value).where(META.c.key == key))
    return found


def put(connection: Connection, key: str, value: str) -> None:
    """Store a fact."""
    upsert(connection, META, [{"key": key, "value": value}], keys=["key"])


def next_generation(connection: Connection) -> int:
    """Begin a new generation of the store and return its number."""
    number = int(get(connection, GENERATION) or "0") + 1
    put(connection, GENERATION, str(number))
    return number
