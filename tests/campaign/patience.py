"""Waiting for something that may or may not come true; `tests.support.waiting` insists instead."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

LOOK_SECONDS = 0.05


async def came_true(fact: Callable[[], object], seconds: float = math.inf) -> bool:
    """Wait until `fact` answers something true, `seconds` at most; say whether it did."""
    latest = time.monotonic() + seconds
    while True:
        if fact():
            return True
        if time.monotonic() >= latest:
            return False
        await asyncio.sleep(LOOK_SECONDS)
