"""A wall clock that the campaign can set: `time.time` plus seconds that a file names."""

from __future__ import annotations

import time
from pathlib import Path

_LOOK_SECONDS = 0.05
FILE = "clock"


def set_clock(folder: Path, seconds: float) -> None:
    """Make the processes of a folder believe that it is `seconds` later."""
    fresh = folder / f"{FILE}.new"
    fresh.write_text(repr(seconds))
    fresh.replace(folder / FILE)


def install(folder: Path) -> None:
    """Read the wall clock of this process with the offset in `folder`, from now on."""
    clock = _SetClock(folder / FILE)
    time.time = clock.time


class _SetClock:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._real = time.time
        self._offset = 0.0
        self._look_at = 0.0

    def time(self) -> float:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._offset = self._read()
        return self._real() + self._offset

    def _read(self) -> float:
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0
