"""Posts that only a person can settle: the platform is set up so that nobody else can tell.

The answer to the deciding request is lost, and the session has ended when the agent looks. Some of
them are there, some are not. What the person then says is in `crew.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx

from tests.campaign.ledger import Ledger
from tests.campaign.stage import CONFIGURE, Stage

_LIST = "/api/v1/feed/user/*"
"""The requests that look at an account's posts."""
_HOLD_MS = 200
"""How long the deciding request is held, so that the session can be ended before anybody looks;
far inside the bound that the platform keeps."""
_LOOK_SECONDS = 0.06
_PAUSE_SECONDS = 0.5
"""Between two tries while the platform is away."""
Set = tuple[str, str, dict[str, Any]]
"""A fault's kind and route, and its other fields."""


class Doubts:
    """Sets the platform up for the doubtful accounts, and again whenever it has forgotten."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self._stage = stage
        self._ledger = ledger
        self._open = dict.fromkeys(stage.plan.doubtful)

    async def follow(self) -> None:
        """Set up what is still to come, until nothing is, or until cancelled."""
        while self._open:
            try:
                await self._ledger.read()
                await asyncio.to_thread(self._set_up)
            except (httpx.HTTPError, RuntimeError):  # it was killed at this moment
                await asyncio.sleep(_PAUSE_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)

    def _set_up(self) -> None:
        platform = self._stage.platform.process
        known = {(each["kind"], each["route"], each["account"]) for each in platform.faults()}
        for name in list(self._open):
            wanted = list(self._wanted(name))
            if not wanted:
                del self._open[name]
            for kind, route, fields in wanted:
                if (kind, route, name) not in known:
                    platform.fault(kind, route, account=name, **fields)

    def _wanted(self, name: str) -> Iterator[Set]:
        """Yield what has to go wrong for an account from now on; nothing once all of it has."""
        troubled = self._ledger.troubled
        if (name, "expire_session") in troubled:
            return
        lost = lost_answer(name)
        if (name, lost) not in troubled:
            yield "delay_ms", CONFIGURE, {"delay_ms": _HOLD_MS}
            yield lost, CONFIGURE, {}
        # What was there before is listed before the file is uploaded; that look has to succeed.
        if name in self._ledger.uploaded:
            yield "expire_session", _LIST, {}


def lost_answer(username: str) -> str:
    """Return how the answer to a doubtful account's post is lost: after it was applied, or before.

    One that is applied has to be hidden from the first look and may be found all the same; so
    there are more of them.
    """
    return "drop_before_apply" if int(username.rpartition(".")[2]) % 3 == 2 else "drop_after_apply"
