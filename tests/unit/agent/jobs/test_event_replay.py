"""A long backlog is replayed whole, in order, once, and in little memory."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

from agent.jobs.database import open_database
from agent.jobs.journal import Journal, Transaction
from agent.jobs.meta import begin_life
from agent.jobs.outbox import Outbox, read_bounds
from agent.server.event_pump import EventPump
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.protocol.events import ItemChanged
from common.security.sealing import new_key

BACKLOG = 100_000
MEMORY = 16 * 1024 * 1024


def _fill(transaction: Transaction) -> None:
    event = ItemChanged(item_id=new_id(), attempt=1, state=ItemState.RUNNING, step="x" * 200)
    transaction.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO outbox (at, body) SELECT i, ? FROM n",
        (BACKLOG, event.model_dump_json()),
    )


async def test_a_hundred_thousand_events_are_replayed_in_little_memory(tmp_path: Path) -> None:
    journal = Journal(open_database(tmp_path / "journal.sqlite"), new_key())
    life = await journal.write(begin_life)
    await journal.write(_fill)
    outbox = Outbox(journal, life.epoch, *await journal.write(read_bounds))
    assert outbox.depth == BACKLOG
    pump = EventPump(outbox, journal.key, None)
    tracemalloc.start()
    seen = 0
    while (text := await pump.next_batch(0.0)) is not None:
        seqs = [int(seq) for seq in re.findall(r'"seq":(\d+)', text)]
        assert seqs == list(range(seen + 1, seen + len(seqs) + 1))
        seen = seqs[-1]
        pump.acknowledge(life.epoch, seen)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == BACKLOG
    assert peak < MEMORY
    outbox.close()
    (left,) = await journal.write(
        lambda transaction: transaction.execute("SELECT count(*) FROM outbox").fetchone()
    )
    assert left == 0
    await journal.close()


async def test_events_come_in_order_from_the_file_and_from_memory(tmp_path: Path) -> None:
    journal = Journal(open_database(tmp_path / "journal.sqlite"), new_key())
    life = await journal.write(begin_life)
    outbox = Outbox(journal, life.epoch, *await journal.write(read_bounds))
    event = ItemChanged(item_id=new_id(), attempt=1, state=ItemState.RUNNING)
    for _ in range(60):
        await journal.write(lambda work: [work.append(event) for _ in range(100)])
    for begin in (0, 1999, 3, 5990):  # a link may break and resume anywhere
        seen = begin
        while rows := await outbox.rows_after(seen, 70):
            assert [row.seq for row in rows] == list(range(seen + 1, seen + len(rows) + 1))
            seen = rows[-1].seq
        assert seen == 6000
    await journal.close()
