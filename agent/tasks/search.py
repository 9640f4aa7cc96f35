"""Looks for an effect that may exist, until something is proven or only a person can say it.

What a look proves is decided by `common.reconcile`; this is its clock, its eyes and its voice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from agent.tasks.context import TaskContext
from agent.tasks.verdicts import ends_looking
from common.errors import FlotillaError
from common.limits.rules import visibility_of
from common.operations import Settlement
from common.reconcile import Match, Next, Reconciliation


class Search:
    """One doubt and the looks that settle it. The request's last possible life is over."""

    def __init__(self, context: TaskContext, look: Callable[[], Awaitable[Match]]) -> None:
        self._context = context
        self._look = look
        self._began = time.monotonic()
        account = context.account
        visibility = visibility_of(account.platform, account.driver)
        self._state = Reconciliation(Settlement.PROBE, visibility, since=self._began)
        self._problem = ""

    @property
    def match(self) -> Match:
        """What the last look that worked saw."""
        return self._state.match

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    async def run(self) -> Next:
        """Look until there is a verdict: confirm, absent, or ask. An operator's stop must wait."""
        while (what := self._state.next(time.monotonic())) in (Next.WAIT, Next.LOOK):
            if what is Next.WAIT:
                await asyncio.sleep(self._state.wait(time.monotonic()))
            else:
                await self._look_once()
        return what

    def why_nobody_knows(self) -> str:
        """Say in a few words why a person has to decide."""
        if self._problem:
            return f"it could not be looked for: {self._problem}"
        count = len(self.match.candidates)
        return f"{count} {'post is' if count == 1 else 'posts are'} there that may be it or not"

    async def _look_once(self) -> None:
        began = time.monotonic()
        try:
            match = await self._look()
        except FlotillaError as error:
            self._failed(error.message, may_pass=not ends_looking(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is no absence
            self._failed(f"the driver failed with {type(error).__name__}", may_pass=True)
        else:
            self._problem = ""
            self._state.saw(match, began, time.monotonic())
            self._context.log("info", f"Looked for it after {self.seconds:.1f} s: {_seen(match)}.")

    def _failed(self, problem: str, *, may_pass: bool) -> None:
        self._problem = problem
        self._state.failed(time.monotonic(), may_pass=may_pass)
        self._context.log("warning", f"A look failed, which proves nothing: {problem}")


def _seen(match: Match) -> str:
    if match.found:
        return f"found at {match.found.url}"
    return f"{len(match.candidates)} may be it" if match.candidates else "not there"
