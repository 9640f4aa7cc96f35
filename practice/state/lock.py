"""One platform per folder: a lock that the operating system drops with the process."""

import contextlib
import os
import sys
from pathlib import Path


class FolderInUseError(RuntimeError):
    """Another platform serves from the folder."""


class FolderLock:
    """Held from construction to ``release``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(folder / "in-use.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            raise FolderInUseError(
                f"Another practice platform uses {folder}. Stop it or choose another folder."
            ) from None

    def release(self) -> None:
        """Let others have the folder."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
