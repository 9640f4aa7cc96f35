"""Fences in the journal: whatever an account is called, a holder that was replaced is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.jobs import holdings
from agent.jobs.database import open_database
from agent.jobs.fences import names_of, raise_fence, same_account
from common.access import AccountAccess
from common.errors import StaleFenceError
from tests.support.agent_items import a_login, an_account
from tests.support.journal_file import JournalFile

KNOWN = an_account()
BY_NAME = KNOWN.model_copy(update={"user_id": None})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    opened = JournalFile(open_database(tmp_path / "journal.sqlite"))
    yield opened
    opened.connection.close()


@pytest.mark.parametrize("first", [BY_NAME, KNOWN], ids=["by name", "by id"])
@pytest.mark.parametrize("second", [BY_NAME, KNOWN], ids=["by name", "by id"])
def test_a_replaced_holder_is_refused_by_whatever_name_it_knows_the_account(
    file: JournalFile, first: AccountAccess, second: AccountAccess
) -> None:
    file.accept(a_login(first, fence=5))
    file.accept(a_login(KNOWN, fence=5))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(second, fence=4))
    file.accept(a_login(second, fence=5))


def test_a_holder_that_only_knows_the_name_replaces_one_that_knows_the_id(
    file: JournalFile,
) -> None:
    item = a_login(KNOWN, fence=3)
    file.accept(item)
    file.accept(a_login(BY_NAME, fence=7))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(KNOWN, fence=6))
    with pytest.raises(StaleFenceError):
        file.cancel(item, fence=6)
    assert {row.fence for row in file.do(holdings.inventory)} == {7}


def test_the_fence_of_a_name_is_kept_when_the_id_becomes_known(file: JournalFile) -> None:
    file.accept(a_login(BY_NAME, fence=9))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(KNOWN, fence=8))
    file.accept(a_login(KNOWN, fence=9))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(BY_NAME, fence=8))


def test_an_account_that_was_renamed_is_fenced_by_its_old_name_too(file: JournalFile) -> None:
    renamed = KNOWN.model_copy(update={"username": "countess"})
    file.accept(a_login(KNOWN, fence=3))
    file.accept(a_login(renamed, fence=6))
    for username in ("ada", "countess"):
        with pytest.raises(StaleFenceError):
            file.accept(a_login(BY_NAME.model_copy(update={"username": username}), fence=5))


def test_a_name_that_goes_to_another_account_joins_nothing_but_the_name(
    file: JournalFile,
) -> None:
    other = KNOWN.model_copy(update={"user_id": "id-other"})
    file.accept(a_login(KNOWN, fence=3))
    file.accept(a_login(other, fence=8))
    file.accept(a_login(KNOWN.model_copy(update={"username": "countess"}), fence=4))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(BY_NAME, fence=7))


def test_all_names_are_known_from_each(file: JournalFile) -> None:
    by_name, by_id = BY_NAME.identity, KNOWN.identity
    file.do(lambda transaction: raise_fence(transaction, by_name, 2, "ada"))
    assert file.do(lambda transaction: names_of(transaction, by_name)) == (by_name,)
    file.do(lambda transaction: same_account(transaction, KNOWN))
    for name in (by_name, by_id):
        found = file.do(lambda transaction, name=name: names_of(transaction, name))
        assert set(found) == {by_name, by_id}
