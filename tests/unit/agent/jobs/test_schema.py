"""A journal of an earlier release is brought up to this one with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agent.jobs import holdings
from agent.jobs.actions import action_of_item
from agent.jobs.database import open_database
from agent.jobs.log_spool import LogSpool
from agent.jobs.recovery import settle_items
from agent.jobs.schema import MIGRATIONS
from common.errors import StoreError
from common.items import ItemSpec
from common.security.sealing import place_of, seal
from tests.support.agent_items import a_publish, an_account
from tests.support.journal_file import KEY, JournalFile


def first_release(path: Path) -> sqlite3.Connection:
    """A journal as the first release has left it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"{MIGRATIONS[0]}\nPRAGMA user_version = 1;")
    return connection


def put(connection: sqlite3.Connection, item: ItemSpec, state: str, action: str) -> None:
    assert item.publish is not None
    account = item.account
    place = place_of("item_access", "sealed", f"{item.item_id}/1", 1)
    connection.execute(
        "INSERT INTO item (item_id, run_id, task, account_id, identity, driver, attempt, fence, "
        "state, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, 1, ?, 1.0, 1.0)",
        (item.item_id, item.run_id, item.task, account.account_id, account.identity,
         account.driver, state),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO item_spec VALUES (?, ?)", (item.item_id, item.model_dump_json())
    )
    connection.execute(
        "INSERT INTO item_access VALUES (?, ?)",
        (item.item_id, seal(KEY, account.model_dump_json(), place)),
    )
    connection.execute(
        "INSERT INTO action (action_id, item_id, account_id, identity, operation, content_key, "
        "placement, state, driver, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, 'publish', ?, 'feed', ?, 'private_api', 1.0, 1.0)",
        (item.publish.intent_id, item.item_id, account.account_id, account.identity,
         item.publish.content_key, action),
    )  # fmt: skip


def test_items_of_the_first_release_go_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old = first_release(path)
    cases = {
        ("needs_operator", "in_doubt"): ("assigned", "in_doubt"),
        ("running", "prepared"): ("assigned", "prepared"),
        ("done", "confirmed"): ("done", "confirmed"),
    }
    held = {case: a_publish(an_account(f"user{n}")) for n, case in enumerate(cases)}
    for (state, action), item in held.items():
        put(old, item, state, action)
    old.close()
    file = JournalFile(open_database(path))
    spool = LogSpool(tmp_path / "logs")
    file.do(lambda transaction: settle_items(transaction, spool))
    for case, item in held.items():
        assert file.state(item) == cases[case]
    doubtful = held[("needs_operator", "in_doubt")]
    action = file.do(lambda transaction: action_of_item(transaction, doubtful.item_id))
    assert action is not None
    assert action.baseline is None
    assert file.start(doubtful).item.account == doubtful.account
    assert len(file.do(holdings.inventory)) == 2
    file.connection.close()


def test_journal_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    connection = first_release(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer release"):
        open_database(path)
    assert [kept.name for kept in tmp_path.glob("*damaged*")] == []
    left = sqlite3.connect(path)
    assert left.execute("PRAGMA user_version").fetchone() == (99,)
    left.close()


def test_what_is_left_of_a_journal_without_its_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite-wal").write_bytes(b"left over")
    open_database(tmp_path / "journal.sqlite").close()
    (kept,) = tmp_path.glob("journal.sqlite-wal.damaged-*")
    assert kept.read_bytes() == b"left over"
