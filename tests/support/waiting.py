"""Waiting for a fact, with a deadline; the only place in the tests that sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def wait_until(fact: Callable[[], T], what: str, *, seconds: float = 10.0) -> T:
    """Call `fact` until it answers something true, and return that.

    Raises AssertionError, naming `what`, when `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while not (answer := fact()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(POLL_SECONDS)
    return answer


async def wait_until_async(fact: Callable[[], T], what: str, *, seconds: float = 10.0) -> T:
    """`wait_until` for tests that share their event loop with what they wait for."""
    deadline = time.monotonic() + seconds
    while not (answer := fact()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(POLL_SECONDS)
    return answer
