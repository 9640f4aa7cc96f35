"""Logs of item attempts: append-only files of JSON lines, addressed by byte offset.

Lines are gathered and written in groups; a log is for reading, not for recovery, so nothing here
waits for the disk. Readers get whole lines only. Paths are made of our own ids.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from common.domain.ids import is_id
from common.errors import InputError
from common.infra.paths import make_private_folder
from common.security.redaction import plain_text

_LOG = logging.getLogger(__name__)
ATTEMPT_LIMIT = 16 * 1024 * 1024
"""Bytes of one attempt's log; lines beyond it are counted, and the count is the last line."""
_LINE_LIMIT = 8 * 1024
"""Characters of one line's text."""


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Whole lines of a log."""

    text: str
    offset: int
    end: int
    """Bytes of the whole log so far."""


@dataclass(slots=True)
class _Segment:
    path: Path
    end: int
    pending: list[bytes] = field(default_factory=list)
    left_out: int = 0


class LogSpool:
    """The folder of all attempts' logs. Used from one loop only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, int], _Segment] = {}
        self._dirty: set[tuple[str, int]] = set()

    def append(self, item_id: str, attempt: int, at: float, level: str, text: str) -> int:
        """Add a line that holds no secret; returns the bytes of the log with it."""
        segment = self._segment(item_id, attempt)
        if segment.end >= ATTEMPT_LIMIT:
            segment.left_out += 1
            return segment.end
        clean = plain_text(text)[:_LINE_LIMIT]
        return self._add((item_id, attempt), segment, at, level, clean)

    def end(self, item_id: str, attempt: int) -> int:
        """Return the bytes of a log so far; 0 where there is none."""
        key = (item_id, attempt)
        if key in self._open:
            return self._open[key].end
        path = self._path(item_id, attempt)
        return path.stat().st_size if path.exists() else 0

    def close(self, item_id: str, attempt: int, at: float) -> int:
        """Write out a log that gets no more lines; returns its bytes."""
        key = (item_id, attempt)
        segment = self._open.get(key)
        if segment is None:
            return self.end(item_id, attempt)
        if segment.left_out:
            text = f"{segment.left_out} lines were left out: the log is over its limit."
            self._add(key, segment, at, "warning", text)
        self._write(key)
        del self._open[key]
        return segment.end

    def read(self, item_id: str, attempt: int, offset: int, limit: int) -> LogPiece:
        """Return whole lines from `offset`, `limit` bytes at most, at least one line.

        Raises InputError where the log does not reach so far.
        """
        self._write((item_id, attempt))
        end = self.end(item_id, attempt)
        if offset > end:
            raise InputError(f"The log has {end} bytes, and {offset} was asked for.")
        if offset == end:
            return LogPiece("", offset, end)
        with self._path(item_id, attempt).open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
            whole = data[: data.rfind(b"\n") + 1]
            if not whole:
                file.seek(offset)
                whole = file.readline()
        return LogPiece(whole.decode(errors="replace"), offset, end)

    def flush(self) -> None:
        """Write what is gathered. A disk that refuses costs log lines, and never an item."""
        for key in tuple(self._dirty):
            self._write(key)

    @property
    def is_dirty(self) -> bool:
        """True while lines wait to be written."""
        return bool(self._dirty)

    def _add(
        self, key: tuple[str, int], segment: _Segment, at: float, level: str, text: str
    ) -> int:
        line = json.dumps({"at": at, "level": level, "text": text}, ensure_ascii=False)
        data = line.encode(errors="replace") + b"\n"
        segment.pending.append(data)
        segment.end += len(data)
        self._dirty.add(key)
        return segment.end

    def _segment(self, item_id: str, attempt: int) -> _Segment:
        key = (item_id, attempt)
        if key not in self._open:
            path = self._path(item_id, attempt)
            self._open[key] = _Segment(path, _end_of_whole_lines(path))
        return self._open[key]

    def _path(self, item_id: str, attempt: int) -> Path:
        if not is_id(item_id):
            raise InputError("An item's id is not one of ours.", field="item_id")
        return self._folder / item_id[-1] / f"{item_id}.{int(attempt)}.jsonl"

    def _write(self, key: tuple[str, int]) -> None:
        segment = self._open.get(key)
        self._dirty.discard(key)
        if segment is None or not segment.pending:
            return
        pending, segment.pending = segment.pending, []
        try:
            _append(segment.path, pending)
        except OSError as problem:
            lost = sum(len(line) for line in pending)
            segment.end -= lost
            segment.left_out += len(pending)
            _LOG.warning("Log lines of an item could not be written: %s", problem.strerror)


def _append(path: Path, lines: Iterable[bytes]) -> None:
    try:
        file = path.open("ab")
    except FileNotFoundError:
        make_private_folder(path.parent)
        file = path.open("ab")
    with file:
        file.write(b"".join(lines))


def _end_of_whole_lines(path: Path) -> int:
    """Cut a line that an earlier, killed process left half-written; return the size then."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        size = file.seek(0, 2)
        keep = size
        while keep > 0:
            start = max(0, keep - _LINE_LIMIT)
            file.seek(start)
            found = file.read(keep - start).rfind(b"\n")
            if found >= 0:
                keep = start + found + 1
                break
            keep = start
        if keep < size:
            file.truncate(keep)
    return keep
