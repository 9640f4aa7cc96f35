"""Bugs of a runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import agent.tasks.search
from agent.tasks.bulk_upload import _Publishing
from agent.tasks.search import Search
from common.reconcile import Next, Visibility
from tests.campaign.inside.wrapping import wrap


def retry_without_probe() -> None:
    """A post whose answer did not come is sent again, unseen."""

    async def run(_: Search) -> Next:
        return Next.ABSENT

    def finding(shipped: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[None]]:
        async def find_earlier(effect: _Publishing) -> None:
            await shipped(effect)

        return find_earlier

    wrap(Search, "run", lambda _: run)
    wrap(_Publishing, "find_earlier", finding)


def slow_platform() -> None:
    """The platform may take longer to show a post than the practice one says: time for a bug."""
    slow = Visibility(bound=4.0, gap=0.25)
    wrap(agent.tasks.search, "visibility_of", lambda _: lambda *_given: slow)


def probe_wait_zero() -> None:
    """That a post is not there yet counts as proof that it never will be."""
    at_once = Visibility(bound=0.0, gap=0.0)
    wrap(agent.tasks.search, "visibility_of", lambda _: lambda *_given: at_once)
