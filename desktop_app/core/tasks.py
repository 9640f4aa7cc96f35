"""Owns background tasks: each has a name, an error path, and an end that is waited for."""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class TaskOwner:
    """Starts tasks by name and ends them all. One task per name."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start `work`; an exception in it is logged, and never lost."""
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    async def cancel(self, name: str) -> None:
        """End one task and wait for its end."""
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def aclose(self) -> None:
        """End every task and wait for all of them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._tasks.get(task.get_name()) is task:
            del self._tasks[task.get_name()]
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("The task %s failed.", task.get_name(), exc_info=problem)


async def run_together(*works: Coroutine[Any, Any, None]) -> None:
    """Run several endless works; the first that fails or is cancelled ends them all.

    Raises what the first one raised.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_all(tasks)
    for task in tasks:
        if task in done:
            task.result()


async def end_all(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait for their end; what they raise was, or will be, somebody's news."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
