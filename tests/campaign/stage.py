"""The processes and lines of a campaign: started, kept alive, and ended.

What is done to them is in `saboteur.py`, what is done with them in `crew.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import psutil

from tests.campaign.disguise import Authority, disguised
from tests.campaign.inside.disguised_client import write as write_disguise
from tests.campaign.inside.failpoints import Board
from tests.campaign.inside.surroundings import ROOM, Surroundings
from tests.campaign.plan import Plan
from tests.support.agent_process import AgentProcess
from tests.support.child_process import ChildProcess
from tests.support.core_process import CoreProcess
from tests.support.leftovers import carriers
from tests.support.practice_process import PracticeProcess
from tests.support.relay import Relay, relay_to
from tests.support.small_disk import small_disks

P = TypeVar("P", bound=ChildProcess)

CONFIGURE = "/api/v1/media/configure*"
"""The requests that make a post visible."""
LINES = 4
"""Lines between agents and platform; each carries a share of the accounts."""
_LOOK_SECONDS = 0.03
_STARTS = 8
"""How often in a row a process may die while it starts."""
_GRACE_SECONDS = 10.0
_ALWAYS = 1_000_000_000
_PLATFORM_NICE = -10


class CampaignAgent(AgentProcess):
    """An agent with points in it."""

    program = "tests.campaign.inside.start_agent"


class CampaignCore(CoreProcess):
    """A core with points in it."""

    program = "tests.campaign.inside.start_core"


class StartError(Exception):
    """A process does not start although nobody kills it."""


class Kept(Generic[P]):
    """A process that is started again whenever it has ended."""

    def __init__(self, name: str, folder: Path, start: Callable[[P | None], P]) -> None:
        """`start` gets the process before, where there was one."""
        self.name = name
        self.folder = folder
        """Where it keeps its data."""
        self.deaths = 0
        self.up = asyncio.Event()
        self.outages: list[tuple[float, float]] = []
        """From when to when it was gone, seconds since 1970."""
        self._start = start
        self._process: P | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._meanwhile: list[Callable[[], None]] = []

    @property
    def process(self) -> P:
        """The process of this moment."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.process.pid

    async def begin(self) -> None:
        """Start it, and keep it from then on."""
        await self._bring_up()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    def check(self) -> None:
        """Raise what ended the keeping."""
        if self._keeper is not None and self._keeper.done():
            self._keeper.result()

    def before_next_start(self, act: Callable[[], None]) -> None:
        """Do something to its data once, while it is gone the next time."""
        self._meanwhile.append(act)

    async def restart(self) -> None:
        """End it politely and start it again, with whatever it is told by now."""
        await self.stop()
        self.up.clear()
        await self.begin()

    async def let_go(self) -> None:
        """Keep it no longer; it goes on as it is."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def stop(self) -> int:
        """Keep it no longer and ask it to stop; returns its exit status."""
        await self.let_go()
        return await asyncio.to_thread(self.process.stop)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.process.is_running:
                continue
            self.up.clear()
            self.deaths += 1
            gone = time.time()
            while self._meanwhile:
                self._meanwhile.pop()()
            await self._bring_up()
            self.outages.append((gone, time.time()))

    async def _bring_up(self) -> None:
        for attempt in range(1, _STARTS + 1):
            try:
                self._process = await asyncio.to_thread(self._start, self._process)
            except AssertionError as problem:
                # It may have been killed again while it started: that is part of the campaign.
                if attempt == _STARTS:
                    raise StartError(f"{self.name} does not start: {problem}") from None
                self.deaths += 1
            else:
                self.up.set()
                return


Machine = Kept[PracticeProcess] | Kept[CampaignCore] | Kept[CampaignAgent]


@dataclass
class Stage:
    """Everything that runs."""

    room: Path
    plan: Plan
    platform: Kept[PracticeProcess]
    core: Kept[CampaignCore]
    agents: list[Kept[CampaignAgent]]
    links: list[Relay]
    """Between the desktop and each agent."""
    lines: list[Relay]
    """Between agents and platform."""
    has_small_disks: bool

    def machine(
        self, name: str
    ) -> Kept[PracticeProcess] | Kept[CampaignCore] | Kept[CampaignAgent]:
        """Return a machine by its name."""
        return {each.name: each for each in self.machines}[name]

    @property
    def machines(self) -> list[Machine]:
        """Everything that is kept alive."""
        return [self.platform, self.core, *self.agents]

    def folder(self, name: str) -> Path:
        """Where a machine's points are armed and its clock is set."""
        return Surroundings(self.room, name).folder

    def board(self, name: str) -> Board:
        """The points of a machine."""
        return Board(self.folder(name))

    def clear_faults(self) -> None:
        """Take back what the platform's own faults have not met; it still takes its time."""
        self.platform.process.clear_faults()
        _let_it_think(self.platform.process, self.plan)

    def runners(self, agent: str) -> list[psutil.Process]:
        """The runner processes of an agent."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.machine(agent).pid).children()
        return []

    def check(self) -> None:
        """Raise what keeps a machine from being there."""
        for each in self.machines:
            each.check()

    async def until_up(self) -> None:
        """Wait until every machine is there."""
        for each in self.machines:
            await each.up.wait()

    async def stop_desktop_and_agents(self) -> dict[str, int]:
        """Ask core and agents to stop; returns their exit statuses."""
        asked: list[Machine] = [self.core, *self.agents]
        statuses = await asyncio.gather(*(each.stop() for each in asked), return_exceptions=True)
        return {
            each.name: status if isinstance(status, int) else -1
            for each, status in zip(asked, statuses, strict=True)
        }

    def orphans(self) -> list[psutil.Process]:
        """Processes of this campaign that live on although their machine was stopped."""
        known = {self.platform.pid} if self.platform.process.is_running else set()
        found = [each for each in carriers(str(self.room), ROOM) if each.pid not in known]
        _, left = psutil.wait_procs(found, timeout=_GRACE_SECONDS)
        return list(left)


@asynccontextmanager
async def stage(room: Path, plan: Plan) -> AsyncIterator[Stage]:
    """Start everything; end whatever then runs."""
    machines = ["core", *(f"agent-{number}" for number in range(plan.agents))]
    folders = [room / "disks" / name for name in machines]

    def environment(machine: str) -> Mapping[str, str]:
        return Surroundings(room, machine).environment()

    async with AsyncExitStack() as undo:
        undo.enter_context(_no_process_left(room))
        has_small_disks = undo.enter_context(small_disks(folders, plan.disk_mib))
        platform = Kept(
            "platform",
            room / "platform",
            lambda before: _platform(room, plan, before, environment("platform")),
        )
        await _begin(platform, undo)
        lines = [await _relay(undo, platform.process.url, number) for number in range(LINES)]
        await _disguise(undo, room, plan, lines)
        agents = []
        for number, folder in enumerate(folders[1:]):
            name = f"agent-{number}"
            agent = Kept(name, folder / "data", _agent_starter(folder / "data", plan, environment))
            await _begin(agent, undo)
            agents.append(agent)
        core = Kept(
            "core",
            folders[0] / "data",
            lambda _: CampaignCore.start(folders[0] / "data", environment=environment("core")),
        )
        await _begin(core, undo)
        links = [
            await undo.enter_async_context(relay_to(agent.process.port, plan.seed + number))
            for number, agent in enumerate(agents)
        ]
        yield Stage(room, plan, platform, core, agents, links, lines, has_small_disks)


async def _begin(kept: Kept[P], undo: AsyncExitStack) -> None:
    async def end() -> None:
        await kept.let_go()
        with contextlib.suppress(AssertionError):
            if kept.process.is_running:
                await asyncio.to_thread(kept.process.stop)

    await kept.begin()
    undo.push_async_callback(end)


async def _relay(undo: AsyncExitStack, url: str, number: int) -> Relay:
    return await undo.enter_async_context(relay_to(int(url.rpartition(":")[2]), number))


async def _disguise(undo: AsyncExitStack, room: Path, plan: Plan, lines: list[Relay]) -> None:
    """Let some accounts reach the platform as the real one is reached, over the same lines."""
    if not plan.relayed_accounts:
        return
    authority = await asyncio.to_thread(Authority.make, room / "authority")
    proxies = {
        f"http://127.0.0.1:{line.port}": await undo.enter_async_context(
            disguised(authority, line.port)
        )
        for line in lines
    }
    names = [name for number, name in enumerate(plan.usernames) if plan.is_relayed(number)]
    write_disguise(room, usernames=names, proxies=proxies, ca_file=authority.ca_file)


def _platform(
    room: Path, plan: Plan, before: PracticeProcess | None, environment: Mapping[str, str]
) -> PracticeProcess:
    ports: Sequence[str] = ()
    if before is not None:
        before.admin.close()
        urls = {"--port": before.url, "--admin-port": before.admin_url}
        urls["--proxy-port"] = before.proxy_url
        ports = [word for name, url in urls.items() for word in (name, url.rpartition(":")[2])]
    platform = PracticeProcess.start(room / "platform", *ports, environment=environment)
    _go_first(platform)
    _let_it_think(platform, plan)  # a platform forgets its faults when it dies
    return platform


def _go_first(platform: PracticeProcess) -> None:
    """Let the platform be late by its faults alone, and not for want of a processor.

    How late it may be is a promise that everything else relies on.
    """
    with contextlib.suppress(psutil.Error):
        if psutil.POSIX:
            psutil.Process(platform.process.pid).nice(_PLATFORM_NICE)


def _let_it_think(platform: PracticeProcess, plan: Plan) -> None:
    platform.fault("delay_ms", CONFIGURE, count=_ALWAYS, delay_ms=plan.think_ms)


def _agent_starter(
    data: Path, plan: Plan, environment: Callable[[str], Mapping[str, str]]
) -> Callable[[CampaignAgent | None], CampaignAgent]:
    name = data.parent.name
    slots = "2" if plan.browser_accounts else "0"

    def start(before: CampaignAgent | None) -> CampaignAgent:
        return CampaignAgent.start(
            data,
            environment(name),
            port=before.port if before else 0,
            name=name,
            browser_slots=slots,
            api_runners="1",
            api_workers=str(plan.workers),
            disk_reserve_mib="0",
        )

    return start


@contextlib.contextmanager
def _no_process_left(room: Path) -> Iterator[None]:
    """End whatever this campaign has started and left, at the very end."""
    with ExitStack() as undo:
        undo.callback(_end_all, room)
        yield


def _end_all(room: Path) -> None:
    left = carriers(str(room), ROOM)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=_GRACE_SECONDS)
