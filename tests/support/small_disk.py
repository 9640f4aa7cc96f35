"""Small disks in memory, to be filled to the last byte and to be given room again.

Only root on Linux can mount one; elsewhere a test is skipped, and a campaign fills none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

_MOUNT_SECONDS = 20
_FILLER = "filler"
_PAGE = 4096


def can_mount() -> bool:
    """Say whether this user may mount a disk in memory: root, on Linux, outside a bare sandbox."""
    return sys.platform == "linux" and os.geteuid() == 0 and bool(shutil.which("mount"))


@contextlib.contextmanager
def small_disks(folders: Sequence[Path], mib: int) -> Iterator[bool]:
    """Put a disk at each folder where that is possible; yields whether it was."""
    with contextlib.ExitStack() as undo:
        mounted = can_mount()
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            mounted = mounted and _mount(folder, mib)
            if mounted:
                undo.callback(_unmount, folder)
        yield mounted


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """Put a disk at a folder; skips the test where that is not possible."""
    with small_disks([folder], mib) as mounted:
        if not mounted:
            pytest.skip("a disk in memory can be mounted by root on Linux alone")
        yield folder


def fill(disk: Path, *, but_for: int = 0) -> None:
    """Take every free byte of a disk, or all but so many."""
    with (disk / _FILLER).open("ab", buffering=0) as filler:
        room = shutil.disk_usage(disk).free - but_for
        if room > 0:
            with contextlib.suppress(OSError):
                os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), room)
        filler.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError):
            while not but_for:
                filler.write(bytes(_PAGE))


def free(disk: Path) -> None:
    """Give them back."""
    (disk / _FILLER).unlink(missing_ok=True)


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
