"""The media library's table. The bytes, their import and thumbnails: `desktop_app.core.media`."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.items import MediaRef
from desktop_app.contract.media import MediaRow
from desktop_app.store.tables import ITEM, MEDIA, PUBLISH_INTENT
from desktop_app.store.touched import Touched
from desktop_app.store.upsert import chunks, insert_ignoring

_ROWS: TypeAdapter[list[MediaRow]] = TypeAdapter(list[MediaRow])
_OPEN = [state.value for state in ItemState if state not in ITEM_FINAL]
SORTS: Mapping[str, ColumnElement[Any]] = {
    "added_at": MEDIA.c.added_at,
    "name": func.lower(MEDIA.c.name),
    "title": func.lower(MEDIA.c.title),
    "size": MEDIA.c.size,
    "duration": MEDIA.c.duration,
    "used": MEDIA.c.used,
}


def page(
    connection: Connection,
    *,
    search: str = "",
    kind: str = "",
    sort: str = "added_at",
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> tuple[list[MediaRow], int]:
    """Return a slice of the library, and how many files there are under the same filter."""
    where: list[ColumnElement[bool]] = []
    if search:
        text = search.lower()
        named = func.lower(MEDIA.c.name).contains(text, autoescape=True)
        titled = func.lower(MEDIA.c.title).contains(text, autoescape=True)
        where.append(or_(named, titled))
    if kind:
        where.append(MEDIA.c.kind == kind)
    total = connection.scalar(select(func.count()).select_from(MEDIA).where(*where)) or 0
    order = SORTS[sort].desc() if descending else SORTS[sort].asc()
    wanted = select(MEDIA).where(*where).order_by(order, MEDIA.c.sha256)
    found = connection.execute(wanted.offset(offset).limit(limit)).mappings()
    return _ROWS.validate_python([dict(row) for row in found]), total


def rows(connection: Connection, sha256s: Collection[str]) -> dict[str, MediaRow]:
    """Return files by SHA-256; one that the library does not have is left out."""
    found: dict[str, MediaRow] = {}
    for some in chunks(sha256s):
        wanted = connection.execute(select(MEDIA).where(MEDIA.c.sha256.in_(some))).mappings()
        for row in _ROWS.validate_python([dict(row) for row in wanted]):
            found[row.sha256] = row
    return found


def refs(connection: Connection, sha256s: Collection[str]) -> dict[str, MediaRef]:
    """Return files as planning and agents see them, by SHA-256."""
    return {sha256: ref_of(row) for sha256, row in rows(connection, sha256s).items()}


def ref_of(row: MediaRow) -> MediaRef:
    """Return a file of the library as planning and agents see it."""
    return MediaRef(
        sha256=row.sha256,
        size=row.size,
        name=row.name,
        kind=row.kind,
        width=row.width,
        height=row.height,
        duration=row.duration,
    )


def count(connection: Connection) -> int:
    """Return how many files the library has."""
    return connection.scalar(select(func.count()).select_from(MEDIA)) or 0


def insert(connection: Connection, new: Collection[MediaRow]) -> Touched:
    """Add files; one that is there already stays as it is."""
    insert_ignoring(
        connection, MEDIA, [row.model_dump(mode="json") for row in new], keys=["sha256"]
    )
    return Touched(media=frozenset(row.sha256 for row in new))


def needed(connection: Connection) -> set[str]:
    """Return the SHA-256 of every file that an unfinished item publishes."""
    wanted = (
        select(PUBLISH_INTENT.c.media)
        .join(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .where(ITEM.c.state.in_(_OPEN))
    )
    return {sha256 for media in connection.scalars(wanted) for sha256 in media}


def remove(connection: Connection, sha256s: Collection[str]) -> Touched:
    """Delete files from the table. What was published with them stays in the ledger."""
    for some in chunks(sha256s):
        connection.execute(delete(MEDIA).where(MEDIA.c.sha256.in_(some)))
    return Touched(removed={"media": frozenset(sha256s)})
