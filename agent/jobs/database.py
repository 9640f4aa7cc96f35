"""Opening the journal's SQLite file: one connection, locked to one agent, durable to the disk.

A file that is damaged is moved aside, never deleted, and a fresh one begins; its outbox has a new
epoch, which tells every desktop that history is gone. What is left of one whose file is missing is
kept in the same way.
"""

import logging
import sqlite3
import sys
import time
from pathlib import Path

from agent.jobs.schema import MIGRATIONS, migrate
from common.errors import StoreError

_LOG = logging.getLogger(__name__)
_BUSY_SECONDS = 2.0
_CHECKPOINT_PAGES = 4000
_SIDE_FILES = ("", "-wal", "-shm")


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the file at `path`.

    Raises StoreError where another agent holds it, or it is from a newer release.
    """
    if not path.exists():
        _move_aside(path)
    try:
        return _open_checked(path)
    except sqlite3.OperationalError as problem:
        raise StoreError(
            f"The journal {path} cannot be opened: {problem}.",
            subject=str(path),
            advice="Is another agent running on this data folder? Is the disk full?",
        ) from problem
    except sqlite3.DatabaseError as problem:
        _refuse_newer(path, problem)
        _move_aside(path)
        _LOG.error("The journal was damaged (%s). It was kept beside the new one.", problem)
        return _open_checked(path)


def _open_checked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
        migrate(connection)
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))
    except BaseException:
        connection.close()
        raise
    if sys.platform != "win32":
        path.chmod(0o600)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    # Exclusive: a second agent on this folder is refused, and the one connection that writes is
    # also the one that checkpoints (https://sqlite.org/wal.html, the WAL-reset bug).
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync = 1")
        connection.execute("PRAGMA checkpoint_fullfsync = 1")
    connection.execute("PRAGMA foreign_keys = ON")


def _refuse_newer(path: Path, problem: sqlite3.DatabaseError) -> None:
    if "this release knows" in str(problem):
        raise StoreError(
            f"The journal {path} was made by a newer release ({len(MIGRATIONS)} is the last "
            "version known here).",
            subject=str(path),
            advice="Install the newer release again.",
        ) from problem


def _move_aside(path: Path) -> None:
    """Rename what is there of a journal that cannot be used."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for side in _SIDE_FILES:
        damaged = path.with_name(path.name + side)
        if damaged.exists():
            damaged.rename(path.with_name(f"{path.name}{side}.damaged-{stamp}"))
