"""What a peer under fire may do, and what it may not: closing, growing, and leaving tracebacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TYPED_CLOSES = frozenset({1000, 1002, 1003, 1007, 1009})
"""Close codes of ours: the session's end, and what the WebSocket library finds by itself. Neither
1011, which is a defect of the peer, nor 1006, which says nothing."""
MOST_GROWTH = 32 * 1024 * 1024
"""Bytes by which a peer may grow over a whole bombardment."""
_DEFECTS = (b"Traceback (most recent call last)", b" ERROR ", b" CRITICAL ")
_SHOWN = 3000


@dataclass
class Watcher:
    """Looks at one process: its memory, and what it writes into its logs."""

    pid: int
    logs: Sequence[Path]
    _first: int = 0
    _read: dict[Path, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Take what is there now as the measure."""
        self._first = self._memory()
        self.defects()

    def defects(self) -> str:
        """What is new in the logs and tells of a defect; empty where nothing does."""
        for path in self.logs:
            if not path.exists():
                continue
            with path.open("rb") as file:
                start = self._read.get(path, 0)
                file.seek(start if start <= path.stat().st_size else 0)
                fresh = file.read()
            self._read[path] = start + len(fresh)
            found = min((at for mark in _DEFECTS if (at := fresh.find(mark)) >= 0), default=-1)
            if found >= 0:
                line = fresh.rfind(b"\n", 0, found) + 1
                return fresh[line : line + _SHOWN].decode(errors="replace")
        return ""

    def growth(self) -> int:
        """Bytes more than at the beginning."""
        return self._memory() - self._first

    def _memory(self) -> int:
        return int(psutil.Process(self.pid).memory_info().rss)


@dataclass
class Tally:
    """What became of the mutants, for the one line that a run prints."""

    closes: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    survived: int = 0

    def line(self, what: str, seed: int, seconds: float, growth: int) -> str:
        """The outcome of a bombardment."""
        ends = ", ".join(f"{count} by {name}" for name, count in self.closes.most_common())
        return (
            f"{what}: seed {seed}, {self.survived} mutants in {seconds:.0f} s; "
            f"{sum(self.closes.values())} closes ({ends}); {self.refused} typed refusals; "
            f"memory grew by {growth / 2**20:.1f} MiB"
        )


def forbidden_characters(texts: Iterable[str]) -> list[str]:
    """Texts with a character in them that could mislead whoever reads them on a screen."""

    def misleads(character: str) -> bool:
        code = ord(character)
        return (
            (code < 0x20 and character not in "\t\n")
            or 0x7F <= code <= 0x9F
            or 0x200B <= code <= 0x200F
            or 0x202A <= code <= 0x202E
            or 0x2066 <= code <= 0x2069
        )

    return [text for text in texts if any(map(misleads, text))]
