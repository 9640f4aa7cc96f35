"""An agent inside the test's own loop, with scripted runners, and a desktop paired with it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.app import Agent, build_agent
from agent.presence import find_running
from agent.server.pairing import open_code
from agent.settings import load_settings
from common.security.pairing import PairingLine
from tests.support.agent_link import Paired, pair

_SMALL = {"host": "127.0.0.1", "port": 0, "ballast_mib": 1}
SCRIPTED = (sys.executable, "-m", "tests.support.scripted_runner")


@dataclass
class RunningAgent:
    """An open agent and its folder."""

    agent: Agent
    data: Path

    def line(self, *, take_over: bool = False, now: float | None = None) -> str:
        """A pairing line."""
        running = find_running(self.data)
        code = open_code(self.data, take_over=take_over, now=now)
        return str(PairingLine("127.0.0.1", running.port, running.agent_id, code))

    async def paired(self) -> Paired:
        """A desktop that owns the agent."""
        return await pair(self.line())


AgentStarter = Callable[..., AbstractAsyncContextManager[RunningAgent]]


@pytest.fixture
def start_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentStarter:
    """Starts an agent on one folder, as often as a test wants."""
    monkeypatch.setenv("CHROMIUM_PATH", sys.executable)

    @asynccontextmanager
    async def start(
        data: Path = tmp_path / "agent", **settings: Any
    ) -> AsyncIterator[RunningAgent]:
        chosen = load_settings(data, **{**_SMALL, **settings})
        async with build_agent(chosen, lambda _kind: SCRIPTED) as agent:
            await agent.open(None)
            yield RunningAgent(agent, data)

    return start


@pytest.fixture
async def running(start_agent: AgentStarter) -> AsyncIterator[RunningAgent]:
    """One running agent."""
    async with start_agent() as agent:
        yield agent


@pytest.fixture
async def paired(running: RunningAgent) -> Paired:
    """A desktop that owns the running agent."""
    return await running.paired()
