"""Who may command and who may watch; the list outlives the journal, old ones come over."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.database import open_database
from agent.server.tokens import (
    Grant,
    Pairings,
    Tokens,
    earlier_pairings,
    forget_earlier_pairings,
    load_pairings,
)
from tests.support.journal_file import JournalFile

NONE = Pairings()


async def test_the_first_store_owns_the_agent_and_others_watch(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, NONE)
    assert not tokens.has_any
    first = await tokens.issue("one", "Desk", take_over=False)
    second = await tokens.issue("two", "Laptop", take_over=False)
    assert (first.grant.scope, second.grant.scope) == ("control", "read")
    assert tokens.find(first.token) == first.grant
    assert tokens.find("other") is None


async def test_take_over_leaves_the_earlier_owner_to_watch_over_a_restart(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, NONE)
    first = await tokens.issue("one", "Desk", take_over=False)
    second = await tokens.issue("two", "Laptop", take_over=True)
    again = Tokens(tmp_path, load_pairings(tmp_path, NONE))
    scopes = {found.store_id: found.scope for token in (first.token, second.token)
              if (found := again.find(token))}  # fmt: skip
    assert scopes == {"one": "read", "two": "control"}
    (file,) = tmp_path.iterdir()
    assert first.token not in file.read_text()


def test_pairings_of_an_earlier_release_come_over_once(tmp_path: Path) -> None:
    journal = JournalFile(open_database(tmp_path / "journal.sqlite"))
    journal.connection.execute("INSERT INTO token VALUES ('d1', 'one', 'control', 'Desk', 1.0)")
    journal.connection.execute("INSERT INTO meta VALUES ('owner_store', 'one')")
    earlier = journal.do(earlier_pairings)
    assert earlier == Pairings("one", (Grant("d1", "one", "control", "Desk"),))
    load_pairings(tmp_path, earlier)
    journal.do(forget_earlier_pairings)
    assert load_pairings(tmp_path, journal.do(earlier_pairings)) == earlier
    journal.connection.close()


@pytest.mark.parametrize("content", ["", "{}", '{"owner": "x", "grants": [{"digest": 1}]}', "[1]"])
def test_a_damaged_list_is_kept_aside_and_lets_nobody_in(tmp_path: Path, content: str) -> None:
    (tmp_path / "paired.json").write_text(content)
    assert load_pairings(tmp_path, NONE) == NONE
    assert (tmp_path / "paired.json.damaged").read_text() == content
