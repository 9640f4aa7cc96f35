"""Outbox and cursor: every event is applied once and in order, or a new history begins.

An agent whose journal numbers by AUTOINCREMENT, a store that applies a batch and moves its cursor
in one transaction, and between them a link that breaks anywhere. Either disk may be lost or put
back to an earlier day, while the other side goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from common.errors import LinkError
from common.protocol.events import OutboxRow
from common.protocol.messages import Cursor
from common.protocol.outbox import OutboxFeed, follows, is_behind, take_batch
from tests.stateful.machines import assert_caught, hold


@dataclass(frozen=True)
class Journal:
    """The agent's disk."""

    epoch: str
    rows: dict[int, OutboxRow] = field(default_factory=dict)
    """What is not deleted yet; a row's body holds an id that no other event ever has."""
    last: int = 0
    """The number given last, as AUTOINCREMENT keeps it."""
    story: tuple[int, ...] = ()
    """Ids of all events of this life, deleted rows too: what the store has to learn."""

    @property
    def lowest(self) -> int:
        return min(self.rows, default=self.last + 1)


@dataclass(frozen=True)
class Store:
    """The desktop's disk."""

    cursor: Cursor = field(default_factory=lambda: Cursor(epoch="", seq=0))
    applied: tuple[int, ...] = ()
    """Ids of events, in the order in which they were applied."""
    numbers: tuple[int, ...] = ()
    """Their numbers, since the present history began."""


@dataclass
class Link:
    """One session: what is on its way is lost with it."""

    feed: OutboxFeed
    batches: list[list[OutboxRow]] = field(default_factory=list)
    acknowledgements: list[tuple[str, int]] = field(default_factory=list)


class OutboxAndCursor(RuleBasedStateMachine):
    """Both disks, at most one link, and copies of the disks from earlier."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.clock = 1_763_900_000.0
        self.journal = Journal("epoch-0")
        self.store = Store()
        self.link: Link | None = None
        self.old_journal = self.journal
        self.old_store = self.store
        self.is_spoilt = False
        self.excused: set[int] = set()
        """Events that a store had, before it was put back and began a new history."""

    # --- what the parts do; a planted mistake replaces one of these -------------------------------

    def next_number(self) -> int:
        return self.journal.last + 1

    def knows_it_is_behind(self) -> bool:
        row = self.journal.rows.get(self.store.cursor.seq)
        return is_behind(
            self.store.cursor, self.journal.epoch, self.journal.last, row.at if row else None
        )

    def does_follow(self) -> bool:
        return follows(self.store.cursor, self.journal.epoch, self.journal.lowest)

    def commit(self, rows: list[OutboxRow]) -> None:
        """Apply a batch and move the cursor, in one transaction; then acknowledge."""
        batch = take_batch(self.store.cursor, self.journal.epoch, rows)
        self.apply(batch.rows, batch.cursor)
        self.acknowledge(batch.cursor)

    # --- what may happen -------------------------------------------------------------------------

    @rule(count=st.integers(1, 6))
    def report(self, count: int) -> None:
        for _ in range(count):
            self.count += 1
            number = self.next_number()
            row = OutboxRow(seq=number, at=self.clock + self.count / 1024, body={"id": self.count})
            self.journal = replace(
                self.journal,
                rows={**self.journal.rows, number: row},
                last=number,
                story=(*self.journal.story, self.count),
            )

    @rule()
    def connect(self) -> None:
        """A cut, a crash or a restart of either side ends a link, and it is dialled again."""
        self.link = None
        if self.knows_it_is_behind():
            self.renew_epoch()
        cursor = self.store.cursor
        if not self.does_follow():
            self.begin_history()
        self.link = Link(OutboxFeed(self.journal.epoch, self.journal.lowest, cursor))
        self.delete_up_to(self.link.feed.acknowledged)

    @rule(rounds=st.integers(1, 3), last=st.sampled_from(["sent", "applied", "deleted"]))
    def exchange(self, rounds: int, last: str) -> None:
        """Batches cross the link; in the last round not all of the way is gone."""
        for number in range(1, rounds + 1):
            if self.link is None:
                self.connect()
            is_whole = number < rounds or last == "deleted"
            self.send()
            if is_whole or last == "applied":
                self.receive()
            if is_whole:
                self.delete()

    @precondition(lambda self: self.link and self.link.batches)
    @rule()
    def receive_twice(self) -> None:
        assert self.link
        self.link.batches.insert(0, self.link.batches[0])
        self.receive()
        self.receive()

    @rule(kind=st.sampled_from(["journal", "store"]))
    def copy(self, kind: str) -> None:
        if kind == "journal":
            self.old_journal = self.journal
        else:
            self.old_store = self.store

    @rule(kind=st.sampled_from(["journal back", "store back", "journal lost"]))
    def spoil(self, kind: str) -> None:
        """A disk is an earlier one, or a new one; what it held since is gone for everybody.

        Where a history has begun and nothing was applied in it yet, only the comparison of what
        both sides hold could tell that the journal, too, was put back; that is not in here.
        """
        if kind == "journal back" and self.store.cursor.epoch and self.store.cursor.at is None:
            return
        self.link = None
        self.is_spoilt = True
        if kind == "journal back":
            self.journal = self.old_journal
        elif kind == "store back":
            self.store = self.old_store
        else:
            self.count += 1
            self.journal = Journal(f"epoch-{self.count}")

    @rule(hours=st.sampled_from([-24.0, -1.0, 1.0, 24.0]))
    def set_clock(self, hours: float) -> None:
        self.clock += hours * 3600.0

    # --- the link --------------------------------------------------------------------------------

    def send(self) -> None:
        if self.link:
            feed = self.link.feed
            due = [self.journal.rows[seq] for seq in sorted(self.journal.rows) if seq > feed.after]
            if batch := due[: min(3, feed.room)]:
                feed.sent(batch)
                self.link.batches.append(batch)

    def receive(self) -> None:
        if self.link and self.link.batches:
            try:
                self.commit(self.link.batches.pop(0))
            except LinkError:
                self.link = None

    def delete(self) -> None:
        if self.link and self.link.acknowledgements:
            try:
                done = self.link.feed.acknowledge(*self.link.acknowledgements.pop(0))
            except LinkError:
                self.link = None
            else:
                self.delete_up_to(done)

    def delete_up_to(self, number: int) -> None:
        left = {seq: row for seq, row in self.journal.rows.items() if seq > number}
        self.journal = replace(self.journal, rows=left)

    def apply(self, rows: object, cursor: Cursor) -> None:
        new = list(rows)  # type: ignore[call-overload]
        self.store = Store(
            cursor,
            (*self.store.applied, *(row.body["id"] for row in new)),
            (*self.store.numbers, *(row.seq for row in new)),
        )

    def acknowledge(self, cursor: Cursor) -> None:
        assert self.link
        self.link.acknowledgements.append((cursor.epoch, cursor.seq))

    def renew_epoch(self) -> None:
        self.count += 1
        self.journal = replace(self.journal, epoch=f"epoch-{self.count}")

    def begin_history(self) -> None:
        """What the agent has deleted cannot be learnt again, and the store knows that."""
        assert self.is_spoilt or not self.store.cursor.epoch, "a new history without a reason"
        self.is_spoilt = False
        kept = {row.body["id"] for row in self.journal.rows.values()}
        self.excused |= set(self.journal.story) - kept
        fresh = Cursor(epoch=self.journal.epoch, seq=self.journal.lowest - 1)
        self.store = replace(self.store, cursor=fresh, numbers=())

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def every_number_once_and_in_order(self) -> None:
        numbers = self.store.numbers
        if numbers:
            assert numbers == tuple(range(numbers[0], numbers[0] + len(numbers)))

    @invariant()
    def numbers_are_never_used_twice(self) -> None:
        assert self.journal.last >= max(self.journal.rows, default=0)

    def teardown(self) -> None:
        """Once the faults stop, the store knows all that the agent does, or knows that it can't."""
        for _ in range(len(self.journal.rows) + 3):
            self.connect()
            self.exchange(1, "deleted")
        lost = set(self.journal.story) - set(self.store.applied) - self.excused
        assert not lost, f"never applied, and nobody noticed: {sorted(lost)}"
        assert not self.journal.rows, "the outbox is empty once all is acknowledged"
        told = self.store.applied[len(self.store.applied) - len(self.store.numbers) :]
        assert len(set(told)) == len(told), "applied twice in one history"


