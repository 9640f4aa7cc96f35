"""The tables that the migrations make are those of this release, and no data is lost on the way."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from common.errors import StoreError
from desktop_app.store import accounts
from desktop_app.store.engine import make_engine, sqlite_url
from desktop_app.store.folder import StoreFolder
from desktop_app.store.migrating import migration_config
from desktop_app.store.tables import METADATA
from desktop_app.store.upgrade import migrations, revisions, upgrade
from desktop_app.store.vault import Vault
from tests.support.stored import add_accounts, writing

NEXT = '''
"""A later release."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("later", sa.String(), nullable=True))
'''


def later_scripts(folder: Path) -> Path:
    """The migrations of a later release."""
    scripts = folder / "later"
    shutil.copytree(migrations(), scripts)
    (scripts / "versions" / "9999_later.py").write_text(NEXT)
    return scripts


def test_migrations_make_the_tables_of_this_release(db: Connection) -> None:
    context = MigrationContext.configure(db, opts={"compare_type": True})
    assert compare_metadata(context, METADATA) == []


def test_file_names_tell_the_revisions() -> None:
    directory = ScriptDirectory.from_config(migration_config(migrations()))
    told = [script.revision for script in directory.walk_revisions()]
    assert list(reversed(revisions(migrations()))) == told


def test_a_start_with_nothing_to_do_leaves_alembic_out() -> None:
    code = "import sys, desktop_app.store.store; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_upgrade_keeps_the_rows(database_url: str, vault: Vault, tmp_path: Path) -> None:
    engine = make_engine(database_url)
    try:
        upgrade(engine, None)
        with writing(engine) as connection:
            ids = add_accounts(connection, vault, ["harbour", "quay"], tags=frozenset({"north"}))
        upgrade(engine, None, scripts=later_scripts(tmp_path))
        with writing(engine) as connection:
            assert {row.id for row in accounts.rows(connection, ids)} == set(ids)
            assert accounts.tags_in_use(connection) == {"north": 2}
            assert connection.execute(select(METADATA.tables["account"])).all()
    finally:
        engine.dispose()


def test_an_upgrade_leaves_a_copy_of_the_file_from_before(tmp_path: Path, vault: Vault) -> None:
    folder = StoreFolder(tmp_path / "data").make()
    engine = make_engine(sqlite_url(folder.database))
    try:
        upgrade(engine, folder)
        with writing(engine) as connection:
            add_accounts(connection, vault, ["harbour"])
        assert not folder.backups.exists(), "a new database has nothing to copy"
        upgrade(engine, folder, scripts=later_scripts(tmp_path))
    finally:
        engine.dispose()
    (copy,) = folder.backups.iterdir()
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT username FROM account").fetchall() == [("harbour",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_store_of_a_later_release_is_refused(tmp_path: Path) -> None:
    engine = make_engine(sqlite_url(tmp_path / "flotilla.db"))
    try:
        upgrade(engine, None, scripts=later_scripts(tmp_path))
        with pytest.raises(StoreError, match="later release"):
            upgrade(engine, None)
    finally:
        engine.dispose()


def test_other_databases_are_refused() -> None:
    for address in ("mysql://x/y", "not an address"):
        with pytest.raises(StoreError):
            make_engine(address)
