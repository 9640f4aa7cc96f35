"""An agent keeps how far it has seen each store, whatever happens to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.jobs.database import open_database
from agent.jobs.journal import Journal, Transaction
from agent.jobs.marks import StoreMarks, load_marks
from agent.jobs.meta import begin_life
from common.security.sealing import new_key


async def test_the_highest_mark_of_each_store_outlives_the_agent(tmp_path: Path) -> None:
    key = new_key()
    journal = Journal(open_database(tmp_path / "journal.sqlite"), key)
    await journal.write(begin_life)
    written: list[asyncio.Future[object]] = []

    def write(_what: str, work: Callable[[Transaction], object]) -> None:
        written.append(journal.submit(work))

    marks = StoreMarks(await journal.write(load_marks), write)
    assert marks.seen("one") == 0
    for store_id, mark in [("one", 4), ("one_", 9), ("one", 3), ("one", 2**53), ("one", 2**53)]:
        marks.note(store_id, mark)
    assert len(written) == 3, "only what is higher is written"
    await journal.close()

    journal = Journal(open_database(tmp_path / "journal.sqlite"), key)
    again = StoreMarks(await journal.write(load_marks), write)
    assert [again.seen(store_id) for store_id in ("one", "one_", "two")] == [2**53, 9, 0]
    await journal.close()
