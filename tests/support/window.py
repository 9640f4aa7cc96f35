"""Runs the window of a test: the real application, on a sample fleet or on a real core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from desktop_app.client import launcher
from desktop_app.contract.changes import Change, Reset, Watch
from desktop_app.ui.app import WindowHandle, run_with, settle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.models.core_port import Core
from tests.support.core_process import core_options

SECONDS = 60.0

Story = Callable[[WindowHandle], Awaitable[None]]


class ScriptedFeed:
    """A stream of changes that a test feeds."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self.queue.put_nowait(Reset(revision=1))
        self.is_connected = True
        self.wishes: list[Watch] = []

    async def __aiter__(self) -> AsyncIterator[Change]:
        while (change := await self.queue.get()) is not None:
            yield change

    async def set_watch(self, wish: Watch) -> None:
        self.wishes.append(wish)

    async def aclose(self) -> None:
        self.queue.put_nowait(None)


class ScriptedCore(SampleCore):
    """The sample fleet, whose changes a test feeds."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows, time.time())
        self.feed = ScriptedFeed()

    def changes(self, watch: Watch | None = None) -> ScriptedFeed:  # type: ignore[override]
        self.feed.wishes.append(watch or Watch())
        return self.feed


def with_window(core: Core, story: Story, *, state_file: Path | None = None) -> int:
    """Open the window on a core, run the story in it, close it; return the exit status.

    Whatever the story raises is raised here.
    """

    async def connect() -> Core:
        return core

    async def beside(handle: WindowHandle) -> int:
        await asyncio.wait_for(_told(handle, story), SECONDS)
        return 0

    return run_with(connect, beside=beside, state_file=state_file)


def in_window(data: Path, story: Story, seconds: float) -> None:
    """Open the window on a data folder whose core runs, live the story, close the window."""

    async def connect() -> Core:
        return await launcher.connect(core_options(data))

    async def beside(handle: WindowHandle) -> int:
        await asyncio.wait_for(story(handle), seconds)
        return 0

    assert run_with(connect, beside=beside) == 0


async def _told(handle: WindowHandle, story: Story) -> None:
    await settle(handle.context.tasks)
    await story(handle)


async def until(fact: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Wait for a fact while the window lives; raises AssertionError that names it."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.01)
