"""The rows that events read and write: loaded together, changed in memory, written back once.

What an event does to them is in `inbox.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, update

from desktop_app.store.prepared import Prepared
from desktop_app.store.tables import ACCOUNT, ITEM, PUBLISH_INTENT
from desktop_app.store.upsert import Listed


@dataclass(slots=True)
class Entity:
    """One row of a table while a batch is applied."""

    values: dict[str, Any]
    is_changed: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def set(self, **values: Any) -> None:
        self.values.update(values)
        self.is_changed = True


class Source:
    """The columns of a table that events read and write, with their statements, built once."""

    def __init__(
        self,
        table: Table,
        *,
        read: Sequence[str],
        write: Sequence[str],
        replace: Sequence[str] = (),
    ) -> None:
        """Name the columns that are only read, those that are both, and those only written."""
        self._names = ("id", *read, *write)
        self._written = {f"b_{name}": name for name in ("id", *write, *replace)}
        columns = [table.c[name] for name in self._names]
        values = {
            name: bindparam(f"b_{name}", type_=table.c[name].type) for name in (*write, *replace)
        }
        self._select = Listed(select(*columns), table.c.id)
        written = update(table).where(table.c.id == bindparam("b_id")).values(values)
        self._update = Prepared(lambda _connection: written, table, self._written)

    def read(self, connection: Connection, ids: set[str]) -> dict[str, Entity]:
        """Return the rows with these ids; one that is gone is left out."""
        return {
            row[0]: Entity(dict(zip(self._names, row, strict=True)))
            for row in self._select.read(connection, ids)
        }

    def write(self, connection: Connection, entities: Iterable[Entity]) -> None:
        """Write those of the rows that changed."""
        self._update.run(
            connection,
            (
                {given: entity[name] for given, name in self._written.items()}
                for entity in entities
                if entity.is_changed
            ),
        )


ITEMS = Source(
    ITEM,
    read=("run_id", "account_id", "agent_id", "intent_id"),
    write=(
        "state",
        "attempt",
        "started_at",
        "ended_at",
        "changed_at",
        "log_end",
        "offered_at",
        "accepted_at",
        "wanted",
    ),
    replace=("step", "error", "result"),
)
ACCOUNTS = Source(
    ACCOUNT,
    read=("agent_id",),
    write=(
        "user_id",
        "sign_in",
        "sign_in_at",
        "error",
        "hold_by",
        "hold_reason",
        "hold_error",
        "hold_at",
        "posts",
    ),
)
INTENTS = Source(
    PUBLISH_INTENT,
    read=("account_id", "item_id", "media"),
    write=("state", "remote_id", "remote_url", "baseline", "sent_at", "must_look"),
)
