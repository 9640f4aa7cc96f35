"""The agent's own program, told by its standard input what to report; for the benchmarks.

Its runners take items and do nothing with them, so that the items stay as they are.

Usage: python -m tests.bench.bench_agent DATA READY_FILE. Commands, one a line, each answered by a
line: `report N` makes N events, writes them, a hundred to a commit, and answers with the seconds
from the first write until a desktop has acknowledged them all; `store N` writes them and answers
at once; `replayed` answers with the seconds from the next link until everything is acknowledged.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.app import Agent, build_agent
from agent.jobs.journal import Transaction
from agent.runners import pipe
from agent.runners.messages import TO_RUNNER, RunnerReady, StopRunner
from agent.settings import load_settings
from common.infra.logs import start_logging
from common.infra.memory import set_aside_what_is_loaded
from common.infra.paths import make_data_folder
from common.protocol.events import AgentEvent
from common.security.redaction import Redactor
from tests.bench.mix import BATCH, event_of

_LOOK_SECONDS = 0.002
_RUNNER = (sys.executable, "-m", "tests.bench.bench_agent", "runner")


class _Reporter:
    def __init__(self, agent: Agent) -> None:
        self._context = agent.context
        self._things: list[tuple[str, str]] = []

    async def carry_out(self, line: str) -> float:
        verb, _, number = line.strip().partition(" ")
        if verb == "replayed":
            await self._until(lambda: self._context.links.count > 0)
            began = time.perf_counter()
        else:
            events = await self._make(int(number))
            began = time.perf_counter()
            await self._write(events)
        if verb != "store":
            await self._until(lambda: self._context.outbox.depth == 0)
        return time.perf_counter() - began

    async def _make(self, count: int) -> list[AgentEvent]:
        self._things = await self._context.journal.write(_things)
        return [event_of(self._things, number) for number in range(count)]

    async def _write(self, events: list[AgentEvent]) -> None:
        for start in range(0, len(events), BATCH):
            some = events[start : start + BATCH]
            await self._context.journal.write(lambda work, some=some: _append(work, some))

    async def _until(self, fact: Callable[[], bool]) -> None:
        while not fact():  # noqa: ASYNC110 - the agent has no event for it
            await asyncio.sleep(_LOOK_SECONDS)


def _things(transaction: Transaction) -> list[tuple[str, str]]:
    return transaction.execute("SELECT item_id, account_id FROM item").fetchall()


def _append(transaction: Transaction, events: Sequence[AgentEvent]) -> None:
    for event in events:
        transaction.append(event)


async def _run(data: Path, ready_file: Path) -> None:
    start_logging(Redactor(), make_data_folder(data) / "agent.log", console=False)
    settings = load_settings(data, host="127.0.0.1", port=0, browser_slots=0)
    async with build_agent(settings, lambda _kind: _RUNNER) as agent:
        await agent.open(ready_file)
        set_aside_what_is_loaded()
        reporter = _Reporter(agent)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(await reporter.carry_out(line), flush=True)


async def _idle() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.buffer.write(pipe.pack_json(RunnerReady(pid=0).model_dump_json()))
    sys.stdout.buffer.flush()
    while isinstance(body := await pipe.read(reader), bytes):
        if isinstance(TO_RUNNER.validate_json(body), StopRunner):
            return


if __name__ == "__main__":
    if sys.argv[1] == "runner":
        asyncio.run(_idle())
    else:
        asyncio.run(_run(Path(sys.argv[1]), Path(sys.argv[2])))
