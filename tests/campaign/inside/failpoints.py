"""Named points at which a process kills itself, armed from outside through a folder.

Passing a point that is not armed costs one failed `open`. Which points there are is listed here;
where they sit is in the modules beside this one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Process = Literal["agent", "runner", "core"]


@dataclass(frozen=True)
class Point:
    """One place in the life of a process."""

    name: str
    process: Process
    what: str
    needs_browser: bool = False
    """True where only a browser item passes it."""


def _around(process: Process, name: str, what: str, *, needs_browser: bool = False) -> list[Point]:
    return [
        Point(f"{process}.{when}.{name}", process, f"{when} {what}", needs_browser)
        for when in ("before", "after")
    ]


POINTS: tuple[Point, ...] = (
    *_around("agent", "commit_accepted", "the journal's commit that takes an item over"),
    *_around("agent", "commit_prepared", "the journal's commit of what was uploaded"),
    *_around("agent", "commit_sending", "the journal's commit of `sending`"),
    *_around("agent", "commit_confirmed", "the journal's commit of the platform's word"),
    *_around("agent", "commit_ended", "the journal's commit of an item's end"),
    *_around("agent", "step_answer", "a step's answer to a runner"),
    *_around("agent", "send_events", "events leave for the desktop"),
    *_around("agent", "send_accepted", "the word that an item is taken over leaves"),
    *_around("agent", "blob_fsync", "a received file is synced to the disk"),
    *_around("agent", "blob_rename", "a received file gets its name"),
    *_around("runner", "upload", "the request that uploads a file"),
    *_around("runner", "deciding_request", "the request that makes a post visible"),
    *_around("runner", "step_sending", "the runner hears that `sending` is on disk"),
    *_around("runner", "item_ended", "the runner tells an item's end"),
    *_around("runner", "browser_share", "the browser shares a post", needs_browser=True),
    *_around("core", "commit_claim", "the store's commit that claims intents"),
    *_around("core", "commit_events", "the store's commit of an agent's events"),
    *_around("core", "commit_accepted", "the store's commit of what an agent took over"),
    *_around("core", "send_accept", "an item leaves for an agent"),
    *_around("core", "send_ack", "an acknowledgement leaves for an agent"),
)

NAMES = frozenset(point.name for point in POINTS)


class Failpoints:
    """The points of one process, as the process itself passes them."""

    def __init__(self, folder: Path) -> None:
        self._board = Board(folder)
        self._noted: set[str] = set()
        self._left: dict[str, int] = {}

    def hit(self, name: str) -> None:
        """Pass a point: note it the first time, and die here where that was asked for."""
        assert name in NAMES, name
        if name not in self._noted:
            self._noted.add(name)
            self._board.note(name)
        wanted = self._board.armed(name)
        if wanted is None:
            self._left.pop(name, None)
            return
        left = self._left.get(name, wanted) - 1
        self._left[name] = left
        if left <= 0 and self._board.claim(name):
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Board:
    """The folder through which the points of one machine are armed, and tell what happened."""

    folder: Path
    _armed: Path = field(init=False)
    _fired: Path = field(init=False)
    _reached: Path = field(init=False)

    def __post_init__(self) -> None:
        self._armed = self.folder / "armed"
        self._fired = self.folder / "fired"
        self._reached = self.folder / "reached"
        for folder in (self._armed, self._fired, self._reached):
            folder.mkdir(parents=True, exist_ok=True)

    def arm(self, name: str, nth: int = 1) -> None:
        """Ask whoever passes the point the nth time from now to die there."""
        assert name in NAMES, name
        fresh = self.folder / f"{name}.new"
        fresh.write_text(str(nth))
        fresh.replace(self._armed / name)

    def disarm(self, name: str) -> bool:
        """Take that back; False where it has happened already."""
        try:
            (self._armed / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def is_armed(self, name: str) -> bool:
        """Say whether nobody has died there yet."""
        return (self._armed / name).exists()

    def reached(self) -> set[str]:
        """The points that were passed so far."""
        return {path.name for path in self._reached.iterdir()}

    def fired(self) -> Iterator[str]:
        """The points at which a process died, once for each death."""
        return (path.name.partition(":")[0] for path in self._fired.iterdir())

    def note(self, name: str) -> None:
        """Remember that a point was passed."""
        (self._reached / name).touch()

    def armed(self, name: str) -> int | None:
        """How many times the point is to be passed before the death; None where it is not."""
        try:
            return int((self._armed / name).read_text())
        except FileNotFoundError:
            return None

    def claim(self, name: str) -> bool:
        """Take the death on oneself; False where another process was first."""
        count = sum(1 for _ in self._fired.iterdir())
        try:
            (self._armed / name).rename(self._fired / f"{name}:{os.getpid()}:{count}")
        except FileNotFoundError:
            return False
        return True
