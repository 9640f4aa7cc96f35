"""Builds the core once, starts it and ends it: everything else is passed what it needs."""

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from common.limits.rules import load_limits
from desktop_app.core.accounts import AccountService
from desktop_app.core.cards import CardService
from desktop_app.core.changes import ChangeHub
from desktop_app.core.disk_watch import watch_disk
from desktop_app.core.fleet import Fleet
from desktop_app.core.media import MediaService
from desktop_app.core.moves import MoveService
from desktop_app.core.progress import LiveProgress
from desktop_app.core.proxies import ProxyService
from desktop_app.core.run_logs import RunLogs
from desktop_app.core.runs import RunService
from desktop_app.core.screens import ScreenFan
from desktop_app.core.tasks import TaskOwner
from desktop_app.core.views import Views
from desktop_app.store import accounts
from desktop_app.store.store import Store

IDLE_SECONDS = 5.0
"""How long after the last client a core that nothing needs goes on."""
FIRST_CLIENT_SECONDS = 20.0
"""How long a fresh core waits for its first client."""
_IDLE_CHECK_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Presence:
    """When a client was last here, by the monotonic clock."""

    until: float = field(default_factory=lambda: time.monotonic() + FIRST_CLIENT_SECONDS)
    requests: int = 0
    """Requests that are being answered now."""

    def request_began(self) -> None:
        """A client asks something."""
        self.requests += 1

    def request_ended(self) -> None:
        """A client got its answer."""
        self.requests -= 1
        self.until = time.monotonic() + IDLE_SECONDS


class CoreContext:
    """The core of one store."""

    def __init__(self, store: Store) -> None:
        """Put the parts together; nothing runs before `start`."""
        self.store = store
        self.progress = LiveProgress()
        self.logs = RunLogs(store.folder)
        self.screens = ScreenFan(self._agents_of)
        self.hub = ChangeHub(lambda dirty, watched: self.views.collect(dirty, watched))
        self.fleet = Fleet(store, self.hub, self.logs, self.progress, self.screens)
        self.views = Views(store, self.fleet, self.progress)
        self.runs = RunService(store, self.hub, self.fleet, load_limits())
        self.cards = CardService(store, self.hub, self.fleet, self.views)
        self.moves = MoveService(store, self.hub, self.fleet)
        self.accounts = AccountService(store, self.hub)
        self.proxies = ProxyService(store, self.hub)
        self.media = MediaService(store, self.hub)
        self.presence = Presence()
        self.stopping = asyncio.Event()
        """Set when the core shall end: by a signal, a client, or because nothing needs it."""
        self._tasks = TaskOwner()

    async def start(self, *, until_idle: bool) -> None:
        """Link to the agents and begin to tell clients of changes."""
        self._tasks.spawn("disk", watch_disk(self.store, self.fleet.gate))
        await self.fleet.start()
        self._tasks.spawn("changes", self.hub.run())
        if until_idle:
            self._tasks.spawn("idle", self._watch_idle())

    async def aclose(self) -> None:
        """End the links and everything that runs; the store is closed by whoever opened it."""
        await self.fleet.aclose()
        await self._tasks.aclose()
        self.logs.close()

    def stop(self, reason: str) -> None:
        """Begin to end; clients are told why."""
        if not self.stopping.is_set():
            _log.info("Ending: %s", reason)
            self.hub.close(reason)
            self.stopping.set()

    async def _watch_idle(self) -> None:
        while True:
            await asyncio.sleep(_IDLE_CHECK_SECONDS)
            if self.hub.clients or self.screens.clients or self.presence.requests:
                self.presence.until = max(self.presence.until, time.monotonic() + IDLE_SECONDS)
            elif time.monotonic() >= self.presence.until and not await self.views.is_work_due():
                self.stop("No client is left, and nothing runs or is due.")
                return

    async def _agents_of(self, account_ids: Collection[str]) -> dict[str, str]:
        known = await self.store.read(partial(accounts.records, ids=account_ids))
        return {id_: record.agent_id for id_, record in known.items() if record.agent_id}
