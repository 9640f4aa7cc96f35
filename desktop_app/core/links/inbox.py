"""Takes an agent's events into the store, in order, and acknowledges what is committed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from common.errors import LinkError, StoreError
from common.protocol.events import OutboxRow
from common.protocol.messages import Acknowledge, Events
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store.executor import DISK_FULL
from desktop_app.store.inbox import Applied, apply_batch
from desktop_app.store.store import Store

_log = logging.getLogger(__name__)

_GATHER_SECONDS = 0.02
"""How long batches wait for the next ones: a transaction costs more than its events."""
_FULL_DISK_SECONDS = 2.0
_MOST_ROWS = 500
"""Events that one transaction takes in at most."""


async def take_events(live: LiveLink, store: Store, applied: Callable[[Applied], None]) -> None:
    """Apply batches as they come, until cancelled; `applied` hears of each commit."""
    while True:
        epoch, rows = await _gather(live.events)
        work = partial(
            apply_batch, vault=store.vault, agent_id=live.agent_id, epoch=epoch, rows=rows
        )
        done = await _apply(store, work)
        if done.refused:
            _log.warning(
                "%d events of agent %s were not taken: they are about items or accounts that it "
                "does not have. They are kept, sealed.",
                done.refused,
                live.agent_id,
            )
        # Only now: the agent forgets what is acknowledged.
        live.send(Acknowledge(epoch=done.cursor.epoch, seq=done.cursor.seq))
        applied(done)


async def _gather(events: asyncio.Queue[Events]) -> tuple[str, list[OutboxRow]]:
    """Wait for a batch, and a little for those behind it; return their epoch and all rows."""
    first = await events.get()
    rows = list(first.rows)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GATHER_SECONDS):
            while len(rows) < _MOST_ROWS:
                more = await events.get()
                if more.epoch != first.epoch:
                    raise LinkError("The agent sent events of another epoch than it announced.")
                rows += more.rows
    return first.epoch, rows


async def _apply(store: Store, work: Callable[[Connection], Applied]) -> Applied:
    """Apply a batch; on a full disk try again until there is room. The agent keeps the events."""
    while True:
        try:
            return await store.write(work)
        except StoreError as problem:
            if problem.field != DISK_FULL:
                raise
        await asyncio.sleep(_FULL_DISK_SECONDS)
