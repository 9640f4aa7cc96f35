"""Which runner an account's items go to, when one is started, and when one is given up.

An account stays with its runner as long as that lives: its clients and its browser profile are
there. What the runners do is the supervisor's business.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.jobs.runner_process import RunnerCommand, RunnerEvents, RunnerProcess
from agent.owned_tasks import OwnedTasks
from agent.runners.messages import RunnerKind

_LOG = logging.getLogger(__name__)
PROFILES_PER_BROWSER_RUNNER = 4
ACCOUNTS_PER_API_RUNNER = 64
_BACKOFF_FIRST = 0.5
_BACKOFF_LAST = 30.0
_IDLE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much may run at once."""

    browser_slots: int
    api_runners: int
    """API runner processes at most."""
    api_workers: int
    """Items at once in one API runner."""
    stop_seconds: float = 20.0
    """How long a runner may take to finish what it is sending."""


@dataclass(slots=True)
class _Slot:
    runner: RunnerProcess
    accounts: set[str]
    running: int = 0
    idle_since: float = 0.0


class RunnerPool:
    """The runners of one agent."""

    def __init__(
        self,
        limits: PoolLimits,
        command: RunnerCommand,
        events: RunnerEvents,
        wake: Callable[[], None],
        environment: Mapping[str, str],
    ) -> None:
        """`wake` is called when there may be room again after a pause.

        `environment` is what runners get beside our own.
        """
        self._environment = environment
        self._limits = limits
        self._command = command
        self._events = events
        self._wake = wake
        self._slots: dict[RunnerProcess, _Slot] = {}
        self._slot_of: dict[tuple[RunnerKind, str], _Slot] = {}
        self._failures: dict[RunnerKind, int] = dict.fromkeys(RunnerKind, 0)
        self._not_before: dict[RunnerKind, float] = dict.fromkeys(RunnerKind, 0.0)
        self._wakes: set[asyncio.TimerHandle] = set()
        self._tasks = OwnedTasks()
        self._loop = asyncio.get_running_loop()

    def runners(self) -> list[RunnerProcess]:
        """Return the runners that take items."""
        return [runner for runner in self._slots if runner.is_alive]

    def running(self, kind: RunnerKind) -> int:
        """Return how many items run in runners of this kind."""
        return sum(slot.running for slot in self._slots.values() if slot.runner.kind is kind)

    def has_room(self, kind: RunnerKind) -> bool:
        """Say whether another item of this kind could start now, in whichever runner."""
        if self._loop.time() < self._not_before[kind]:
            return False
        if kind is RunnerKind.BROWSER and self.running(kind) >= self._limits.browser_slots:
            return False
        return self._may_start(kind) or any(
            self._has_room(slot) for slot in self._slots.values() if slot.runner.kind is kind
        )

    def may_place(self, kind: RunnerKind, account_id: str) -> bool:
        """Say whether this account's runner, or the one it would get, has room."""
        if not self.has_room(kind):
            return False
        slot = self._slot_of.get((kind, account_id))
        return slot is None or not slot.runner.is_alive or self._has_room(slot)

    def runner_of(self, kind: RunnerKind, account_id: str) -> RunnerProcess | None:
        """Return the runner that the account is with; None where it has none yet."""
        slot = self._slot_of.get((kind, account_id))
        return slot.runner if slot and slot.runner.is_alive else None

    def place(self, kind: RunnerKind, account_id: str) -> RunnerProcess:
        """Give the account a place in a runner, and start one where needed.

        Only after `may_place` has said yes.
        """
        slot = self._slot_of.get((kind, account_id))
        if slot is None or not slot.runner.is_alive:
            slot = self._roomiest(kind) or self._start(kind)
            slot.accounts.add(account_id)
            self._slot_of[(kind, account_id)] = slot
        slot.running += 1
        return slot.runner

    def release(self, runner: RunnerProcess) -> None:
        """Note that one item of this runner has ended, well or badly."""
        slot = self._slots.get(runner)
        if slot is not None:
            slot.running -= 1
            slot.idle_since = self._loop.time()
            self._failures[runner.kind] = 0

    def lost(self, runner: RunnerProcess) -> None:
        """Forget a runner whose process is gone; one that was not asked to go costs a pause."""
        slot = self._slots.pop(runner, None)
        if slot is None:
            return
        for account_id in slot.accounts:
            self._slot_of.pop((runner.kind, account_id), None)
        if not runner.is_stopping:
            self._back_off(runner.kind)

    def stop_idle(self) -> None:
        """Stop runners that have had nothing to do for a while: they are the agent's weight."""
        oldest = self._loop.time() - _IDLE_SECONDS
        for slot in tuple(self._slots.values()):
            if slot.runner.is_alive and not slot.running and slot.idle_since < oldest:
                self._tasks.start("stop idle runner", slot.runner.stop(self._limits.stop_seconds))

    def give_up(self, runner: RunnerProcess) -> None:
        """End a runner that does not do as it is told; its items are lost with it, unblamed."""
        if runner.is_alive:
            self._tasks.start("give up runner", runner.stop(self._limits.stop_seconds))

    async def close(self) -> None:
        """Stop every runner, and wait until their processes are gone."""
        for timer in self._wakes:
            timer.cancel()
        self._wakes.clear()
        stops = [runner.stop(self._limits.stop_seconds) for runner in tuple(self._slots)]
        await asyncio.gather(*stops)
        await self._tasks.close()

    def _has_room(self, slot: _Slot) -> bool:
        if not slot.runner.is_alive:
            return False
        if slot.runner.kind is RunnerKind.BROWSER:
            return slot.running < PROFILES_PER_BROWSER_RUNNER
        return slot.running < self._limits.api_workers

    def _may_start(self, kind: RunnerKind) -> bool:
        count = sum(1 for runner in self._slots if runner.kind is kind)
        if kind is RunnerKind.BROWSER:
            return count * PROFILES_PER_BROWSER_RUNNER < self._limits.browser_slots
        return count < self._limits.api_runners

    def _roomiest(self, kind: RunnerKind) -> _Slot | None:
        """Return the runner that a new account goes to; None where a new one is better."""
        slots = [
            slot
            for slot in self._slots.values()
            if slot.runner.kind is kind and self._has_room(slot)
        ]
        roomy = [slot for slot in slots if len(slot.accounts) < ACCOUNTS_PER_API_RUNNER]
        choice = roomy or ([] if self._may_start(kind) else slots)
        return min(choice, key=lambda slot: (slot.running, len(slot.accounts)), default=None)

    def _start(self, kind: RunnerKind) -> _Slot:
        runner = RunnerProcess(kind, self._command(kind), self._events, self._environment)
        slot = _Slot(runner, set(), idle_since=self._loop.time())
        self._slots[runner] = slot
        self._tasks.start(f"{kind} runner", runner.run())
        return slot

    def _back_off(self, kind: RunnerKind) -> None:
        pause = min(_BACKOFF_FIRST * 2 ** self._failures[kind], _BACKOFF_LAST)
        self._failures[kind] += 1
        self._not_before[kind] = self._loop.time() + pause
        _LOG.warning("A %s runner ended unasked; the next one starts in %.1f s.", kind, pause)
        timer = self._loop.call_later(pause, self._woken, kind)
        self._wakes.add(timer)

    def _woken(self, kind: RunnerKind) -> None:
        self._wakes = {timer for timer in self._wakes if timer.when() > self._loop.time()}
        _LOG.debug("A %s runner may start again.", kind)
        self._wake()
