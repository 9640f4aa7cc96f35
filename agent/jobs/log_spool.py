"""Logs of item attempts: append-only files of JSON lines, addressed by byte offset.

Lines are gathered and written in groups; a log is for reading, not for recovery, so nothing here
waits for the disk. Readers get whole lines only. Lines are left out only over a limit, or where the
disk is full, and a line of the log says how many: a gap is never silent. Paths are made of our own
ids.
"""

import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from common.domain.ids import is_id
from common.errors import InputError
from common.infra.paths import make_private_folder
from common.security.redaction import plain_text

_LOG = logging.getLogger(__name__)
ATTEMPT_LIMIT = 16 * 1024 * 1024
"""Bytes of the beginning of one attempt's log; behind it only the last lines are kept."""
TAIL_LINES = 200
"""Lines kept of the end of a log over its limit."""
_LINE_LIMIT = 8 * 1024
"""Characters of one line's text."""
_OVER_LIMIT = "the log is over its limit"
_NO_ROOM = "the disk has no room for logs"


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Whole lines of a log."""

    text: str
    offset: int
    end: int
    """Bytes of the whole log so far."""


@dataclass(slots=True)
class _Gap:
    """Lines that were left out since the last one that was kept."""

    lines: int = 0
    size: int = 0
    """Bytes."""
    reason: str = ""

    def add(self, lines: int, size: int, reason: str) -> None:
        self.lines, self.size, self.reason = self.lines + lines, self.size + size, reason


@dataclass(slots=True)
class _Segment:
    path: Path
    end: int
    pending: list[bytes] = field(default_factory=list)
    tail: deque[bytes] = field(default_factory=deque)
    """The newest lines of a log over its limit."""
    gap: _Gap = field(default_factory=_Gap)


class LogSpool:
    """The folder of all attempts' logs. Used from one loop only, but for `prune`."""

    def __init__(self, folder: Path, *, quota: int = 2 * 1024**3, days: float = 90.0) -> None:
        """Keep up to `quota` bytes, and logs of ended items for `days` at most."""
        self._folder = folder
        self._quota = quota
        self._seconds = days * 86_400
        self._open: dict[tuple[str, int], _Segment] = {}
        self._dirty: set[tuple[str, int]] = set()
        self._has_room = True

    def append(self, item_id: str, attempt: int, at: float, level: str, text: str) -> int:
        """Add a line that holds no secret; returns the bytes of the log with it."""
        key = (item_id, attempt)
        segment = self._segment(item_id, attempt)
        line = _line(at, level, plain_text(text)[:_LINE_LIMIT])
        if not self._has_room:
            segment.gap.add(1, len(line), _NO_ROOM)
        elif segment.end >= ATTEMPT_LIMIT:
            self._keep_as_tail(key, segment, at, line)
        else:
            self._close_gap(key, segment, at)
            self._add(key, segment, line)
        return segment.end

    def allow(self, has_room: bool) -> None:
        """Write logs, or leave lines out and count them while the disk is nearly full."""
        self._has_room = has_room

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
        self._close_gap(key, segment, at)
        for line in segment.tail:
            self._add(key, segment, line)
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

    def prune(self, unfinished: Collection[str]) -> int:
        """Delete logs of ended items, the oldest first, over the quota or the time; returns bytes.

        Reads the whole folder, and may be called from another thread.
        """
        found = sorted(_stored(self._folder))
        kept = sum(size for _, size, _ in found)
        oldest = time.time() - self._seconds
        freed = 0
        for changed_at, size, path in found:
            if changed_at >= oldest and kept - freed <= self._quota:
                break
            if path.name.split(".")[0] not in unfinished:
                path.unlink(missing_ok=True)
                freed += size
        return freed

    def _keep_as_tail(
        self, key: tuple[str, int], segment: _Segment, at: float, line: bytes
    ) -> None:
        if not segment.tail:
            text = f"Lines are left out from here on, but for the last: {_OVER_LIMIT}."
            self._add(key, segment, _line(at, "warning", text, gap=0, lines=0))
        segment.tail.append(line)
        if len(segment.tail) > TAIL_LINES:
            segment.gap.add(1, len(segment.tail.popleft()), _OVER_LIMIT)

    def _close_gap(self, key: tuple[str, int], segment: _Segment, at: float) -> None:
        """Say what was left out, where something was."""
        gap, segment.gap = segment.gap, _Gap()
        if gap.lines:
            text = f"{gap.lines} lines ({gap.size:,} bytes) were left out: {gap.reason}."
            line = _line(at, "warning", text, gap=gap.size, lines=gap.lines)
            self._add(key, segment, line)

    def _add(self, key: tuple[str, int], segment: _Segment, line: bytes) -> None:
        segment.pending.append(line)
        segment.end += len(line)
        self._dirty.add(key)

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
            segment.end -= sum(len(line) for line in pending)
            for line in pending:
                segment.gap.add(*_stands_for(line), _NO_ROOM)
            _cut(segment.path, segment.end)
            _LOG.warning("Log lines of an item could not be written: %s", problem.strerror)


def _line(at: float, level: str, text: str, **more: int) -> bytes:
    line = json.dumps({"at": at, "level": level, "text": text, **more}, ensure_ascii=False)
    return line.encode(errors="replace") + b"\n"


def _stands_for(line: bytes) -> tuple[int, int]:
    """Return how many lines and bytes are lost with a line: with a gap's note, those of the gap."""
    said = json.loads(line)
    return (said["lines"], said["gap"]) if "gap" in said else (1, len(line))


def _stored(folder: Path) -> Iterable[tuple[float, int, Path]]:
    """Yield when each log was written last, its bytes, and where it lies."""
    for path in folder.glob("*/*.jsonl"):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        yield found.st_mtime, found.st_size, path


def _append(path: Path, lines: Iterable[bytes]) -> None:
    try:
        file = path.open("ab")
    except FileNotFoundError:
        make_private_folder(path.parent)
        file = path.open("ab")
    with file:
        file.write(b"".join(lines))


def _cut(path: Path, size: int) -> None:
    """Remove what a refused write left behind, so that offsets stay true."""
    with contextlib.suppress(OSError):
        os.truncate(path, size)


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
