"""How events cross a link that may break at any moment: cursor, window and acknowledgement.

The agent numbers its events; the desktop applies a batch and moves its cursor in one transaction,
then acknowledges. Either side's disk may have been put back to an earlier day: then numbers alone
prove nothing, and a new history begins. Nothing here does I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import LinkError
from common.protocol.events import OutboxRow
from common.protocol.messages import Cursor

WINDOW_EVENTS = 1000
"""Events that may be on their way without an acknowledgement."""


_MARK_LEAP = 2**32
"""By how much a life of a store that is lost can have been ahead, at the very most."""


def was_put_back(mark: int, seen: int) -> bool:
    """Say whether a store has lost a part of its history: an agent has seen more of it.

    `mark` is what the store's hello said, for the first time in its present history; `seen` is what
    the agent had heard of it before. Raises LinkError for a number that no store has reached.
    """
    if seen > mark + _MARK_LEAP:
        raise LinkError(
            "The agent says that it has seen what this store cannot have reached.",
            advice="Do not trust this agent before you know why; forget it and pair it anew.",
        )
    return seen >= mark


def follows(cursor: Cursor, epoch: str, lowest_seq: int) -> bool:
    """Say whether an outbox goes on where `cursor` stands; otherwise a new history begins.

    False for another epoch, and where rows behind the cursor were deleted: the store that they
    were acknowledged by was restored from a backup.
    """
    return cursor.epoch == epoch and lowest_seq <= cursor.seq + 1


def is_behind(cursor: Cursor, epoch: str, last_seq: int, at: float | None) -> bool:
    """Say whether the store has applied events that this journal does not hold: it was put back.

    `at` is when the journal's own event with the cursor's number happened; None where it is not
    kept. A journal that was put back may have given the same number to another event since, which
    happened at another time. The agent then begins a new epoch. A cursor that has just begun a
    history has no time yet: until something is applied, only its number tells.
    """
    if cursor.epoch != epoch:
        return False
    if cursor.seq > last_seq:
        return True
    return cursor.at is not None and at is not None and cursor.at != at


class OutboxFeed:
    """The agent's side of one session: which rows may go out next."""

    def __init__(self, epoch: str, lowest_seq: int, cursor: Cursor | None) -> None:
        """Resume behind the desktop's `cursor`; a cursor of another epoch counts for nothing."""
        known = cursor.seq if cursor and cursor.epoch == epoch else 0
        self._epoch = epoch
        self._acknowledged = max(known, lowest_seq - 1)
        self._sent = self._acknowledged

    @property
    def acknowledged(self) -> int:
        """The number up to which rows may be deleted: a cursor acknowledges as well."""
        return self._acknowledged

    @property
    def after(self) -> int:
        """The sequence number behind which the next batch begins."""
        return self._sent

    @property
    def room(self) -> int:
        """How many more events may be sent now."""
        return WINDOW_EVENTS - (self._sent - self._acknowledged)

    def sent(self, rows: Sequence[OutboxRow]) -> None:
        """Note that these rows were written to the link."""
        self.sent_up_to(rows[-1].seq)

    def sent_up_to(self, seq: int) -> None:
        """Note that every row up to `seq` was written to the link."""
        self._sent = seq

    def acknowledge(self, epoch: str, seq: int) -> int:
        """Take the desktop's word; return the number up to which rows may be deleted.

        Raises LinkError when it acknowledges what was never sent.
        """
        if epoch != self._epoch or seq > self._sent:
            raise LinkError("The desktop acknowledged events that were never sent.")
        self._acknowledged = max(self._acknowledged, seq)
        return self._acknowledged


@dataclass(frozen=True, slots=True)
class Batch:
    """What of a received batch is new, and the cursor after applying it."""

    rows: Sequence[OutboxRow]
    cursor: Cursor


def take_batch(cursor: Cursor, epoch: str, rows: Sequence[OutboxRow]) -> Batch:
    """Leave out what the store has already applied.

    Raises LinkError where the rows belong to another epoch, are out of order or leave a gap: then
    the session ends, and the next one resumes at the stored cursor.
    """
    if epoch != cursor.epoch:
        raise LinkError("The agent sent events of another epoch than it announced.")
    new = [row for row in rows if row.seq > cursor.seq]
    for expected, row in enumerate(new, start=cursor.seq + 1):
        if row.seq != expected:
            raise LinkError(f"The agent sent event {row.seq} where {expected} was due.")
    if not new:
        return Batch(new, cursor)
    return Batch(new, Cursor(epoch=epoch, seq=new[-1].seq, at=new[-1].at))
