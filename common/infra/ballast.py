"""A file that takes room on the disk, to be given up when a journal or store can write no more.

Who releases it, and when it is made again, is its owner's decision.
"""

import contextlib
import os
import shutil
import threading
from pathlib import Path

BALLAST_BYTES = 64 * 1024 * 1024
"""Room that a ballast takes on a disk of ordinary size."""
_SMALL_DISK_SHARE = 32
"""On a smaller disk it takes this part of the whole."""
_PIECE = 1024 * 1024


class Ballast:
    """One ballast file. May be used from any thread."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        """Know of the ballast at `path`, be it there or not; its folder exists."""
        self._path = path
        self._size = min(size, _most_in(path.parent))
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes that it takes while it is there."""
        return self._size

    @property
    def free(self) -> int:
        """Bytes that are free on its disk beside it."""
        return shutil.disk_usage(self._path.parent).free

    @property
    def is_there(self) -> bool:
        """True while it takes its room."""
        try:
            return self._path.stat().st_size >= self._size
        except OSError:
            return False

    def make(self) -> bool:
        """Take the room; returns False where the disk does not have it, and takes nothing then."""
        with self._lock:
            if self.is_there:
                return True
            try:
                _fill(self._path, self._size)
            except OSError:
                self._remove()
                return False
            return True

    def release(self) -> bool:
        """Give the room up; returns whether there was any."""
        with self._lock:
            was_there = self.is_there
            self._remove()
            return was_there

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()


def _most_in(folder: Path) -> int:
    return shutil.disk_usage(folder).total // _SMALL_DISK_SHARE


def _fill(path: Path, size: int) -> None:
    """Write a file of `size` bytes that really takes them: neither sparse nor compressible."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            for at in range(0, size, _PIECE):
                file.write(os.urandom(min(_PIECE, size - at)))
        file.flush()
        os.fsync(file.fileno())
