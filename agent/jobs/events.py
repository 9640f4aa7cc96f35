"""How an event lies in the outbox: JSON made once, or sealed where it holds a session."""

import sqlite3
from dataclasses import dataclass

from common.errors import StoreError
from common.protocol.events import AgentEvent, SessionSaved
from common.security.sealing import place_of, seal, unseal

EVENT_LIMIT = 48 * 1024
"""Bytes of one event's JSON at most: with its envelope it must fit a control message."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the outbox as it lies on disk."""

    seq: int
    at: float
    body: str | None
    """The event as JSON; None where it is sealed."""
    sealed_body: bytes | None

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.body or "") + len(self.sealed_body or b"") + 64

    def wire_text(self, key: bytes) -> str:
        """Return the row as JSON for the pinned link, a sealed body opened."""
        body = self.body
        if body is None:
            body = unseal(key, self.sealed_body or b"", _place(self.seq))
        return f'{{"seq":{self.seq},"at":{self.at!r},"body":{body}}}'


def write_event(
    connection: sqlite3.Connection, key: bytes, at: float, event: AgentEvent
) -> StoredEvent:
    """Insert `event`; raises StoreError where it could not travel over the control link."""
    body = event.model_dump_json()
    if len(body.encode()) > EVENT_LIMIT:
        raise StoreError(f"An event of {len(body)} characters is too large for the outbox.")
    if not isinstance(event, SessionSaved):
        cursor = connection.execute("INSERT INTO outbox (at, body) VALUES (?, ?)", (at, body))
        return StoredEvent(_row_of(cursor), at, body, None)
    seq = _row_of(connection.execute("INSERT INTO outbox (at) VALUES (?)", (at,)))
    sealed = seal(key, body, _place(seq))
    connection.execute("UPDATE outbox SET sealed_body = ? WHERE seq = ?", (sealed, seq))
    return StoredEvent(seq, at, None, sealed)


def _row_of(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise StoreError("The journal gave an event no number.")
    return cursor.lastrowid


def _place(seq: int) -> str:
    return place_of("outbox", "sealed_body", str(seq), 1)
