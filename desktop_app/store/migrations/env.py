"""Where Alembic begins. It always runs inside Flotilla, on the connection that it is given."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from desktop_app.store.tables import METADATA


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write SQLModel's text type as what it is, so that a migration outlives the library."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
