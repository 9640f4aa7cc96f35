"""Bugs of a core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import desktop_app.app
import desktop_app.core.fleet
import desktop_app.store.inbox
from common.protocol.events import OutboxRow
from common.protocol.messages import Acknowledge, Cursor
from common.protocol.outbox import Batch
from desktop_app.core.links import inbox
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.run_logs import LogSource, RunLog
from desktop_app.store.store import Store
from tests.campaign.inside.wrapping import wrap

_ON_ITS_WAY_SECONDS = 0.1


def ack_before_commit() -> None:
    """Events are acknowledged when they arrive, and only then applied."""

    async def take_events(live: LiveLink, store: Store, applied: Callable[[Any], None]) -> None:
        while True:
            batch = await live.events.get()
            live.send(Acknowledge(epoch=batch.epoch, seq=batch.rows[-1].seq))
            await asyncio.sleep(_ON_ITS_WAY_SECONDS)
            apply: Any = inbox.__dict__["apply_batch"]  # with the points around it
            work = partial(
                apply,
                vault=store.vault,
                agent_id=live.agent_id,
                epoch=batch.epoch,
                rows=batch.rows,
            )
            applied(await store.write(work))

    wrap(desktop_app.core.fleet, "take_events", lambda _: take_events)


def duplicate_apply() -> None:
    """Whatever arrives counts as new, be it applied already or not."""

    def take_batch(cursor: Cursor, epoch: str, rows: Sequence[OutboxRow]) -> Batch:
        anew = [row.model_copy(update={"seq": seq}) for seq, row in enumerate(rows, cursor.seq + 1)]
        return Batch(anew, Cursor(epoch=epoch, seq=max(cursor.seq, rows[-1].seq)))

    wrap(desktop_app.store.inbox, "take_batch", lambda _: take_batch)


def last_frame_dropped() -> None:
    """A log counts as read to its end before the last piece of it is written."""

    def appending(shipped: Callable[..., int]) -> Callable[..., int]:
        def append(log: RunLog, source: LogSource, offset: int, text: str) -> int:
            lines = text.splitlines(keepends=True)
            count = shipped(log, source, offset, "".join(lines[:-1])) if len(lines) > 1 else 0
            log._pulled[(source.item_id, source.attempt)] = offset + len(text.encode())
            return count

        return append

    wrap(RunLog, "append", appending)


def token_in_log() -> None:
    """The token that opens the local API stands in the core's log."""

    def announcing(shipped: Callable[..., None]) -> Callable[..., None]:
        def announce(store: Store, port: int, token: str) -> None:
            shipped(store, port, token)
            with (store.folder.logs / "core.log").open("a", encoding="utf-8") as log:
                log.write(f"The local API takes {token}.\n")

        return announce

    wrap(desktop_app.app, "_announce", announcing)
