"""From the outbox to one control link: batches, the window, and what was acknowledged."""

from agent.jobs.events import StoredEvent
from agent.jobs.outbox import Outbox
from common.errors import LinkError
from common.protocol.messages import BATCH_EVENTS, BATCH_SECONDS, Cursor
from common.protocol.outbox import OutboxFeed, is_behind

_BATCH_BYTES = 48 * 1024


class JournalBehindError(LinkError):
    """The desktop has applied events that this journal never wrote: the disk was rolled back."""

    default_advice = "The agent begins a new epoch; the desktop reconciles at the next link."


class EventPump:
    """Sends the owner's events, from its cursor on."""

    def __init__(self, outbox: Outbox, key: bytes, cursor: Cursor | None) -> None:
        """Resume behind `cursor`, and forget what is before it.

        Raises JournalBehindError where the desktop has applied what was never written here.
        """
        if cursor is not None:
            _require_not_behind(outbox, cursor, None)
        self._outbox = outbox
        self._key = key
        self._feed = OutboxFeed(outbox.epoch, outbox.lowest_seq, cursor)
        self._unproven = cursor
        """The desktop's cursor, until our own event of that number was compared with it."""
        self._last_batch = 0.0

    def wait_seconds(self, now: float) -> float | None:
        """Return how long the next batch may gather; None while there is nothing to do."""
        if self._unproven is not None:
            return 0.0
        unsent = self._outbox.last_seq - self._feed.after
        if unsent <= 0 or self._feed.room <= 0:
            return None
        if unsent >= BATCH_EVENTS:
            return 0.0
        return max(0.0, self._last_batch + BATCH_SECONDS - now)

    async def next_batch(self, now: float) -> str | None:
        """Return the next `events` message as JSON; None where nothing may be sent.

        Raises JournalBehindError where the journal was put back and has written on since.
        """
        if self._unproven is not None:
            await self._prove(self._unproven)
        limit = min(BATCH_EVENTS, self._feed.room)
        if limit <= 0:
            return None
        rows = await self._outbox.rows_after(self._feed.after, limit)
        if not rows:
            return None
        texts: list[str] = []
        size = 0
        sent: StoredEvent | None = None
        for row in rows:
            text = row.wire_text(self._key)
            size += len(text.encode())
            if texts and size > _BATCH_BYTES:
                break
            texts.append(text)
            sent = row
        if sent is not None:
            self._feed.sent_up_to(sent.seq)
        self._last_batch = now
        epoch = self._outbox.epoch
        return f'{{"t":"events","epoch":"{epoch}","rows":[{",".join(texts)}]}}'

    async def _prove(self, cursor: Cursor) -> None:
        kept = await self._outbox.rows_after(cursor.seq - 1, 1)
        at = kept[0].at if kept and kept[0].seq == cursor.seq else None
        _require_not_behind(self._outbox, cursor, at)
        self._unproven = None
        self._outbox.acknowledged(self._feed.acknowledged)

    def acknowledge(self, epoch: str, seq: int) -> None:
        """Forget what the desktop has applied; raises LinkError for what was never sent."""
        self._outbox.acknowledged(self._feed.acknowledge(epoch, seq))


def _require_not_behind(outbox: Outbox, cursor: Cursor, at: float | None) -> None:
    if is_behind(cursor, outbox.epoch, outbox.last_seq, at):
        raise JournalBehindError(
            "The agent's journal is older than what this desktop has seen of it."
        )
