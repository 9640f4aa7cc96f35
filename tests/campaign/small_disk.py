"""A small disk of its own for each machine, so that one can be filled without the others."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_MOUNT_SECONDS = 10
_FILLER = "filler"


def can_mount() -> bool:
    """Say whether this user may mount a disk in memory: root, on Linux, outside a bare sandbox."""
    return sys.platform == "linux" and os.geteuid() == 0 and bool(shutil.which("mount"))


@contextlib.contextmanager
def small_disks(folders: list[Path], mib: int) -> Iterator[bool]:
    """Put a disk at each folder where that is possible; yields whether it was."""
    with contextlib.ExitStack() as undo:
        mounted = can_mount()
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            mounted = mounted and _mount(folder, mib)
            if mounted:
                undo.callback(_unmount, folder)
        yield mounted


def fill(folder: Path) -> None:
    """Take every free byte of the disk."""
    with (folder / _FILLER).open("wb", buffering=0) as filler:
        free = shutil.disk_usage(folder).free
        with contextlib.suppress(OSError):
            os.posix_fallocate(filler.fileno(), 0, free)
        filler.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))


def free(folder: Path) -> None:
    """Give them back."""
    (folder / _FILLER).unlink(missing_ok=True)


def _mount(folder: Path, mib: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", str(folder)]
    return _run(command) == 0


def _unmount(folder: Path) -> None:
    # A process that is just ending may still hold it: then it goes when that one is gone.
    if _run(["umount", str(folder)]):
        _run(["umount", "--lazy", str(folder)])


def _run(command: list[str]) -> int:
    done = subprocess.run(command, capture_output=True, timeout=_MOUNT_SECONDS, check=False)
    return done.returncode
