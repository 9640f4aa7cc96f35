"""The logs of runs as files: one JSON line per log line, added in the order of arrival.

Each line also says which attempt it belongs to and where it ends in the agent's log. How far a log
was pulled is therefore never stored apart from the lines: after a crash it is read from the file,
and no line is lost or doubled.
"""

import asyncio
import errno
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from common.security.redaction import plain_text
from desktop_app.contract.runs import LogLine, LogPage
from desktop_app.store.folder import StoreFolder

_OPEN_FILES = 64
_TEXT_CHARACTERS = 8192
"""A longer line of an agent is cut."""
_LINES: TypeAdapter[list[LogLine]] = TypeAdapter(list[LogLine])
_LATEST = 32_503_680_000.0
"""The year 3000: an agent that says a later moment is not believed."""
_LEVELS = frozenset({"debug", "info", "warning", "error"})


@dataclass(frozen=True, slots=True)
class LogSource:
    """The attempt of an item that lines come from."""

    item_id: str
    attempt: int
    username: str


class RunLog:
    """One run's log file, open for adding."""

    def __init__(self, path: Path) -> None:
        """Open the file, drop a torn last line, and learn how far each attempt was pulled."""
        self._pulled: dict[tuple[str, int], int] = {}
        self._latest: dict[str, int] = {}
        self._file = path.open("ab+", buffering=0)
        self._file.seek(0)
        end = 0
        for line in self._file:
            entry = _parse(line)
            if not line.endswith(b"\n"):
                break
            end += len(line)
            if entry:
                key = (str(entry.get("item_id", "")), int(entry.get("attempt", 0)))
                self._reached(key, max(self._pulled.get(key, 0), int(entry.get("end", 0))))
        self._file.truncate(end)
        self.size = end

    def pulled(self, item_id: str, attempt: int) -> int:
        """Return up to which byte of the agent's log this attempt's lines are here."""
        return self._pulled.get((item_id, attempt), 0)

    def latest(self, item_id: str) -> int:
        """Return the newest attempt of an item that lines are here of; 0 for none."""
        return self._latest.get(item_id, 0)

    def append(self, source: LogSource, offset: int, text: str) -> int:
        """Add whole lines that begin at `offset` of the agent's log; return how many were new.

        Raises OSError where they cannot be written whole; then none of them was added.
        """
        key = (source.item_id, source.attempt)
        known = self._pulled.get(key, 0)
        entries = [
            (end, line) for end, line in _lines(offset, text) if end > known and offset <= known
        ]
        if not entries:
            return 0
        data = b"".join(_entry(source, end, line) for end, line in entries)
        self._write(data)
        self.size += len(data)
        self._reached(key, entries[-1][0])
        return len(entries)

    def _reached(self, key: tuple[str, int], end: int) -> None:
        item_id, attempt = key
        self._pulled[key] = end
        self._latest[item_id] = max(self._latest.get(item_id, 0), attempt)

    def _write(self, data: bytes) -> None:
        try:
            written = self._file.write(data)
        except OSError:
            self._file.truncate(self.size)
            raise
        if written != len(data):
            self._file.truncate(self.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RunLogs:
    """The log files of all runs; the most recently used ones stay open."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder
        self._open: OrderedDict[str, RunLog] = OrderedDict()
        self._opening = asyncio.Lock()

    async def log(self, run_id: str) -> RunLog:
        """Return a run's log. Opening reads the file once, off the event loop."""
        async with self._opening:
            found = self._open.pop(run_id, None)
            if found is None:
                found = await asyncio.to_thread(RunLog, self._folder.run_log(run_id))
            self._open[run_id] = found
            while len(self._open) > _OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            return found

    async def read(self, run_id: str, offset: int, limit: int) -> LogPage:
        """Return whole lines from a byte offset, about `limit` bytes of them."""
        return await asyncio.to_thread(_read_page, self._folder.run_log(run_id), offset, limit)

    def close(self) -> None:
        """Close every file."""
        for log in self._open.values():
            log.close()
        self._open.clear()


def _read_page(path: Path, offset: int, limit: int) -> LogPage:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(offset, size))
            data = file.read(limit)
            if data and not data.endswith(b"\n"):
                data += file.readline()
    except FileNotFoundError:
        return LogPage(offset=0, end=0, size=0, lines=[])
    if data and not data.endswith(b"\n"):
        data = data[: data.rfind(b"\n") + 1]  # somebody is adding to it at this moment
    entries = [entry for entry in map(_parse, data.splitlines()) if entry]
    lines = _LINES.validate_python(entries)
    return LogPage(offset=offset, end=min(offset, size) + len(data), size=size, lines=lines)


def _lines(offset: int, text: str) -> Iterator[tuple[int, str]]:
    """Yield each line of a chunk with the offset behind it."""
    end = offset
    for line in text.removesuffix("\n").split("\n"):
        end += len(line.encode()) + 1
        yield end, line


def _entry(source: LogSource, end: int, line: str) -> bytes:
    said = _parse(line.encode()) or {"text": line}
    level = said.get("level")
    at = said.get("at")
    entry = {
        "at": float(at) if isinstance(at, int | float) and 0 <= at <= _LATEST else 0.0,
        "level": level if isinstance(level, str) and level in _LEVELS else "info",
        "username": source.username,
        "item_id": source.item_id,
        "text": plain_text(str(said.get("text", "")))[:_TEXT_CHARACTERS],
        "attempt": source.attempt,
        "end": end,
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
