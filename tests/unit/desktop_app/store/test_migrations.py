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

from common.domain.accounts import Platform
from common.errors import StoreError
from desktop_app.store import (
    account_names,
    accounts,
    cards,
    generations,
    holders,
    items,
    ledger,
)
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
down_revision = "0004"
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


FIRST_ROWS = """
INSERT INTO meta (key, value) VALUES ('generation', '3');
INSERT INTO agent (id, name, host, port, certificate, scope, cursor_epoch, cursor_seq, paired_at)
    VALUES ('g', 'worker', 'h', 1, 'PEM', 'control', 'e', 7, 1.0);
INSERT INTO account (id, platform, platform_url, username, full_name, user_id, agent_id, fence,
    sign_in, posts, authority_confirmed_at, created_at)
    VALUES ('a', 'practice', 'http://127.0.0.1:1', 'cove', '', '', 'g', 2, 'unknown', 0, 1.0, 1.0);
INSERT INTO run (id, name, task, parameters, targets, created_at)
    VALUES ('r', 'Morning', 'bulk_upload', '{}', '{}', 1.0);
INSERT INTO item (id, run_id, position, account_id, username, agent_id, title, state, attempt,
    driver, driver_reason, parameters, intent_id, step, result, accepted_at, changed_at, log_end)
    VALUES ('i', 'r', 1, 'a', 'cove', 'g', 'Photo', 'queued', 1, 'private_api', '', '{}', NULL, '',
    '{}', NULL, 5.0, 0),
    ('j', 'r', 2, 'a', 'cove', 'g', 'Photo', 'needs_operator', 1, 'private_api', '', '{}', 'n', '',
    '{}', 4.0, 6.0, 0);
INSERT INTO publish_intent (id, account_id, content_key, placement, kind, caption, media, item_id,
    state, remote_id, remote_url, created_at)
    VALUES ('n', 'a', 'c', 'feed', 'photo', 'Fog', '["d"]', 'j', 'unresolved', '', '', 2.0);
INSERT INTO ledger_step (agent_id, epoch, seq, action_id, item_id, attempt, account_id, operation,
    state, driver, resume, remote_id, remote_url, note, at)
    VALUES ('g', 'e', 6, 'n', 'j', 1, 'a', 'publish', 'unresolved', 'private_api', '{}', '', '',
    '', 5.5);
"""


def first_scripts(folder: Path) -> Path:
    """The migrations of the first release."""
    scripts = folder / "first"
    shutil.copytree(migrations(), scripts)
    for file in (scripts / "versions").glob("[0-9]*_*.py"):
        if not file.name.startswith("0001"):
            file.unlink()
    return scripts


def test_a_store_of_the_first_release_is_brought_up_with_what_is_in_it(
    database_url: str, tmp_path: Path
) -> None:
    engine = make_engine(database_url)
    try:
        upgrade(engine, None, scripts=first_scripts(tmp_path))
        with writing(engine) as connection:
            for statement in FIRST_ROWS.strip().split(";"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        upgrade(engine, None)
        with writing(engine) as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, METADATA) == []
            assert generations.not_heard(connection) == [], "nothing waits for a comparison"
            found = items.records(connection, ["i", "j"])
            assert found["i"].is_away, "the first release did not note what it had sent"
            assert not found["j"].offered
            (card,), _ = cards.page(connection, resolved=False)
            assert (card.item_id, card.username, card.opened_at) == ("j", "cove", 6.0)
            assert card.acts
            (entry,) = ledger.of_item(connection, "j").entries
            assert (entry.by, entry.baseline, entry.sighted) == ("", None, [])
            assert accounts.rows(connection, ["a"])[0].moving_to == ""
            names = account_names.account_ids(
                connection, Platform.PRACTICE, "http://127.0.0.1:1", ["Cove"]
            )
            assert names == {"cove": "a"}, "deleted and imported again, it is the same account"
            assert holders.is_forgotten(connection, "j"), "nobody noted who had it"
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
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)


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
