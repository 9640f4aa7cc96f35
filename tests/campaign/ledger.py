"""The platform's ledger, read little by little while the campaign goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.campaign.stage import Stage

_READ_SECONDS = 0.25
_SAY_SECONDS = 10.0


class Ledger:
    """What the platform has on record so far."""

    def __init__(self, stage: Stage) -> None:
        self.published = 0
        self.uploaded: set[str] = set()
        """Accounts of which a file has arrived."""
        self.troubled: set[tuple[str, str]] = set()
        """Accounts, each with a fault that has hit one of its requests."""
        self._codes: dict[tuple[str, str], str] = {}
        self._last = 0
        self._stage = stage
        self._reading = asyncio.Lock()

    def code_of(self, username: str, caption: str) -> str:
        """Return the short code of an account's post with this caption; empty where none is."""
        return self._codes.get((username, caption), "")

    async def follow(self, say: Callable[[str], None]) -> None:
        """Read on until cancelled."""
        say_at = time.monotonic() + _SAY_SECONDS
        while True:
            await asyncio.sleep(_READ_SECONDS)
            # It may be killed at any moment; the next reading goes on where this one ended.
            with contextlib.suppress(httpx.HTTPError, RuntimeError):
                await self.read()
            if time.monotonic() >= say_at:
                say_at += _SAY_SECONDS
                say(f"{self.published} of {self._stage.plan.publishes} published.")

    async def read(self) -> None:
        """Read what is new. Raises httpx.HTTPError or RuntimeError where the platform is away."""
        async with self._reading:
            platform = self._stage.platform
            await platform.up.wait()
            for record in await asyncio.to_thread(platform.process.ledger, self._last):
                self._take(record)

    def _take(self, record: dict[str, Any]) -> None:
        self._last = record["sequence"]
        if record["kind"] == "published":
            self.published += 1
            self._codes[(record["account"], record["caption"])] = record["post_code"]
        elif record["kind"] == "upload_received":
            self.uploaded.add(record["account"])
        elif record["kind"] == "fault":
            self.troubled.add((record["account"], record["fault"]))
