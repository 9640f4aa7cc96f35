"""(e) Durable events end to end, and a backlog of 100,000, against a bare outbox on the same disk.

Ours: the agent's journal and outbox, the pinned link, and the core's store; events as a publish
reports them. The baseline moves the same events through two SQLite files and one WebSocket, reads
and notes each, and tells nobody. Targets: 0.5 of the baseline live, 0.7 of its backlog. Beside it,
for information: the same baseline where it keeps texts and looks into none.
"""

import asyncio
import statistics
import sys
from pathlib import Path

from tests.bench.bench_system import bench_agent, core, give_items
from tests.bench.report import Figure

LIVE = 30_000
BACKLOG = 100_000
ROUNDS = 3


async def measure(folder: Path) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    live, bare_live, text_live = [], [], []
    async with bench_agent(folder) as agent:
        with core(folder) as running:
            async with running.client() as client:
                await give_items(client, agent)
                for number in range(ROUNDS):
                    bare_live.append(LIVE / await _bare(folder / f"live-{number}", LIVE, "live"))
                    text = _bare(folder / f"text-{number}", LIVE, "live", "text")
                    text_live.append(LIVE / await text)
                    live.append(LIVE / await agent.tell(f"report {LIVE}"))
        await agent.tell(f"store {BACKLOG}")
        bare_replay = BACKLOG / await _bare(folder / "backlog", BACKLOG, "backlog")
        text_replay = BACKLOG / await _bare(folder / "texts", BACKLOG, "backlog", "text")
        telling = asyncio.create_task(agent.tell("replayed"), name="replay")
        with await asyncio.to_thread(core, folder) as running:
            async with running.client():
                replay = BACKLOG / await telling
    live_ratio = statistics.median(o / b for o, b in zip(live, bare_live, strict=True))
    replay_ratio = replay / bare_replay
    return [
        Figure("bare outbox, events per second", statistics.median(bare_live)),
        Figure("the same with texts only", statistics.median(text_live)),
        Figure("agent to store, events per second", statistics.median(live)),
        Figure("live against the bare outbox", live_ratio, ">= 0.50", live_ratio >= 0.5),
        Figure("bare backlog, events per second", bare_replay),
        Figure("the same with texts only", text_replay),
        Figure("backlog of 100,000, events per second", replay),
        Figure("backlog against the bare one", replay_ratio, ">= 0.70", replay_ratio >= 0.7),
    ]


async def _bare(folder: Path, count: int, kind: str, take: str = "values") -> float:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.bench.bare_outbox"]
    sender = await asyncio.create_subprocess_exec(
        *(*command, "send", str(folder), str(count), kind), stdout=asyncio.subprocess.PIPE
    )
    assert sender.stdout is not None
    port = (await sender.stdout.readline()).decode().strip()
    receiver = await asyncio.create_subprocess_exec(*(*command, "receive", str(folder), port, take))
    output, _ = await sender.communicate()
    await receiver.wait()
    return float(output)
