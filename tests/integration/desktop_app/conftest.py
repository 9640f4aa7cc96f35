"""A practice platform, an agent and a headless core: all real, each in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from common.domain.accounts import Platform
from common.domain.states import LinkState
from common.domain.transitions import ITEM_FINAL
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import ImportAccounts
from desktop_app.contract.agents import AgentRow, PairAgent
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import ItemRow, LogLine, RunTask, Targets
from tests.support.agent_process import AgentProcess
from tests.support.core_process import CoreProcess
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass
class World:
    """The running system, and what a test does with it."""

    folder: Path
    practice: PracticeProcess
    agent: AgentProcess
    core: CoreProcess
    usernames: list[str] = field(default_factory=list)

    async def join(self, client: CoreClient, accounts: int) -> None:
        """Pair the agent, and bring accounts in."""
        await client.pair_agent(PairAgent(line=SecretStr(self.agent.pair_line())))
        self.usernames = [f"user{number}" for number in range(accounts)]
        self.practice.seed(
            [{"username": name, "password": f"password-of-{name}"} for name in self.usernames]
        )
        await client.import_accounts(
            ImportAccounts(
                text=SecretStr("\n".join(f"{name}:password-of-{name}" for name in self.usernames)),
                platform=Platform.PRACTICE,
                platform_url=self.practice.url,
                confirmed_authority=True,
            )
        )

    async def sign_in(self, client: CoreClient) -> None:
        """Sign every account in."""
        run_id = await self.start(client, "bulk_login", {})
        await self.until_ended(client, run_id)

    async def add_photos(self, client: CoreClient, count: int) -> list[str]:
        """Add photos to the library; returns their SHA-256s."""
        paths = [
            str(make_photo(self.folder / f"photo-{number}.jpg", number)) for number in range(count)
        ]
        return [row.sha256 for row in (await client.import_media(ImportMedia(paths=paths))).rows]

    async def start(self, client: CoreClient, task: str, parameters: dict[str, Any]) -> str:
        """Start a run for every account."""
        command = RunTask(
            task=task, parameters=parameters, targets=Targets(usernames=self.usernames)
        )
        started = await client.run_task(command)
        assert started.run_id, started.preflight.problems
        return started.run_id

    async def upload(self, client: CoreClient, photos: list[str]) -> str:
        """Start publishing each photo on every account."""
        posts = [{"media": [sha256]} for sha256 in photos]
        wanted = {"posts": posts, "distribution": "same_to_all", "caption": "{title}"}
        return await self.start(client, "bulk_upload", wanted)

    async def until_ended(self, client: CoreClient, run_id: str) -> list[ItemRow]:
        """Wait until every item has ended."""
        return await self.until(
            client, run_id, lambda items: all(item.state in ITEM_FINAL for item in items)
        )

    async def until(
        self, client: CoreClient, run_id: str, fact: Callable[[list[ItemRow]], bool]
    ) -> list[ItemRow]:
        """Wait for something to be true of a run's items."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                items = (await client.run_items(run_id)).rows
                if fact(items):
                    return items
                await asyncio.sleep(POLL_SECONDS)

    async def until_logged(
        self, client: CoreClient, run_id: str, item_ids: set[str]
    ) -> list[LogLine]:
        """Wait until the run's log has lines of every item; returns them all."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                lines = (await client.run_log(run_id, limit=1_000_000)).lines
                if {line.item_id for line in lines} == item_ids:
                    return lines
                await asyncio.sleep(POLL_SECONDS)

    async def until_link(self, client: CoreClient, *states: LinkState) -> AgentRow:
        """Wait until the link to the agent is in one of the states."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                row = (await client.agents()).rows[0]
                if row.link in states:
                    return row
                await asyncio.sleep(POLL_SECONDS)

    def published(self) -> list[dict[str, Any]]:
        """What the platform itself has on record."""
        return self.practice.ledger(kind="published")

    def reopen_core(self) -> None:
        """Start the core again on the same data."""
        self.core = CoreProcess.start(self.core.data)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with (
        PracticeProcess.start(tmp_path / "practice") as practice,
        AgentProcess.start(tmp_path / "agent") as agent,
    ):
        world = World(tmp_path, practice, agent, CoreProcess.start(tmp_path / "core"))
        try:
            yield world
        finally:
            world.core.stop()
            if not world.agent.is_running:
                world.agent.process.wait()
            elif world.agent is not agent:
                world.agent.stop()
