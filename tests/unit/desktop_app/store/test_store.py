"""Opening a store: one core at a time, the right vault, and nothing in clear on the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from common.errors import StoreError, StoreInUseError, VaultError
from desktop_app.store import accounts
from desktop_app.store.accounts import AccountQuery
from desktop_app.store.lock import StoreLock
from desktop_app.store.store import open_store
from tests.support.stored import (
    PASSWORD,
    SEED,
    TOKEN,
    add_accounts,
    add_agent,
    open_test_store,
)

HOLDER = """
import sys
from pathlib import Path
from desktop_app.store.lock import StoreLock
lock = StoreLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_store_opens_again_with_its_rows(tmp_path: Path) -> None:
    first = open_test_store(tmp_path / "data")
    await first.write(lambda c: add_accounts(c, first.vault, ["harbour"]))
    first.close()
    first.close()
    again = open_store(tmp_path / "data")
    rows, total = await again.read(lambda c: accounts.page(c, AccountQuery()))
    again.close()
    assert (total, rows[0].username, rows[0].has_password) == (1, "harbour", True)
    assert again.store_id == first.store_id


@pytest.mark.postgres
async def test_a_store_may_live_in_postgres(tmp_path: Path, postgres_url: str) -> None:
    first = open_test_store(tmp_path / "data", postgres_url)
    await first.write(lambda c: add_accounts(c, first.vault, ["harbour"]))
    first.close()
    again = open_test_store(tmp_path / "data", postgres_url)
    _, total = await again.read(lambda c: accounts.page(c, AccountQuery()))
    again.close()
    assert total == 1
    assert not again.folder.database.exists()
    with pytest.raises(StoreError, match="lost the record of its vault"):
        open_test_store(tmp_path / "other", postgres_url)


def test_a_second_core_is_refused_and_told_who_holds_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    open_test_store(folder).close()
    command = [sys.executable, "-c", HOLDER, str(folder / "core.lock")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(StoreInUseError, match=f"process {holder.pid}"):
            open_test_store(folder)
        holder.communicate(timeout=20)
    open_test_store(folder).close()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = StoreLock(tmp_path / "lock")
    with pytest.raises(StoreInUseError, match=f"process {os.getpid()}"):
        StoreLock(tmp_path / "lock")
    lock.release()
    lock.release()
    StoreLock(tmp_path / "lock").release()


async def test_no_secret_lies_in_clear_in_the_data_folder(tmp_path: Path) -> None:
    store = open_test_store(tmp_path / "data")

    def fill(connection: Connection) -> None:
        add_accounts(connection, store.vault, ["harbour"])
        add_agent(connection, store.vault)

    await store.write(fill)
    everything = b"".join(f.read_bytes() for f in (tmp_path / "data").rglob("*") if f.is_file())
    store.close()
    assert b"harbour" in everything
    for secret in (PASSWORD, SEED, TOKEN):
        assert secret.encode() not in everything


def test_a_store_without_its_vault_record_does_not_get_a_new_one(tmp_path: Path) -> None:
    store = open_test_store(tmp_path / "data")
    store.close()
    store.folder.vault.unlink()
    with pytest.raises(StoreError, match="lost the record of its vault"):
        open_test_store(tmp_path / "data")


def test_a_database_of_another_store_is_refused(tmp_path: Path) -> None:
    one, other = open_test_store(tmp_path / "one"), open_test_store(tmp_path / "other")
    one.close()
    other.close()
    other.folder.database.replace(one.folder.database)
    with pytest.raises(StoreError, match="different stores"):
        open_test_store(tmp_path / "one")


def test_a_new_store_needs_the_choice_of_a_vault(tmp_path: Path) -> None:
    with pytest.raises(VaultError):
        open_store(tmp_path / "data")
    open_test_store(tmp_path / "data").close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_the_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    store = open_test_store(tmp_path / "data")
    store.close()
    assert store.folder.root.stat().st_mode & 0o077 == 0
    assert json.loads(store.folder.vault.read_text())["store_id"] == store.store_id


def test_what_an_interrupted_import_left_is_swept(tmp_path: Path) -> None:
    store = open_test_store(tmp_path / "data")
    store.close()
    left = store.folder.media / "01X.partial"
    left.write_bytes(b"half")
    open_test_store(tmp_path / "data").close()
    assert not left.exists()
