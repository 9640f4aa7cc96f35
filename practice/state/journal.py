"""An append-only file of JSON lines that survives the sudden death of the process.

Each record is one unbuffered write, so the operating system has it before the caller goes on.
It is not synced to the disk: the platform outlives a kill, not a power cut.
"""

from pathlib import Path
from typing import Any

import orjson


class Journal:
    """One file, kept open for appending."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cut_torn_tail()
        self._file = path.open("ab", buffering=0)

    def read(self) -> list[dict[str, Any]]:
        """Every record, oldest first."""
        return [orjson.loads(line) for line in self._path.read_bytes().splitlines()]

    def append(self, record: object) -> bytes:
        """Write one record and return its line without the line end."""
        line = orjson.dumps(record)
        self._file.write(line + b"\n")
        return line

    def clear(self) -> None:
        """Forget every record."""
        self._file.truncate(0)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _cut_torn_tail(self) -> None:
        """Drop a last line that a dying process left unfinished."""
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self._path.open("r+b") as file:
                file.truncate(whole)
