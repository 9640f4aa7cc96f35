"""Takes an agent's events into the store, in order, and acknowledges what is committed."""

import asyncio
from collections.abc import Callable
from functools import partial

from common.protocol.events import OutboxRow
from common.protocol.messages import BATCH_EVENTS, Acknowledge
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store.inbox import apply_batch
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

_GATHER_SECONDS = 0.02
"""How long a small batch waits for the next ones: a transaction costs more than its events."""
_MOST_ROWS = 500
"""Events that one transaction takes in at most."""


async def take_events(live: LiveLink, store: Store, applied: Callable[[Touched], None]) -> None:
    """Apply batches as they come, until cancelled; `applied` hears of each commit."""
    while True:
        first = await live.events.get()
        if len(first.rows) < BATCH_EVENTS:
            await asyncio.sleep(_GATHER_SECONDS)
        rows: list[OutboxRow] = list(first.rows)
        while len(rows) < _MOST_ROWS and not live.events.empty():
            rows += live.events.get_nowait().rows
        work = partial(
            apply_batch, vault=store.vault, agent_id=live.agent_id, epoch=first.epoch, rows=rows
        )
        done = await store.write(work)
        # Only now: the agent forgets what is acknowledged.
        live.send(Acknowledge(epoch=done.cursor.epoch, seq=done.cursor.seq))
        applied(done.touched)
