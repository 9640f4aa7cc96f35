"""The exclusive lock on a data folder: one core per store."""

import contextlib
import os
import sys
from pathlib import Path

from common.errors import StoreInUseError

_FAR = 1 << 20
"""Where Windows locks a byte: behind the text, so that others can still read who holds it."""


class StoreLock:
    """Held for as long as a core uses a data folder; the system drops it when the core dies."""

    def __init__(self, file: Path) -> None:
        """Take the lock; raises StoreInUseError that names the process which holds it."""
        self._file = file
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            holder = self._holder()
            os.close(self._descriptor)
            raise StoreInUseError(
                f"Another core already uses this store: process {holder}.",
                advice="Use the window or command line with that core, or stop it first.",
                subject=str(file.parent),
            ) from None
        os.ftruncate(self._descriptor, 0)
        # Who holds it is only for others to read: on a full disk it is held without that.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the folder go. Safe to call twice."""
        if self._descriptor < 0:
            return
        os.ftruncate(self._descriptor, 0)
        with contextlib.suppress(OSError):
            _unlock(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def _holder(self) -> str:
        text = os.pread(self._descriptor, 32, 0) if hasattr(os, "pread") else self._read()
        return text.decode(errors="replace").strip() or "unknown"

    def _read(self) -> bytes:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 32)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
