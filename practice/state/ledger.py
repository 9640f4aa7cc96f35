"""The ledger: the ordered record of every effect and fault, the source of uploads and posts."""

import dataclasses
import itertools
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

import orjson

from practice.state.journal import Journal
from practice.values import (
    FaultKind,
    LedgerRecord,
    MediaItem,
    ProductType,
    RecordKind,
    RequestContext,
)


class Facts(TypedDict, total=False):
    """The parts of a record that only some kinds have; see ``LedgerRecord``."""

    content_sha256: tuple[str, ...]
    upload_ids: tuple[str, ...]
    caption: str
    media_type: int
    product_type: ProductType
    post_code: str
    post_id: str
    reason: str
    items: tuple[MediaItem, ...]
    list_late_ms: int
    fault: FaultKind
    route: str


class Ledger:
    """Appends records and gives them back in order."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        stored = journal.read()
        self._lines = [orjson.dumps(record) for record in stored]
        self._replay = [_revive(record) for record in stored]

    def take_replay(self) -> list[LedgerRecord]:
        """The records of earlier lives, once: whoever folds them keeps what it needs."""
        replay, self._replay = self._replay, []
        return replay

    @property
    def last_sequence(self) -> int:
        """Sequence of the newest record; 0 when there is none."""
        return len(self._lines)

    def append(
        self,
        kind: RecordKind,
        account: str,
        user_id: int | None,
        context: RequestContext,
        **facts: Unpack[Facts],
    ) -> LedgerRecord:
        """Record one effect; it is with the operating system when this returns."""
        record = LedgerRecord(
            sequence=self.last_sequence + 1,
            at=datetime.now(UTC).isoformat(),
            kind=kind,
            account=account,
            user_id=user_id,
            source=context.source,
            request_id=context.request_id,
            proxy=context.proxy,
            user_agent=context.user_agent,
            **facts,
        )
        self._lines.append(self._journal.append(record))
        return record

    def lines_after(self, sequence: int, limit: int) -> list[bytes]:
        """Up to ``limit`` records with a higher sequence, each as its JSON line."""
        return list(itertools.islice(self._lines, max(sequence, 0), max(sequence, 0) + limit))

    def clear(self) -> None:
        """Forget everything; the next record is number 1 again."""
        self._journal.clear()
        self._lines.clear()


def _revive(record: dict[str, Any]) -> LedgerRecord:
    known = {field.name for field in dataclasses.fields(LedgerRecord)}
    values = {name: value for name, value in record.items() if name in known}
    values["items"] = tuple(MediaItem(**item) for item in record.get("items", ()))
    for name in ("content_sha256", "upload_ids"):
        values[name] = tuple(values.get(name, ()))
    return LedgerRecord(**values)
