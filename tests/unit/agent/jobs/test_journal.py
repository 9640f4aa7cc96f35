"""The journal's writer: commits in groups, and one failure spoils nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.jobs.database import open_database
from agent.jobs.events import EVENT_LIMIT, StoredEvent
from agent.jobs.journal import Journal, Transaction
from agent.jobs.meta import begin_life
from agent.jobs.outbox import Outbox, read_bounds
from agent.jobs.schema import MIGRATIONS
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.errors import ConflictError, StoreError
from common.protocol.events import ItemChanged, SessionSaved, parse_event
from common.protocol.messages import Events, decode
from common.security.sealing import new_key

KEY = new_key()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal(open_database(tmp_path / "journal.sqlite"), KEY)
    yield opened
    await opened.close()


def a_change(step: str = "") -> ItemChanged:
    return ItemChanged(item_id=new_id(), attempt=1, state=ItemState.ASSIGNED, step=step)


def note(name: str, value: str, transaction: Transaction) -> None:
    transaction.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))


async def test_failure_of_one_leaves_the_others_of_its_group(journal: Journal) -> None:
    def fail(transaction: Transaction) -> None:
        note("lost", "x", transaction)
        transaction.append(a_change("lost"))
        raise ConflictError("no")

    heard: list[StoredEvent] = []
    journal.on_appended(heard.extend)
    first = journal.submit(lambda transaction: note("one", "1", transaction))
    failed = journal.submit(fail)
    told = journal.submit(lambda transaction: transaction.append(a_change("kept")))
    await asyncio.gather(first, told)
    with pytest.raises(ConflictError):
        await failed
    names = await journal.write(
        lambda transaction: transaction.execute("SELECT name FROM meta").fetchall()
    )
    assert names == [("one",)]
    assert [(event.seq, "kept" in (event.body or "")) for event in heard] == [(1, True)]


async def test_a_thousand_writers_share_few_commits(journal: Journal) -> None:
    commits: set[float] = set()

    def write(number: int, transaction: Transaction) -> None:
        commits.add(transaction.now)
        note(f"name-{number}", "", transaction)

    await asyncio.gather(
        *(journal.write(lambda transaction, n=n: write(n, transaction)) for n in range(1000))
    )
    assert len(commits) < 100


async def test_events_are_heard_before_their_writer_goes_on(journal: Journal) -> None:
    heard: list[StoredEvent] = []
    journal.on_appended(heard.extend)
    for number in range(1, 4):
        await journal.write(lambda transaction: transaction.append(a_change()))
        assert heard[-1].seq == number


async def test_sequence_goes_on_after_everything_is_acknowledged(journal: Journal) -> None:
    life = await journal.write(begin_life)
    outbox = Outbox(journal, life.epoch, *await journal.write(read_bounds))
    for _ in range(3):
        await journal.write(lambda transaction: transaction.append(a_change()))
    outbox.acknowledged(3)
    outbox.close()
    await journal.write(lambda transaction: transaction.append(a_change()))
    assert outbox.last_seq == 4
    assert await journal.write(read_bounds) == (4, 4)


async def test_backlog_is_read_from_the_file_and_from_memory_alike(journal: Journal) -> None:
    for number in range(5):
        await journal.write(lambda transaction, n=number: transaction.append(a_change(f"old {n}")))
    outbox = Outbox(journal, "epoch", *await journal.write(read_bounds))
    for number in range(5):
        await journal.write(lambda transaction, n=number: transaction.append(a_change(f"new {n}")))
    from_file = await outbox.rows_after(2, 100)
    from_memory = await outbox.rows_after(6, 100)
    assert [row.seq for row in from_file] == list(range(3, 11))
    assert [row.seq for row in from_memory] == [7, 8, 9, 10]
    assert list(from_file)[-4:] == list(from_memory)


async def test_stored_events_are_what_the_desktop_reads(journal: Journal) -> None:
    heard: list[StoredEvent] = []
    journal.on_appended(heard.extend)
    saved = SessionSaved.model_validate(
        {
            "account_id": new_id(),
            "driver": "private_api",
            "version": 3,
            "session": "canary-session",
            "user_id": "7",
            "username": "ada",
        }
    )
    await journal.write(lambda transaction: transaction.append(saved))
    await journal.write(lambda transaction: transaction.append(a_change("é")))
    assert heard[0].body is None
    assert b"canary" not in (heard[0].sealed_body or b"")
    rows = ",".join(event.wire_text(KEY) for event in heard)
    message = decode(f'{{"t":"events","epoch":"e","rows":[{rows}]}}')
    assert isinstance(message, Events)
    assert parse_event(message.rows[0].body) == saved
    assert [row.seq for row in message.rows] == [1, 2]


async def test_event_too_large_for_the_link_is_refused(journal: Journal) -> None:
    large = a_change().model_copy(update={"result": {"text": "x" * EVENT_LIMIT}})
    with pytest.raises(StoreError, match="too large"):
        await journal.write(lambda transaction: transaction.append(large))


async def test_room_is_made_once_on_a_full_disk_and_nobody_notices(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "journal.sqlite")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    asked: list[bool] = []

    def make_room() -> bool:
        connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        asked.append(True)
        return True

    journal = Journal(connection, KEY, make_room)
    heard: list[StoredEvent] = []
    journal.on_appended(heard.extend)

    def work(transaction: Transaction) -> None:
        transaction.append(a_change())
        note("large", "x" * 100_000, transaction)

    await journal.write(work)
    assert (len(asked), [event.seq for event in heard]) == (1, [1])
    await journal.close()


async def test_full_disk_fails_every_writer_and_heals(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "journal.sqlite")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    journal = Journal(connection, KEY)
    blob = "x" * 100_000
    with pytest.raises(StoreError, match="full"):
        await journal.write(lambda transaction: note("large", blob, transaction))
    await journal.write(lambda transaction: note("small", "1", transaction))
    await journal.close()


async def test_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal(open_database(tmp_path / "journal.sqlite"), KEY)
    last = journal.submit(lambda transaction: note("last", "1", transaction))
    await journal.close()
    await last
    with pytest.raises(StoreError, match="closed"):
        journal.submit(begin_life)


def test_second_agent_on_one_folder_is_refused(tmp_path: Path) -> None:
    first = open_database(tmp_path / "journal.sqlite")
    try:
        with pytest.raises(StoreError, match="cannot be opened"):
            open_database(tmp_path / "journal.sqlite")
    finally:
        first.close()


def test_damaged_journal_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database at all" * 1000)
    open_database(path).close()
    (kept,) = tmp_path.glob("*.damaged-*")
    assert kept.read_bytes().startswith(b"not a database")


def test_journal_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreError, match="newer release"):
        open_database(path)
    assert not list(tmp_path.glob("*.damaged-*"))
