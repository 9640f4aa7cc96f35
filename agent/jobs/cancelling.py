"""Cancelled items that do not end: after a while their runner is given up.

An item whose effect may be on its way is waited for, however long that takes.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from agent.jobs.runner_process import RunnerProcess
from agent.jobs.running import RunningItem

_LOG = logging.getLogger(__name__)
GRACE_SECONDS = 10.0
"""How long a cancelled item may take to end."""


class CancelGrace:
    """Timers of the items that were told to stop."""

    def __init__(
        self, running: Mapping[str, RunningItem], give_up: Callable[[RunnerProcess], None]
    ) -> None:
        """`give_up` ends a runner, by force in the end; its other items run again elsewhere."""
        self._running = running
        self._give_up = give_up
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def begin(self, job: RunningItem) -> None:
        """Begin to wait for the end of an item."""
        item_id = job.waiting.item_id
        if item_id not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[item_id] = loop.call_later(GRACE_SECONDS, self._look, job)

    def ended(self, item_id: str) -> None:
        """Note that an item runs no more."""
        timer = self._timers.pop(item_id, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Wait for nothing any more."""
        for item_id in tuple(self._timers):
            self.ended(item_id)

    def _look(self, job: RunningItem) -> None:
        item_id = job.waiting.item_id
        del self._timers[item_id]
        if self._running.get(item_id) is not job or job.is_settling:
            return
        if job.is_undecided:
            self.begin(job)
            return
        _LOG.warning(
            "Item %s did not stop within %.0f s: its runner is ended.", item_id, GRACE_SECONDS
        )
        self._give_up(job.runner)
