"""Insert-or-update and long lists of ids, the same for both databases."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Table,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ValuesBase

from desktop_app.store.prepared import Prepared

T = TypeVar("T")

_CHUNK = 500
"""Ids per statement: far below any database's limit of variables."""


def insert_ignoring(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keys: Sequence[str]
) -> None:
    """Insert the rows whose `keys` are not there yet."""
    if rows:
        connection.execute(_inserting_new(connection, table, keys), list(rows))


def prepare_inserting(table: Table, *, keys: Sequence[str]) -> Prepared:
    """Return what `insert_ignoring` does, for rows by the thousand that have every column."""
    return Prepared(
        lambda connection: _inserting_new(connection, table, keys),
        table,
        {column.name: column.name for column in table.columns},
    )


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keys: Sequence[str]
) -> None:
    """Insert rows; one whose `keys` are there already takes the new values."""
    if not rows:
        return
    statement = _insert(connection)(table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=values), list(rows)
    )


class Listed:
    """A query for the rows whose column has one of many texts, the same statement for any number.

    The texts travel as one value, so that the statement is made once, and not for each number of
    them: what every batch of events asks for has to be cheap.
    """

    def __init__(self, wanted: Select[Any], column: ColumnElement[Any]) -> None:
        """Ask for `wanted` where `column` is one of the texts."""
        given = func.json_each(bindparam("texts", type_=String)).table_valued("value")
        self._on_sqlite = wanted.where(column.in_(select(given.c.value)))
        self._on_postgres = wanted.where(column == any_(bindparam("texts", type_=ARRAY(String))))

    def read(self, connection: Connection, texts: Collection[str]) -> Sequence[Row[Any]]:
        """Return the rows; for no texts, nothing is asked of the database."""
        if not texts:
            return ()
        if connection.dialect.name == "postgresql":
            return connection.execute(self._on_postgres, {"texts": list(texts)}).all()
        written = orjson.dumps(list(texts)).decode()
        return connection.execute(self._on_sqlite, {"texts": written}).all()


def chunks(ids: Collection[T]) -> Iterator[list[T]]:
    """Cut ids into lists that fit one statement."""
    everything = list(ids)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _inserting_new(connection: Connection, table: Table, keys: Sequence[str]) -> ValuesBase:
    made: ValuesBase = _insert(connection)(table).on_conflict_do_nothing(index_elements=keys)
    return made
