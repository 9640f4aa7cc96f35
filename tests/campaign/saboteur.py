"""Makes the faults of a schedule happen, each when the work has come so far."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.campaign.inside.clock import set_clock
from tests.campaign.patience import LOOK_SECONDS, came_true
from tests.campaign.schedule import KILLS_AND_CUTS, LATE_MS_MOST, Fault, Kind
from tests.campaign.stage import CONFIGURE, Stage
from tests.support import small_disk
from tests.support.relay import BOTH, FAIR, Relay, Way, Weather

_PATIENCE_SECONDS = 3.0
"""A fault comes after this long even where the work stands still..."""
_PATIENCE_OUTAGES = 3.0
"""... or after so many times as long as machines take to come back: on a slow one it takes longer
until the work goes on."""
_MEETING_SECONDS = 5.0
"""How long a fault waits for bytes or a request to meet."""
_FAILPOINT_SECONDS = 20.0
_TARGET_SECONDS = 6.0
"""How long a fault waits for something to break."""
_ARMED_AT_ONCE = 6
_PLATFORMS_AT_ONCE = 3
_AT_ONCE = 4
"""Faults that last may overlap."""
_UPLOADS = "/rupload_*"
_DAMAGED_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Happened:
    """A fault that came about, or could not."""

    fault: Fault
    began: float
    """Seconds since 1970, by the campaign's own clock."""
    ended: float
    outcome: str
    """What it did, in few words; empty where it found nothing to break."""


