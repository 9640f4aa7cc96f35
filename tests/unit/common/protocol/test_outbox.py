"""The outbox's numbers: what follows, what is behind, what may go out and what is new.

That every event is applied once, over a link that breaks anywhere: `tests/stateful`.
"""

import pytest

from common.errors import LinkError
from common.protocol.events import OutboxRow
from common.protocol.messages import Cursor
from common.protocol.outbox import (
    WINDOW_EVENTS,
    OutboxFeed,
    follows,
    is_behind,
    take_batch,
    was_put_back,
)


def row(seq: int) -> OutboxRow:
    return OutboxRow(seq=seq, at=0.0, body={"n": seq})


def test_a_cursor_of_another_epoch_counts_for_nothing() -> None:
    assert OutboxFeed("new", 1, Cursor(epoch="old", seq=50)).after == 0


def test_what_was_never_sent_cannot_be_acknowledged() -> None:
    feed = OutboxFeed("e", 1, None)
    feed.sent([row(1), row(2)])
    assert feed.acknowledge("e", 2) == 2
    with pytest.raises(LinkError, match="never sent"):
        feed.acknowledge("e", 3)
    with pytest.raises(LinkError, match="never sent"):
        feed.acknowledge("other", 1)


def test_the_window_closes_until_something_is_acknowledged() -> None:
    feed = OutboxFeed("e", 1, None)
    feed.sent([row(seq) for seq in range(1, WINDOW_EVENTS + 1)])
    assert feed.room == 0
    feed.acknowledge("e", 10)
    assert feed.room == 10


def test_a_gap_and_a_foreign_epoch_end_the_session() -> None:
    cursor = Cursor(epoch="e", seq=3)
    with pytest.raises(LinkError, match="sent event 5 where 4 was due"):
        take_batch(cursor, "e", [row(5)])
    with pytest.raises(LinkError, match="another epoch"):
        take_batch(cursor, "x", [row(4)])


def test_the_cursor_after_a_batch_says_when_its_last_event_happened() -> None:
    batch = take_batch(Cursor(epoch="e", seq=3), "e", [row(3), row(4)])
    assert [new.seq for new in batch.rows] == [4]
    assert batch.cursor == Cursor(epoch="e", seq=4, at=0.0)
    assert take_batch(batch.cursor, "e", [row(4)]).cursor == batch.cursor


@pytest.mark.parametrize(
    ("epoch", "lowest", "expected"),
    [("e", 1, True), ("e", 6, True), ("e", 7, False), ("other", 6, False)],
)
def test_an_outbox_follows_where_nothing_is_missing(
    epoch: str, lowest: int, expected: bool
) -> None:
    assert follows(Cursor(epoch="e", seq=5), epoch, lowest) is expected


@pytest.mark.parametrize(
    ("epoch", "last", "at", "expected"),
    [
        ("e", 5, 100.5, False),
        ("e", 9, 100.5, False),
        ("e", 9, None, False),
        ("e", 4, None, True),
        ("e", 9, 200.5, True),
        ("other", 4, 200.5, False),
    ],
)
def test_a_journal_that_was_put_back_is_noticed_even_if_it_wrote_on(
    epoch: str, last: int, at: float | None, expected: bool
) -> None:
    assert is_behind(Cursor(epoch="e", seq=5, at=100.5), epoch, last, at) is expected


def test_a_cursor_from_an_earlier_release_is_judged_by_its_number() -> None:
    assert not is_behind(Cursor(epoch="e", seq=5), "e", 9, 200.5)


@pytest.mark.parametrize(("seen", "expected"), [(0, False), (6, False), (7, True), (90, True)])
def test_a_store_that_says_a_mark_twice_was_put_back(seen: int, expected: bool) -> None:
    assert was_put_back(7, seen) is expected


def test_a_mark_that_no_store_has_reached_is_not_believed() -> None:
    with pytest.raises(LinkError, match="cannot have reached"):
        was_put_back(7, 2**53)


def test_a_cursor_acknowledges_what_is_before_it() -> None:
    assert OutboxFeed("e", 3, Cursor(epoch="e", seq=7)).acknowledged == 7