def test_every_event_is_applied_once_or_a_new_history_begins(examples: int) -> None:
    hold(OutboxAndCursor, examples)


# --- what the machine is able to catch ------------------------------------------------------------


class AcknowledgesBeforeItCommits(OutboxAndCursor):
    def __init__(self) -> None:
        super().__init__()
        self.uncommitted: list[OutboxRow] = []

    def commit(self, rows: list[OutboxRow]) -> None:
        batch = take_batch(self.store.cursor, self.journal.epoch, rows)
        self.acknowledge(batch.cursor)
        self.uncommitted = list(batch.rows)
        if self.count % 3:  # the process lives on, most of the time
            self.apply(batch.rows, batch.cursor)


class UsesNumbersAgain(OutboxAndCursor):
    def next_number(self) -> int:
        return max(self.journal.rows, default=0) + 1


class BelievesNumbersAlone(OutboxAndCursor):
    def knows_it_is_behind(self) -> bool:
        return is_behind(self.store.cursor, self.journal.epoch, self.journal.last, None)


class NeverLooksBack(OutboxAndCursor):
    def knows_it_is_behind(self) -> bool:
        return False


class PassesOverAGap(OutboxAndCursor):
    def does_follow(self) -> bool:
        return self.store.cursor.epoch == self.journal.epoch

    def commit(self, rows: list[OutboxRow]) -> None:
        self.apply(rows, Cursor(epoch=self.journal.epoch, seq=rows[-1].seq, at=rows[-1].at))
        self.acknowledge(self.store.cursor)


class MovesTheCursorLater(OutboxAndCursor):
    def commit(self, rows: list[OutboxRow]) -> None:
        batch = take_batch(self.store.cursor, self.journal.epoch, rows)
        crashes = self.count % 3 == 0
        self.apply(batch.rows, self.store.cursor if crashes else batch.cursor)
        if crashes:
            raise LinkError("The desktop died between the two.")
        self.acknowledge(batch.cursor)


@pytest.mark.parametrize(
    "mistake",
    [
        AcknowledgesBeforeItCommits,
        UsesNumbersAgain,
        BelievesNumbersAlone,
        NeverLooksBack,
        PassesOverAGap,
        MovesTheCursorLater,
    ],
)
def test_a_mistake_would_be_noticed(mistake: type[OutboxAndCursor]) -> None:
    assert_caught(mistake)
