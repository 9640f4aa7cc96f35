"""Room on the disk: what is stopped when it runs short, and how it comes back by itself.

First logs leave lines out, then nothing new is started, and when the journal itself can write no
more the ballast is given up, so that what runs can be brought to its end on paper.
"""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from common.infra.ballast import Ballast

_LOG = logging.getLogger(__name__)
_MIB = 1024 * 1024
LOGS_NEED = 256 * _MIB
"""Free bytes below which logs leave lines out; on a small disk an eighth of it."""
STARTS_NEED = 128 * _MIB
"""Free bytes below which nothing new is started; on a small disk a sixteenth of it."""


class Room(IntEnum):
    """How much room there is."""

    NONE = 0
    """Nothing new is started."""
    LITTLE = 1
    """Logs leave lines out."""
    ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Needs:
    """Free bytes that are wanted, beside the ballast."""

    logs: int
    starts: int


def needs_of(total: int) -> Needs:
    """Return what is wanted on a disk of `total` bytes."""
    return Needs(logs=min(LOGS_NEED, total // 8), starts=min(STARTS_NEED, total // 16))


def room_for(free: int, missing: int, needs: Needs) -> Room:
    """Judge `free` bytes, of which the ballast takes `missing` again when it comes back."""
    left = free - missing
    if left < needs.starts:
        return Room.NONE
    return Room.LITTLE if left < needs.logs else Room.ENOUGH


class DiskWatch:
    """The disk that the agent's data lie on."""

    def __init__(self, folder: Path, ballast: Ballast, changed: Callable[[Room], None]) -> None:
        """`changed` is told, from `look`, whenever there is more room or less than before."""
        self._folder = folder
        self._ballast = ballast
        self._changed = changed
        self._needs = needs_of(shutil.disk_usage(folder).total)
        self._room = Room.ENOUGH

    @property
    def is_full(self) -> bool:
        """True while nothing new is started."""
        return self._room is Room.NONE

    def look(self) -> None:
        """Look how much room there is, and make the ballast again once there is enough."""
        missing = 0 if self._ballast.is_there else self._ballast.size
        room = room_for(shutil.disk_usage(self._folder).free, missing, self._needs)
        if missing and room is not Room.NONE and not self._ballast.make():
            room = Room.NONE
        if room is not self._room:
            level = logging.INFO if room > self._room else logging.WARNING
            _LOG.log(level, "Room on the disk: %s.", _SAID[room])
            self._room = room
            self._changed(room)


_SAID = {
    Room.NONE: "too little to start anything; free some on this machine",
    Room.LITTLE: "little; logs leave lines out",
    Room.ENOUGH: "enough",
}
