"""The outbox over a link that breaks anywhere: every event is applied once, and in order."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from common.errors import LinkError
from common.protocol.events import OutboxRow
from common.protocol.messages import Cursor
from common.protocol.outbox import WINDOW_EVENTS, OutboxFeed, take_batch


def row(seq: int) -> OutboxRow:
    return OutboxRow(seq=seq, at=0.0, body={"n": seq})


class Outbox(RuleBasedStateMachine):
    """An agent with a durable outbox, a desktop with a durable cursor, and a bad link."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, OutboxRow] = {}
        self.last = 0
        self.cursor = Cursor(epoch="e", seq=0)
        self.applied: list[int] = []
        self.connect()

    @rule()
    def connect(self) -> None:
        """Any cut, crash or restart of either side ends here: nothing in flight survives."""
        lowest = min(self.kept, default=self.last + 1)
        self.feed = OutboxFeed("e", lowest, self.cursor)
        self.batches: list[list[OutboxRow]] = []
        self.acknowledgements: list[int] = []

    @rule(count=st.integers(1, 20))
    def report(self, count: int) -> None:
        for _ in range(count):
            self.last += 1
            self.kept[self.last] = row(self.last)

    @rule(size=st.integers(1, 7))
    def send(self, size: int) -> None:
        due = [self.kept[seq] for seq in sorted(self.kept) if seq > self.feed.after]
        batch = due[: min(size, self.feed.room)]
        if batch:
            self.feed.sent(batch)
            self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(again=st.booleans())
    def apply(self, again: bool) -> None:
        batch = self.batches.pop(0)
        for _ in range(1 + again):
            taken = take_batch(self.cursor, "e", batch)
            self.applied += [new.seq for new in taken.rows]
            self.cursor = taken.cursor
        self.acknowledgements.append(self.cursor.seq)

    @precondition(lambda self: self.acknowledgements)
    @rule()
    def acknowledge(self) -> None:
        done = self.feed.acknowledge("e", self.acknowledgements.pop(0))
        self.kept = {seq: kept for seq, kept in self.kept.items() if seq > done}

    @invariant()
    def every_event_once_and_in_order(self) -> None:
        assert self.applied == list(range(1, len(self.applied) + 1))

    @invariant()
    def nothing_is_forgotten_before_it_is_applied(self) -> None:
        assert all(seq in self.kept for seq in range(self.cursor.seq + 1, self.last + 1))


Outbox.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
test_outbox = Outbox.TestCase


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
