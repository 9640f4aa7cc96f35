"""Where Flotilla keeps its files, and how a private file is written."""

import os
import secrets
import sys
from pathlib import Path

import platformdirs

from common.errors import StoreError

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


def data_folder(app: str) -> Path:
    """Return the default data folder of `flotilla` or `flotilla-agent` for this user."""
    return Path(platformdirs.user_data_dir(app, appauthor=False))


def make_data_folder(path: Path) -> Path:
    """Make the folder that an operator named; raises StoreError that says why it cannot be."""
    try:
        return make_private_folder(path)
    except OSError as problem:
        raise StoreError(
            f"The data folder {path} cannot be made: {problem.strerror}.",
            subject=str(path),
            field="data",
            advice="Name another folder with --data, or give yourself the right to write there.",
        ) from problem


def make_private_folder(path: Path) -> Path:
    """Create a folder that only this user may enter; an existing one is closed to others."""
    path.mkdir(parents=True, exist_ok=True)
    if sys.platform != "win32":
        path.chmod(_PRIVATE_FOLDER)
    return path


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file that only this user may read, whole or not at all, and durable."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        _write_synced(partial, data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write_synced(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, _PRIVATE_FILE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make a rename or a new file in `path` durable. Windows needs nothing here."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
