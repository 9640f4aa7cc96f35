"""Watches the disk of the data folder: on a full one nothing is handed over until there is room."""

import asyncio
import logging

from common.errors import WireError
from desktop_app.core.gate import DispatchGate
from desktop_app.store.store import Store

_LOOK_SECONDS = 1.0
_TRY_SECONDS = 5.0
"""Between two tries to take the room again."""
_FULL = WireError(
    code="store",
    message="The disk of this desktop is full: nothing new is handed to the agents.",
    advice="Make room on the disk of the data folder; everything goes on by itself then.",
)

_log = logging.getLogger(__name__)


async def watch_disk(store: Store, gate: DispatchGate) -> None:
    """Close the gate while the disk is full, until cancelled."""
    await asyncio.to_thread(store.room.take)
    was_full = False
    since_try = 0.0
    while True:
        if store.room.is_full != was_full:
            was_full = store.room.is_full
            _log.warning("The disk is full." if was_full else "The disk has room again.")
            gate.set_full_disk(_FULL if was_full else None)
        await asyncio.sleep(_LOOK_SECONDS)
        since_try += _LOOK_SECONDS
        if was_full and since_try >= _TRY_SECONDS:
            since_try = 0.0
            await asyncio.to_thread(store.room.take)
