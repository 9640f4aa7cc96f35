"""What an agent does with the cursor that a desktop comes with, over a real journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.jobs.database import open_database
from agent.jobs.journal import Journal, Transaction
from agent.jobs.outbox import Outbox, read_bounds
from agent.server.event_pump import EventPump, JournalBehindError
from common.domain.states import ItemState
from common.protocol.events import ItemChanged
from common.protocol.messages import Cursor, Events, decode
from common.security.sealing import new_key

KEY = new_key()
EPOCH = "epoch"


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    """An outbox with three events."""
    journal = Journal(open_database(tmp_path / "journal.sqlite"), KEY)
    opened = Outbox(journal, EPOCH, *await journal.write(read_bounds))
    for number in range(3):
        await journal.write(lambda transaction, n=number: report(transaction, n))
    yield opened
    await journal.close()


def report(transaction: Transaction, number: int) -> None:
    state = ItemState.ASSIGNED
    transaction.append(ItemChanged(item_id=f"item-{number}", attempt=1, state=state))


async def numbers_sent(pump: EventPump) -> list[int]:
    text = await pump.next_batch(0.0)
    events = decode(text) if text else None
    return [row.seq for row in events.rows] if isinstance(events, Events) else []


async def test_it_goes_on_behind_the_cursor_and_forgets_what_is_before(outbox: Outbox) -> None:
    known = (await outbox.rows_after(1, 1))[0]
    pump = EventPump(outbox, KEY, Cursor(epoch=EPOCH, seq=known.seq, at=known.at))
    assert pump.wait_seconds(0.0) == 0.0
    assert await numbers_sent(pump) == [3]
    assert outbox.lowest_seq == 3


async def test_a_journal_that_lacks_events_is_behind(outbox: Outbox) -> None:
    with pytest.raises(JournalBehindError):
        EventPump(outbox, KEY, Cursor(epoch=EPOCH, seq=4))


@pytest.mark.parametrize("seq", [2, 3])
async def test_a_journal_that_was_put_back_and_wrote_on_is_behind(outbox: Outbox, seq: int) -> None:
    pump = EventPump(outbox, KEY, Cursor(epoch=EPOCH, seq=seq, at=1_763_900_000.0))
    assert pump.wait_seconds(0.0) == 0.0, "it is noticed though nothing is to be sent"
    with pytest.raises(JournalBehindError):
        await pump.next_batch(0.0)


async def test_a_cursor_of_another_epoch_proves_nothing(outbox: Outbox) -> None:
    pump = EventPump(outbox, KEY, Cursor(epoch="another", seq=9, at=1.0))
    assert await numbers_sent(pump) == [1, 2, 3]
