"""A bench agent, and a real core that is paired with it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from agent.presence import find_running
from agent.server.pairing import open_code
from common.domain.accounts import Platform
from common.security.pairing import PairingLine
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import ImportAccounts
from desktop_app.contract.agents import PairAgent
from desktop_app.contract.runs import RunTask, Targets
from tests.bench.mix import ITEMS
from tests.support.core_process import CoreProcess

_START_SECONDS = 40.0
_ANSWER_SECONDS = 600.0
_POLL_SECONDS = 0.02


@dataclass
class BenchAgent:
    """A running agent that reports what it is told to."""

    data: Path
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def line(self) -> str:
        """A pairing line."""
        running = find_running(self.data)
        code = open_code(self.data)
        return str(PairingLine("127.0.0.1", running.port, running.agent_id, code))

    async def tell(self, command: str) -> float:
        """Give one command and wait for the seconds it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n".encode())
        async with asyncio.timeout(_ANSWER_SECONDS):
            return float(await self.process.stdout.readline())


@contextlib.asynccontextmanager
async def bench_agent(folder: Path) -> AsyncIterator[BenchAgent]:
    """Start an agent; end it with the block."""
    data, ready = folder / "agent", folder / "agent.ready.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench_agent", str(data), str(ready)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not ready.exists():  # noqa: ASYNC110 - a file has no event to wait for
                await asyncio.sleep(_POLL_SECONDS)
        json.loads(ready.read_bytes())
        yield BenchAgent(data, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), _START_SECONDS)


async def give_items(client: CoreClient, agent: BenchAgent) -> None:
    """Pair, and hand over items of as many accounts; wait until the agent has them all."""
    await client.pair_agent(PairAgent(line=SecretStr(agent.line())))
    names = [f"shop.{number:03d}" for number in range(ITEMS)]
    await client.import_accounts(
        ImportAccounts(
            text=SecretStr("\n".join(f"{name}:pass-word-{name}" for name in names)),
            platform=Platform.PRACTICE,
            platform_url="http://127.0.0.1:1",
            confirmed_authority=True,
        )
    )
    started = await client.run_task(
        RunTask(task="bulk_login", parameters={"force": True}, targets=Targets(usernames=names))
    )
    assert started.run_id, started.preflight.problems
    async with asyncio.timeout(_START_SECONDS):
        while not (await client.run(started.run_id)).handed_over:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(_POLL_SECONDS)


def core(folder: Path) -> CoreProcess:
    """Start a core on the folder's store."""
    return CoreProcess.start(folder / "core")
