"""A whole system: practice platform, agent and headless core, all real processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from common.domain.accounts import Platform
from common.domain.states import ItemState
from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import CoreOptions, connect
from desktop_app.contract.accounts import ImportAccounts
from desktop_app.contract.agents import PairAgent
from desktop_app.contract.changes import Delta, Watch
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import RunTask
from desktop_app.demo.processes import VoyageProcess, ask_pairing_line, end_process
from tests.support.practice_process import PracticeProcess

_IMPORT_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running system."""

    client: CoreClient
    practice: PracticeProcess
    data: Path
    """The core's data folder."""
    agent_pid: int


@asynccontextmanager
async def fleet(folder: Path, accounts: Sequence[dict[str, Any]]) -> AsyncIterator[Fleet]:
    """Start everything, seed and import `accounts`, and sign them in; end it all at the end."""
    async with AsyncExitStack() as stack:
        practice = stack.enter_context(PracticeProcess.start(folder / "practice"))
        practice.seed(accounts)
        agent = VoyageProcess(
            "agent",
            "agent.cli",
            ["run", "--data", str(folder / "agent"), "--host", "127.0.0.1", "--port", "0"],
            folder / "agent-process",
        )
        stack.push_async_callback(agent.stop)
        await agent.ready()
        client = await connect(
            CoreOptions(folder / "core", vault="key-file", key_file=folder / "keys" / "master.key")
        )
        stack.push_async_callback(end_process, client.endpoint.pid)
        await stack.enter_async_context(client)
        await stack.enter_async_context(_attended(client))
        line = await ask_pairing_line(folder / "agent")
        await client.pair_agent(PairAgent(line=SecretStr(line)))
        text = "\n".join(f"{each['username']}:{each['password']}" for each in accounts)
        await client.import_accounts(
            ImportAccounts(
                text=SecretStr(text),
                platform=Platform.PRACTICE,
                platform_url=practice.url,
                confirmed_authority=True,
            )
        )
        await run_task(client, "bulk_login", {}, accounts)
        yield Fleet(client, practice, folder / "core", agent.pid)


@asynccontextmanager
async def _attended(client: CoreClient) -> AsyncIterator[None]:
    """Stay connected, as a window would, so that an idle core does not end."""

    async def listen() -> None:
        async with client.changes() as changes:
            async for _ in changes:
                pass

    listening = asyncio.create_task(listen(), name="attending the core")
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def add_media(client: CoreClient, paths: Sequence[Path]) -> list[str]:
    """Add files to the library; returns their SHA-256s in order."""
    sha256s: list[str] = []
    for start in range(0, len(paths), _IMPORT_AT_ONCE):
        part = [str(path) for path in paths[start : start + _IMPORT_AT_ONCE]]
        sha256s += [row.sha256 for row in (await client.import_media(ImportMedia(paths=part))).rows]
    return sha256s


async def run_task(
    client: CoreClient,
    task: str,
    parameters: dict[str, Any],
    accounts: Sequence[dict[str, Any]],
    on_start: Callable[[str], None] = lambda _run_id: None,
) -> float:
    """Run a task over the accounts; returns the seconds until every item was seen done.

    `on_start` is told the run's id. Raises RuntimeError where an item ends otherwise.
    """
    usernames = [account["username"] for account in accounts]
    command = RunTask.model_validate(
        {"task": task, "parameters": parameters, "targets": {"usernames": usernames}}
    )
    began = time.perf_counter()
    started = await client.run_task(command)
    if started.run_id is None:
        raise RuntimeError(f"did not start: {started.preflight.problems[:3]}")
    on_start(started.run_id)
    async with client.changes(Watch(runs=[started.run_id])) as changes:
        states: dict[str, ItemState] = {}
        async for change in changes:
            rows = (
                [row for row in change.items if row.run_id == started.run_id]
                if isinstance(change, Delta)
                else (await client.run_items(started.run_id)).rows
            )
            states |= {row.id: row.state for row in rows}
            bad = [row for row in rows if row.state in (ItemState.FAILED, ItemState.NEEDS_OPERATOR)]
            if bad:
                raise RuntimeError(f"{bad[0].username}: {bad[0].error}")
            if set(states.values()) == {ItemState.DONE}:
                return time.perf_counter() - began
    raise RuntimeError("the core ended")
