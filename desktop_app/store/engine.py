"""Makes the database engine: SQLite in the data folder, or PostgreSQL by URL."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from common.errors import StoreError

WRITER = "flotilla_writer"
"""Execution option of a connection that writes: on SQLite its transactions begin immediately."""
_BUSY_MILLISECONDS = 10_000
_STATEMENT_MILLISECONDS = 60_000
_CONNECT_SECONDS = 10
_CHECKPOINT_PAGES = 4000
"""Pages in the log of changes before they go into the file: many are the same ones, changed by
batch after batch, and are written there once."""


def sqlite_url(file: Path) -> URL:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite", database=str(file))


def make_engine(url: URL | str) -> Engine:
    """Make the engine of a store. Statements in its errors never show their values.

    Raises StoreError for an address that is neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "The store's address is not a database URL.",
            advice="Give it as postgresql://user:password@host/database.",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgres(parsed)
    raise StoreError(
        f"The store cannot live in {parsed.get_backend_name()}.",
        advice="Use the data folder, or a postgresql:// address.",
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, **_json_by_orjson())
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
        },
        **_json_by_orjson(),
    )


def _json_by_orjson() -> dict[str, Any]:
    return {
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements.
    connection.isolation_level = None
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"]
    pragmas.append(f"busy_timeout={_BUSY_MILLISECONDS}")
    pragmas.append(f"wal_autocheckpoint={_CHECKPOINT_PAGES}")
    if sys.platform == "darwin":
        # fsync there does not reach the disk.
        pragmas += ["fullfsync=1", "checkpoint_fullfsync=1"]
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITER, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
