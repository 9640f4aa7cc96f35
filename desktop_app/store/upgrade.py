"""Brings a database to this release's tables, with a copy of the SQLite file from before.

A start usually finds nothing to do, and then Alembic (a third of the core's imports) stays out.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, text

from common.errors import StoreError
from common.infra.paths import make_private_folder, sync_folder
from desktop_app.store.engine import WRITER
from desktop_app.store.folder import StoreFolder

_BACKUPS_KEPT = 5


def migrations() -> Path:
    """Return the folder of the migration scripts."""
    return Path(__file__).parent / "migrations"


def revisions(scripts: Path) -> list[str]:
    """Return the revisions that scripts lead through, oldest first; their file names say them."""
    return sorted(file.name[:4] for file in (scripts / "versions").glob("[0-9]*_*.py"))


def upgrade(engine: Engine, folder: StoreFolder | None, *, scripts: Path | None = None) -> None:
    """Upgrade to this release's tables, in one transaction; nothing to do is the usual case.

    A SQLite database that holds data is copied to the folder's backups first. Raises StoreError
    for a database that a later release has used.
    """
    scripts = scripts or migrations()
    known, now = revisions(scripts), _current_revision(engine)
    if now == known[-1]:
        return
    if now is not None and now not in known:
        raise StoreError(
            "This store was used by a later release of Flotilla.",
            advice="Install that release, or bring back a backup from before the upgrade.",
        )
    if now is not None and folder is not None and engine.dialect.name == "sqlite":
        _back_up(folder, now)
    from desktop_app.store.migrating import run_migrations

    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        run_migrations(connection, scripts)


def _current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def _back_up(folder: StoreFolder, revision: str) -> None:
    make_private_folder(folder.backups)
    number = 1 + max((int(f.stem.split("-")[1]) for f in _backups(folder)), default=0)
    target = folder.backups / f"flotilla-{number:04d}-{revision}.db"
    with (
        closing(sqlite3.connect(folder.database)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
    target.chmod(0o600)
    sync_folder(folder.backups)
    for old in _backups(folder)[:-_BACKUPS_KEPT]:
        old.unlink()


def _backups(folder: StoreFolder) -> list[Path]:
    return sorted(folder.backups.glob("flotilla-????-*.db"))
