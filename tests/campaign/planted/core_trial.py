"""One core that may have a bug, with one post to publish, and an agent that a case leads.

What the agent did and what the store says of it go to the judge.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection

from common.protocol.messages import Cursor
from common.security.pairing import new_token
from desktop_app.store import agents, media
from desktop_app.store.folder import StoreFolder
from desktop_app.store.store import Store
from tests.campaign import evidence as found
from tests.campaign.crew import Order
from tests.campaign.evidence import Evidence, Log
from tests.campaign.inside.failpoints import Board
from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.judge import Finding, judge
from tests.campaign.planted.pretended_agent import PretendedAgent
from tests.campaign.planted.undisturbed import evidence_of
from tests.campaign.planted.witness import acknowledged_too_early
from tests.campaign.stage import CampaignCore
from tests.support.canaries import Canaries
from tests.support.stored import PHOTO, add_accounts, add_run, open_test_store, upload_items

MACHINE = "core"
USERNAME = "user0"
_DIE_SECONDS = 30.0


@dataclass
class CoreTrial:
    """The running trial."""

    data: Path
    surroundings: Surroundings
    agent_token: str = field(default_factory=new_token)
    witnessed: list[Finding] = field(default_factory=list)
    """What was seen at the wire."""
    secrets: dict[str, str | bytes] = field(default_factory=dict)
    status: int = 0
    """How the core ended when it was asked to."""
    _core: CampaignCore | None = None
    _agent: PretendedAgent | None = None

    @property
    def agent(self) -> PretendedAgent:
        """The agent that the core is paired with."""
        assert self._agent is not None
        return self._agent

    def start(self, *, die_at: str = "") -> None:
        """Start the core; with `die_at` it dies where it passes that point first."""
        if die_at:
            Board(self.surroundings.folder).arm(die_at)
        self._core = CampaignCore.start(self.data, environment=self.surroundings.environment())
        token = self._core.endpoint.token.get_secret_value()
        self.secrets = {"API token": token, "agent's token": self.agent_token}

    async def until_dead(self) -> None:
        """Wait until the core has died, and the agent has read its last words."""
        assert self._core is not None
        await asyncio.to_thread(self._core.process.wait, _DIE_SECONDS)
        await self.agent.until(lambda: self.agent.sessions_ended, "the end of the link")

    def stop(self) -> None:
        """Ask the core to stop, where it runs."""
        if self._core is not None and self._core.is_running:
            self.status = self._core.stop()

    def look(self, acknowledged: Cursor) -> None:
        """Compare what is acknowledged at this moment with what the store has."""
        self.witnessed += acknowledged_too_early(acknowledged, self._stored())

    def findings(self) -> list[Finding]:
        """What was seen at the wire and what the judge finds."""
        return [*self.witnessed, *judge(self._evidence()).findings]

    async def prepare(self, agent: PretendedAgent) -> None:
        """Make a store that is paired with `agent` and has one post for it."""
        self._agent = agent
        store = await asyncio.to_thread(open_test_store, self.data)
        try:
            await store.write(lambda connection: self._fill(connection, store))
        finally:
            await asyncio.to_thread(store.close)

    def _fill(self, connection: Connection, store: Store) -> None:
        agent_id = self.agent.identity.agent_id
        media.insert(connection, [PHOTO])
        agents.save_pairing(
            connection,
            store.vault,
            agent_id=agent_id,
            name="worker",
            host="127.0.0.1",
            port=self.agent.port,
            certificate=self.agent.identity.certificate_file.read_text(),
            token=SecretStr(self.agent_token),
            scope="control",
            at=1.0,
        )
        ids = add_accounts(connection, store.vault, [USERNAME])
        add_run(connection, upload_items(ids, agent_id))

    def _stored(self) -> Cursor:
        uri = f"file:{StoreFolder(self.data).database}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as store:
            row = store.execute("SELECT cursor_epoch, cursor_seq FROM agent").fetchone()
        return Cursor(epoch=row[0], seq=row[1])

    def _evidence(self) -> Evidence:
        agent, folder = self.agent, StoreFolder(self.data)
        at_desktop, torn = found.read_logs(self.data, [])
        lines = {log.item_id: log.at_desktop for log in at_desktop}
        return evidence_of(
            orders=[Order(post.username, post.title) for post in agent.posts],
            posts=agent.posts,
            items=found.read_items(folder.database, {agent.identity.agent_id: "agent-0"}),
            logs=[
                Log(item_id, 1, at_agent, lines.get(item_id, []))
                for item_id, at_agent in agent.logs.items()
            ],
            torn_lines=torn,
            platform_hits={},
            leaks=Canaries(self.secrets).in_files(folder.logs),
            post_counts=found.read_post_counts(folder.database),
            statuses={MACHINE: self.status},
        )


@asynccontextmanager
async def core_trial(room: Path, bug: str) -> AsyncIterator[CoreTrial]:
    """Get a core ready, with a bug or without where `bug` is empty; it has ended behind the block.

    The case starts it.
    """
    trial = CoreTrial(room / "core", Surroundings(room, MACHINE, bug))
    async with PretendedAgent.listening(room / "agent", trial.look) as agent:
        await trial.prepare(agent)
        try:
            yield trial
        finally:
            await asyncio.to_thread(trial.stop)