class Saboteur:
    """Breaks things on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.happened: list[Happened] = []
        self.share = 0.0
        """How many of the planned faults have come about, 0 to 1."""
        self._stage = stage
        self._lasting: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._own_room = {
            Kind.FAILPOINT: asyncio.Semaphore(_ARMED_AT_ONCE),
            Kind.PLATFORM: asyncio.Semaphore(_PLATFORMS_AT_ONCE),
        }
        self._one_at_a_time = asyncio.Lock()
        self._problem: BaseException | None = None
        self._does: dict[Kind, Callable[[Fault], Coroutine[Any, Any, str]]] = {
            Kind.KILL: self._kill,
            Kind.FAILPOINT: self._failpoint,
            Kind.SUSPEND: self._suspend,
            Kind.CUT: self._cut,
            Kind.RESET: self._reset,
            Kind.CUT_AFTER: self._cut_after,
            Kind.STALL: self._stall,
            Kind.SLOW: self._slow,
            Kind.PLATFORM: self._platform,
            Kind.DISK_FULL: self._disk_full,
            Kind.CLOCK: self._clock,
            Kind.JOURNAL_LOST: self._journal_lost,
        }

    @property
    def came_about(self) -> int:
        """How many faults found something to break."""
        return sum(bool(each.outcome) for each in self.happened)

    async def work(self, faults: Iterable[Fault], progress: Callable[[], float]) -> None:
        """Make faults happen until as many came about as planned, or there are no more.

        `progress` says how much of the work is done, 0 to 1: neither runs ahead of the other.
        """
        try:
            for fault in faults:
                self._check()
                if self._is_enough():
                    break
                self.share = min(self.came_about / self._stage.plan.faults, 0.999)
                await came_true(lambda: progress() >= self.share, self._patience())
                await asyncio.sleep(fault.pause)
                room = self._own_room.get(fault.kind, self._room)
                await room.acquire()
                task = asyncio.create_task(self._do(fault), name=f"fault {fault.number}")
                self._lasting.add(task)
                task.add_done_callback(partial(self._ended, room))
            self.share = 1.0
            await self._until_over()
            self._check()
        finally:
            for task in self._lasting:
                task.cancel()
            await self._until_over()

    def _check(self) -> None:
        """Raise what kept a fault from being made."""
        if self._problem is not None:
            raise self._problem

    def _patience(self) -> float:
        latest = [each.outages[-1] for each in self._stage.machines if each.outages]
        outage = max((back - gone for gone, back in latest), default=0.0)
        return max(_PATIENCE_SECONDS, _PATIENCE_OUTAGES * outage)

    def _is_enough(self) -> bool:
        plan = self._stage.plan
        deadly = sum(
            bool(each.outcome) and each.fault.kind in KILLS_AND_CUTS for each in self.happened
        )
        return self.came_about >= plan.faults and deadly >= plan.kills_and_cuts

    async def _until_over(self) -> None:
        if self._lasting:
            await asyncio.wait(set(self._lasting))

    def _ended(self, room: asyncio.Semaphore, task: asyncio.Task[None]) -> None:
        self._lasting.discard(task)
        room.release()
        if not task.cancelled() and (problem := task.exception()):
            self._problem = self._problem or problem

    async def _do(self, fault: Fault) -> None:
        began = time.time()
        outcome = await self._does[fault.kind](fault)
        self.happened.append(Happened(fault=fault, began=began, ended=time.time(), outcome=outcome))

    # --- Processes ------------------------------------------------------------------------------

    async def _kill(self, fault: Fault) -> str:
        is_runner = fault.target.startswith("runner")
        processes = await self._processes(fault.target)
        deaths = 0 if is_runner else self._stage.machine(fault.target).deaths
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if is_runner or not processes:
            return "killed" if processes else ""
        await self._until_back(fault.target, deaths)
        return "came back"

    async def _until_back(self, machine: str, deaths: int) -> None:
        """Wait until a machine that had died so often before is there again."""
        kept = self._stage.machine(machine)
        await came_true(lambda: kept.deaths > deaths)
        await kept.up.wait()

    async def _journal_lost(self, fault: Fault) -> str:
        kept = self._stage.machine(fault.target)
        journal = kept.folder / "journal.sqlite"
        kept.before_next_start(partial(_damage, journal))
        await self._kill(fault)
        return "began anew"

    async def _suspend(self, fault: Fault) -> str:
        processes = await self._processes(fault.target)
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    process.resume()
        return "went on" if processes else ""

    async def _processes(self, target: str) -> list[psutil.Process]:
        """Return the process of a target, waiting for one to be there."""
        what, _, number = target.partition("-")
        if what == "runner":
            agent = f"agent-{number}"
            await came_true(lambda: self._stage.runners(agent), _TARGET_SECONDS)
            return self._stage.runners(agent)[:1]
        kept = self._stage.machine(target)
        await kept.up.wait()
        with contextlib.suppress(psutil.Error):
            return [psutil.Process(kept.pid)]
        return []

    async def _failpoint(self, fault: Fault) -> str:
        board = self._stage.board(fault.target)
        if board.is_armed(fault.detail):
            return ""
        deaths = self._stage.machine(fault.target).deaths
        board.arm(fault.detail, int(fault.amount))
        await came_true(lambda: not board.is_armed(fault.detail), _FAILPOINT_SECONDS)
        if board.disarm(fault.detail):
            return ""
        if not fault.detail.startswith("runner"):
            await self._until_back(fault.target, deaths)
        return "died there"

    # --- Lines ----------------------------------------------------------------------------------

    def _relay(self, target: str) -> Relay:
        what, _, number = target.partition("-")
        return (self._stage.links if what == "link" else self._stage.lines)[int(number)]

    async def _cut(self, fault: Fault) -> str:
        return await self._break(fault, Relay.cut)

    async def _reset(self, fault: Fault) -> str:
        return await self._break(fault, Relay.reset)

    async def _break(self, fault: Fault, how: Callable[[Relay], None]) -> str:
        relay = self._relay(fault.target)
        await came_true(lambda: relay.is_used, _TARGET_SECONDS)
        before = sum(relay.done.values())
        how(relay)
        return "broke" if sum(relay.done.values()) > before else ""

    async def _cut_after(self, fault: Fault) -> str:
        relay = self._relay(fault.target)
        before = relay.done["cut"]
        relay.cut_after(int(fault.amount))
        was_cut = await came_true(lambda: relay.done["cut"] > before, _MEETING_SECONDS)
        return "cut" if was_cut else ""

    async def _stall(self, fault: Fault) -> str:
        relay = self._relay(fault.target)
        ways = (BOTH, {Way.THERE}, {Way.BACK})[fault.number % 3]
        with _meanwhile(lambda: relay.stall(ways), relay.flow):
            await asyncio.sleep(fault.seconds)
            if fault.target.startswith("line"):
                # What was held up must not reach the platform after its sender has given it up.
                relay.reset()
        return "flowed on"

    async def _slow(self, fault: Fault) -> str:
        relay = self._relay(fault.target)
        weather = Weather(latency=0.05, jitter=0.1, rate=fault.amount)
        with _meanwhile(lambda: relay.set_weather(weather), lambda: relay.set_weather(FAIR)):
            await asyncio.sleep(fault.seconds)
        return "cleared up"

    # --- Platform, disks, clocks ----------------------------------------------------------------

    async def _platform(self, fault: Fault) -> str:
        """Set the fault and wait until a request has met it: faults must not pile up on one."""
        kept = self._stage.platform
        async with self._one_at_a_time:
            await kept.up.wait()
            try:
                for name in fault.detail.split("+"):
                    route, fields = _as_platform_fault(name, int(fault.amount))
                    await asyncio.to_thread(kept.process.fault, name, route, **fields)
                latest = time.monotonic() + _MEETING_SECONDS
                while await asyncio.to_thread(self._waits, fault):
                    if time.monotonic() >= latest:
                        await asyncio.to_thread(self._stage.clear_faults)
                        return ""
                    await asyncio.sleep(LOOK_SECONDS)
            except (httpx.HTTPError, RuntimeError):
                return ""  # it was killed at this moment
        return "met"

    def _waits(self, fault: Fault) -> bool:
        """Say whether it has met no request yet; what is set for one account is not its."""
        names = fault.detail.split("+")
        return any(
            each["kind"] in names and each["account"] is None
            for each in self._stage.platform.process.faults()
        )

    async def _disk_full(self, fault: Fault) -> str:
        disk = self._stage.machine(fault.target).folder.parent
        await asyncio.to_thread(small_disk.fill, disk)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            small_disk.free(disk)
        return "had room again"

    async def _clock(self, fault: Fault) -> str:
        folder = self._stage.folder(fault.target)
        with _meanwhile(lambda: set_clock(folder, fault.amount), lambda: set_clock(folder, 0.0)):
            await asyncio.sleep(fault.seconds)
        return "was set back"


@contextlib.contextmanager
def _meanwhile(begin: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def _damage(database: Path) -> None:
    """Leave a file that is no database any more, as a failing disk does."""
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
    with database.open("r+b") as file:
        file.write(bytes(_DAMAGED_BYTES))


def _as_platform_fault(name: str, milliseconds: int) -> tuple[str, dict[str, Any]]:
    """Return the route and the fields of a platform's fault, told by the schedule's figure."""
    is_mild = milliseconds < LATE_MS_MOST
    match name:
        case "refuse_status":
            return CONFIGURE, {"status": 429 if is_mild else 503}
        case "status_after_apply":
            return CONFIGURE, {"status": 500 if is_mild else 502}
        case "apply_late" | "list_late":
            return CONFIGURE, {"delay_ms": milliseconds}
        case "drop_before_apply" if is_mild:
            return _UPLOADS, {}
        case _:
            return CONFIGURE, {}
