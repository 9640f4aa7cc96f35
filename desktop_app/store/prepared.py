"""Statements for many rows, compiled once: what is applied by the thousand goes in as it is.

SQLAlchemy looks at each row of a statement anew; for the few statements that every batch of events
runs, that costs more than the database does. Values are plain ones; JSON is written here.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Table
from sqlalchemy.sql.dml import ValuesBase


class Prepared:
    """One statement, the same for every row that is given to it."""

    def __init__(
        self,
        make: Callable[[Connection], ValuesBase],
        table: Table,
        names: Mapping[str, str],
    ) -> None:
        """Keep what makes the statement. `names` says which column each parameter is for."""
        self._make = make
        self._names = names
        self._json = tuple(
            name for name, column in names.items() if isinstance(table.c[column].type, JSON)
        )
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None]] = {}
        """SQL and the order of its parameters, None where they have names; by kind of database."""

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run the statement for each row; for none, nothing is asked of the database."""
        given = list(rows)
        if not given:
            return
        sql, order = self._compile(connection)
        if order is None:
            connection.exec_driver_sql(sql, [_written(dict(row), self._json) for row in given])
            return
        values_of = itemgetter(*order)
        places = [place for place, name in enumerate(order) if name in self._json]
        connection.exec_driver_sql(
            sql, [tuple(_written(list(values_of(row)), places)) for row in given]
        )

    def _compile(self, connection: Connection) -> tuple[str, tuple[str, ...] | None]:
        kind = connection.dialect.name
        if kind not in self._compiled:
            statement = self._make(connection)
            compiled = statement.compile(dialect=connection.dialect, column_keys=list(self._names))
            order = compiled.positiontup
            self._compiled[kind] = str(compiled), None if order is None else tuple(order)
        return self._compiled[kind]


def _written(values: Any, where: Iterable[Any]) -> Any:
    """Return values as the database takes them: those under these names, or places, as JSON."""
    for place in where:
        if values[place] is not None:
            values[place] = orjson.dumps(values[place]).decode()
    return values
