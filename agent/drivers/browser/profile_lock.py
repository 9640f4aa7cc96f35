"""One process per browser profile: a lock file that the system frees when its holder dies."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from common.errors import ConflictError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProfileLock:
    """Held from construction to `release`."""

    def __init__(self, folder: Path, username: str) -> None:
        """Take the lock of the profile in `folder`; raises ConflictError where another holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(folder / "browser.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _try_lock(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            raise ConflictError(
                f"The browser profile of {username} is open in another process.",
                advice="Close the other browser, or wait until its item has ended.",
                subject=username,
            ) from None

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
