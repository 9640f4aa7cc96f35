"""The media library as a table of one column, which the grid paints as cards."""

from __future__ import annotations

from common.domain.content import MediaKind
from desktop_app.contract.media import MediaRow
from desktop_app.ui.models.cells import Text
from desktop_app.ui.models.formats import bytes_text, duration
from desktop_app.ui.models.table import Column, RowTable


def media_facts(media: MediaRow) -> str:
    """Return what is known of a file, in one line."""
    facts = [f"{media.width} × {media.height}", bytes_text(media.size)]
    if media.kind is MediaKind.VIDEO:
        facts.insert(0, duration(media.duration))
    return " · ".join(facts)


def _card(media: MediaRow) -> Text:
    return Text(media.title or media.name, after=media_facts(media))


def media_table() -> RowTable[MediaRow]:
    """Return an empty library."""
    column = Column[MediaRow]("card", "Media", _card, lambda m: (m.title or m.name).lower())
    return RowTable(
        (column,), lambda media: media.sha256, search=lambda m: f"{m.title} {m.name} {m.kind}"
    )
