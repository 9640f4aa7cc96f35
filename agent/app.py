"""The agent as a whole: everything is built here, once, and ended here, in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import FrameType

from agent import presence
from agent.agent_key import load_agent_key
from agent.chromium import find_chromium
from agent.jobs import recovery
from agent.jobs.blobs import BlobStore
from agent.jobs.database import open_database
from agent.jobs.dead_man import DeadMan, load_contact
from agent.jobs.disk import DiskWatch, Room
from agent.jobs.journal import Journal
from agent.jobs.log_spool import LogSpool
from agent.jobs.marks import StoreMarks, load_marks
from agent.jobs.meta import Life, begin_life
from agent.jobs.outbox import Outbox, read_bounds
from agent.jobs.runner_pool import PROFILES_PER_BROWSER_RUNNER, PoolLimits
from agent.jobs.runner_process import RunnerCommand
from agent.jobs.running import WhatRuns
from agent.jobs.supervisor import Supervisor
from agent.owned_tasks import OwnedTasks
from agent.presence import Presence
from agent.runners.messages import RunnerKind
from agent.server.certificate import AgentIdentity, load_identity
from agent.server.context import AgentContext, AgentFacts, LoopLag
from agent.server.guard import FailureLimit, Guard
from agent.server.http import build_app
from agent.server.links import Links
from agent.server.pairing import is_code_open
from agent.server.serving import Door, Strangers
from agent.server.tokens import Tokens, earlier_pairings, forget_earlier_pairings, load_pairings
from agent.settings import AgentSettings
from common.domain.accounts import DriverName
from common.errors import LinkError
from common.infra.ballast import Ballast
from common.infra.clock import running_time
from common.infra.logs import start_logging
from common.infra.memory import set_aside_what_is_loaded
from common.infra.paths import make_data_folder, make_private_folder
from common.security.redaction import Redactor
from common.tasks.catalogue import TASK_TYPES

_LOG = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - only once a desktop is paired, or a code is open
_LOOK_SECONDS = 1.0
_HOUSE_SECONDS = 60.0
_GOODBYE_SECONDS = 0.2
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


async def run_agent(settings: AgentSettings, ready_file: Path | None) -> None:
    """Run the agent until it is told to stop by a signal.

    Raises a FlotillaError where it cannot start.
    """
    data = make_data_folder(settings.data)
    logs = make_private_folder(data / "logs")
    start_logging(Redactor(), logs / "agent.log", level=_LEVELS[settings.log_level])
    stopping = asyncio.Event()
    with _stopped_by_signals(stopping):
        async with AsyncExitStack() as stack:
            agent = await stack.enter_async_context(build_agent(settings))
            await agent.open(ready_file)
            set_aside_what_is_loaded()
            await stopping.wait()
            _LOG.info("Stopping.")


class Agent:
    """A built agent: its context, and the door to it."""

    def __init__(
        self, settings: AgentSettings, context: AgentContext, identity: AgentIdentity
    ) -> None:
        self._settings = settings
        self._context = context
        self._ready_file: Path | None = None
        self._port = 0
        strangers = Strangers()
        self._guard = Guard(
            build_app(context),
            context.tokens,
            context.failures,
            own_names=_own_names(settings),
            settled=strangers.left,
        )
        self._door = Door(self._guard, identity, strangers)
        self._is_public = False

    async def open(self, ready_file: Path | None) -> None:
        """Listen, and say so."""
        self._ready_file = ready_file
        host, port = await self._door.open(self._host(), self._settings.port)
        self._port = port
        self._announce(host)
        self._context.tasks.start("look around", self._look_around())
        _LOG.info("Agent %s listens at %s port %d.", self._context.facts.name, host, port)

    async def close(self) -> None:
        """Let nobody in, stop the runners, say goodbye, and stop listening."""
        self._guard.is_closed = True
        await self._context.supervisor.stop()
        self._context.links.end_all(
            LinkError("The agent is stopping.", advice="It goes on when it is started again.")
        )
        await asyncio.sleep(_GOODBYE_SECONDS)
        await self._door.close()
        presence.withdraw(self._settings.data, self._ready_file)

    @property
    def context(self) -> AgentContext:
        """What the agent is made of."""
        return self._context

    @property
    def port(self) -> int:
        """The port it listens at, once it is open."""
        return self._port

    def _host(self) -> str:
        if self._settings.host:
            return self._settings.host
        self._is_public = self._context.tokens.has_any or is_code_open(
            self._settings.data, time.time()
        )
        return _EVERYWHERE if self._is_public else _LOOPBACK

    def _announce(self, host: str) -> None:
        wanted = host if self._settings.host else _EVERYWHERE
        presence.announce(
            Presence(
                pid=os.getpid(),
                host=host,
                port=self._port,
                agent_id=self._context.facts.agent_id,
                public_host=presence.dialled_host(wanted, self._settings.public_host),
                started=presence.own_start_time(),
            ),
            self._settings.data,
            self._ready_file,
        )

    async def _look_around(self) -> None:
        """Every second: how late the loop is, and whether the address must change."""
        loop = asyncio.get_running_loop()
        house_at = loop.time() + _HOUSE_SECONDS
        while True:
            due = loop.time() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self._context.lag.note(max(0.0, loop.time() - due))
            self._context.look_around()
            await self._follow_pairing()
            if loop.time() >= house_at:
                self._context.supervisor.keep_house()
                house_at = loop.time() + _HOUSE_SECONDS

    async def _follow_pairing(self) -> None:
        """Open to the network while a code is open or once a desktop is paired."""
        if self._settings.host:
            return
        was_public = self._is_public
        host = self._host()
        if self._is_public != was_public:
            await self._door.move(host)
            self._announce(host)
            _LOG.info("Listening at %s now.", host)


@asynccontextmanager
async def build_agent(
    settings: AgentSettings, command: RunnerCommand | None = None
) -> AsyncIterator[Agent]:
    """Build everything that an agent is made of; end it in the opposite order.

    `command` says how a runner is started, where that is not our own program.
    """
    data = make_data_folder(settings.data)
    identity = load_identity(data)
    key = load_agent_key(data)
    async with AsyncExitStack() as stack:
        ballast = Ballast(data / "ballast", settings.ballast)
        journal = Journal(open_database(data / "journal.sqlite"), key, ballast.release)
        stack.push_async_callback(journal.close)
        spool = LogSpool(
            make_private_folder(data / "logs" / "items"),
            quota=settings.logs_quota,
            days=settings.logs_days,
        )
        await _reap(journal, recovery.cookie_of(data))
        life = await journal.write(begin_life)
        outbox = Outbox(journal, life.epoch, *await journal.write(read_bounds))
        stack.callback(outbox.close)
        resumed = await journal.write(lambda transaction: recovery.settle_items(transaction, spool))
        blobs = BlobStore(data / "blobs", quota=settings.media_quota, reserve=settings.disk_reserve)
        stack.callback(blobs.close)
        tasks = OwnedTasks()
        stack.push_async_callback(tasks.close)
        facts = _facts(settings, identity, life)
        contact = await journal.write(load_contact)
        dead_man = DeadMan(settings.dead_man_hours, contact, time.time(), running_time())
        supervisor = Supervisor(
            journal=journal,
            blobs=blobs,
            spool=spool,
            accounts_folder=make_private_folder(data / "accounts"),
            can=WhatRuns(frozenset(facts.tasks), frozenset(facts.drivers)),
            limits=_limits(settings),
            command=command or _runner_command(settings),
            environment={recovery.COOKIE_NAME: recovery.cookie_of(data)},
            why_silent=lambda: dead_man.reason(time.time(), running_time()),
        )

        def room_changed(room: Room) -> None:
            spool.allow(room is Room.ENOUGH)
            supervisor.allow_starts(room is not Room.NONE)

        earlier = await journal.write(earlier_pairings)
        pairings = load_pairings(data, earlier)
        if earlier.grants:
            await journal.write(forget_earlier_pairings)
        if life.is_fresh and pairings.grants:
            _LOG.error("The journal was lost: desktops learn of it when they link, and reconcile.")
        context = AgentContext(
            facts=facts,
            journal=journal,
            outbox=outbox,
            blobs=blobs,
            spool=spool,
            supervisor=supervisor,
            tokens=Tokens(data, pairings),
            failures=FailureLimit(),
            links=Links(),
            lag=LoopLag(),
            disk=DiskWatch(data, ballast, room_changed),
            marks=StoreMarks(await journal.write(load_marks), supervisor.note),
            dead_man=dead_man,
            tasks=tasks,
        )
        agent = Agent(settings, context, identity)
        stack.push_async_callback(agent.close)
        supervisor.start(resumed)
        context.look_around()
        yield agent


async def _reap(journal: Journal, cookie: str) -> None:
    """End runners that an earlier, killed agent has left, before anything else."""
    leftovers = await journal.write(recovery.noted_runners)
    count = await asyncio.to_thread(recovery.reap, leftovers, cookie)
    if count:
        _LOG.info("%d left-over processes of an earlier start were ended.", count)
    if leftovers:
        await journal.write(recovery.forget_runners)


def _facts(settings: AgentSettings, identity: AgentIdentity, life: Life) -> AgentFacts:
    drivers = [DriverName.PRIVATE_API.value]
    if settings.browser_slots and find_chromium() is not None:
        drivers.append(DriverName.BROWSER.value)
    return AgentFacts(
        agent_id=identity.agent_id,
        name=settings.name,
        boot_id=life.boot_id,
        data=settings.data,
        drivers=drivers,
        tasks=[task.kind for task in TASK_TYPES],
        browser_slots=settings.browser_slots,
        capacity=settings.capacity,
    )


def _limits(settings: AgentSettings) -> PoolLimits:
    return PoolLimits(
        browser_slots=settings.browser_slots,
        api_runners=settings.api_runners,
        api_workers=settings.api_workers,
        stop_seconds=settings.stop_seconds,
    )


def _runner_command(settings: AgentSettings) -> RunnerCommand:
    program = [sys.executable, "-m", "agent.runners.main", "--kind"]

    def command(kind: RunnerKind) -> Sequence[str]:
        if kind is RunnerKind.BROWSER:
            slots = min(settings.browser_slots, PROFILES_PER_BROWSER_RUNNER)
            visible = ["--visible"] if settings.visible_browser else []
            return [*program, kind.value, "--slots", str(slots), *visible]
        return [
            *program,
            kind.value,
            "--threads",
            str(settings.api_workers),
            "--uploads-at-once",
            str(settings.uploads_at_once),
        ]

    return command


def _own_names(settings: AgentSettings) -> set[str]:
    names = {"localhost", socket.gethostname(), socket.gethostname().split(".")[0]}
    return {name for name in (*names, settings.public_host, settings.host) if name}


@contextlib.contextmanager
def _stopped_by_signals(stopping: asyncio.Event) -> Iterator[None]:
    """Set `stopping` on Ctrl+C, on a polite termination, and on Windows on Ctrl+Break."""
    loop = asyncio.get_running_loop()
    handled = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        handled.append(signal.SIGBREAK)

    def stop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)

    before = {number: signal.signal(number, stop) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
