"""What the server's parts share: built once in `agent.app`, passed in, never global."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.jobs.blobs import BlobStore
from agent.jobs.dead_man import DeadMan, save_contact
from agent.jobs.disk import DiskWatch
from agent.jobs.journal import Journal
from agent.jobs.log_spool import LogSpool
from agent.jobs.marks import StoreMarks
from agent.jobs.outbox import Outbox
from agent.jobs.supervisor import Supervisor
from agent.owned_tasks import OwnedTasks
from agent.server.guard import FailureLimit
from agent.server.links import Links
from agent.server.tokens import Tokens
from common.errors import LinkError
from common.infra.clock import running_time
from common.protocol.messages import AgentCard


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What is fixed for one start of the agent."""

    agent_id: str
    name: str
    boot_id: str
    data: Path
    drivers: Sequence[str]
    tasks: Sequence[str]
    browser_slots: int
    capacity: float
    started_at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Health:
    """How the agent is now."""

    running: int
    waiting: int
    unacknowledged: int
    links: int
    loop_lag: float
    """Seconds by which the event loop was late, at worst, of late."""
    disk_free: int
    """Bytes."""
    is_disk_full: bool
    """True while nothing new is started."""


class LoopLag:
    """How late the event loop was, at worst, in the last few looks."""

    def __init__(self) -> None:
        self._worst = 0.0

    def note(self, seconds: float) -> None:
        """Take a look's lateness in; old ones fade."""
        self._worst = max(seconds, self._worst * 0.8)

    @property
    def seconds(self) -> float:
        """The lateness to report."""
        return self._worst


@dataclass(frozen=True, slots=True)
class AgentContext:
    """The agent as its server sees it."""

    facts: AgentFacts
    journal: Journal
    outbox: Outbox
    blobs: BlobStore
    spool: LogSpool
    supervisor: Supervisor
    tokens: Tokens
    failures: FailureLimit
    links: Links
    lag: LoopLag
    disk: DiskWatch
    dead_man: DeadMan
    marks: StoreMarks
    tasks: OwnedTasks

    def card(self, store_id: str) -> AgentCard:
        """Return what the agent says of itself in its hello to a store's desktop."""
        facts = self.facts
        return AgentCard(
            agent_id=facts.agent_id,
            name=facts.name,
            boot_id=facts.boot_id,
            epoch=self.outbox.epoch,
            lowest_seq=self.outbox.lowest_seq,
            drivers=list(facts.drivers),
            tasks=list(facts.tasks),
            browser_slots=facts.browser_slots,
            capacity=facts.capacity,
            accounts_held=self.supervisor.accounts_held,
            dead_man_hours=self.dead_man.hours,
            seen_mark=self.marks.seen(store_id),
        )

    def health(self) -> Health:
        """Return how the agent is now."""
        return Health(
            running=self.supervisor.running_count,
            waiting=self.supervisor.waiting_count,
            unacknowledged=self.outbox.depth,
            links=self.links.count,
            loop_lag=self.lag.seconds,
            disk_free=shutil.disk_usage(self.facts.data).free,
            is_disk_full=self.disk.is_full,
        )

    def owner_heard(self) -> None:
        """Note that the owner's desktop is there: publishing goes on where it was stopped."""
        self.dead_man.heard(time.time(), running_time())
        self.supervisor.look_whether_silent()

    def look_around(self) -> None:
        """Stop what must stop for want of room or of an owner, and let it go on again."""
        self.disk.look()
        self.supervisor.look_whether_silent()
        contact = self.dead_man.to_save()
        if contact is not None:
            self.supervisor.note("save the last contact", lambda txn: save_contact(txn, contact))

    def begin_new_epoch(self) -> None:
        """Say to every later link that the outbox's history is gone; none of the old one stays."""
        self.tasks.start("new epoch", self._renew_epoch())

    async def _renew_epoch(self) -> None:
        await self.outbox.renew_epoch()
        self.links.end_all(LinkError("The agent has begun a new epoch."))
