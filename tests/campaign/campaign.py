"""One campaign from its first process to its verdict."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.campaign import evidence as found
from tests.campaign.crew import Operator
from tests.campaign.doubts import Doubts
from tests.campaign.evidence import Evidence
from tests.campaign.inside.failpoints import POINTS
from tests.campaign.ledger import Ledger
from tests.campaign.patience import came_true
from tests.campaign.plan import Plan
from tests.campaign.saboteur import Saboteur
from tests.campaign.schedule import Fault, Ground, draw
from tests.campaign.stage import LINES, Stage, stage
from tests.support.canaries import Allowed, Canaries
from tests.support.leftovers import describe

_LOGS_SECONDS = 10.0
_SHARE_UNDER_FIRE = 0.9
"""Faults come until this share of the posts is published; the rest shows that it ends well."""
Say = Callable[[str], None]


async def run(room: Path, plan: Plan, say: Say, *, keep: bool = False) -> Evidence:
    """Run a campaign in an empty folder and return what there is to judge.

    With `keep`, what lay on the machines' own disks is copied to `kept` before they are gone.
    """
    began = time.monotonic()
    canary = secrets.token_hex(10)
    passwords = {name: f"{canary}-{name}" for name in plan.usernames}
    async with stage(room, plan) as set_up, contextlib.AsyncExitStack() as undo:
        if keep:
            undo.callback(shutil.copytree, room / "disks", room / "kept", dirs_exist_ok=True)
        ledger = Ledger(set_up)
        operator = Operator(set_up, passwords, ledger)
        undo.push_async_callback(operator.aclose)
        ground = Ground(
            agents=plan.agents,
            lines=LINES,
            has_browser=plan.browser_accounts > 0,
            may_fill_disks=set_up.has_small_disks,
        )
        faults = draw(plan, ground)
        say(f"Seed {plan.seed}: {plan.publishes} posts, {plan.faults} faults.")
        sha256s = await operator.prepare()
        say(f"Ready after {time.monotonic() - began:.0f} s.")
        saboteur, doubts = Saboteur(set_up), Doubts(set_up, ledger)
        ran_out = False
        try:
            async with asyncio.timeout(plan.minutes * 60):
                await _under_fire(operator, saboteur, ledger, doubts, faults, sha256s, say)
        except TimeoutError:
            ran_out = True
            say(f"Not done after {plan.minutes:g} minutes.")
        await set_up.until_up()
        await _until_logs_are_there(set_up, operator)
        evidence = await _gather(set_up, operator, saboteur, ground, canary)
    return evidence(ran_out=ran_out, seconds=time.monotonic() - began)


async def _under_fire(
    operator: Operator,
    saboteur: Saboteur,
    ledger: Ledger,
    doubts: Doubts,
    faults: list[Fault],
    sha256s: list[str],
    say: Say,
) -> None:
    following = asyncio.create_task(ledger.follow(say), name="follow the ledger")
    doubting = asyncio.create_task(doubts.follow(), name="set up the doubtful posts")
    under_fire = operator.plan.publishes * _SHARE_UNDER_FIRE
    breaking = asyncio.create_task(
        saboteur.work(faults, lambda: ledger.published / under_fire), name="break things"
    )

    def share() -> float:
        for task in (breaking, doubting):
            if task.done():
                task.result()  # what kept it from going on is what ends the campaign
        return saboteur.share

    try:
        await operator.work(sha256s, share)
    finally:
        for task in (breaking, following, doubting):
            task.cancel()
        await asyncio.wait([breaking, following, doubting])


async def _until_logs_are_there(on: Stage, operator: Operator) -> None:
    """Logs come after the events; wait until they grow no more."""
    logs = on.core.folder / "logs"
    sizes: list[int] = []
    still_since = time.monotonic()

    def is_still() -> bool:
        nonlocal sizes, still_since
        now = [path.stat().st_size for path in sorted(logs.glob("run-*.jsonl"))]
        if now != sizes:
            sizes, still_since = now, time.monotonic()
        return time.monotonic() - still_since > 2.0

    await came_true(is_still, _LOGS_SECONDS)


async def _gather(
    on: Stage, operator: Operator, saboteur: Saboteur, ground: Ground, canary: str
) -> Callable[..., Evidence]:
    """End core and agents, and read everything; the platform is asked for its ledger last."""
    plan, room = on.plan, on.room
    agents = {agent.process.agent_id: agent.name for agent in on.agents}
    known = Canaries(
        {
            "password": canary,
            "agent key": (on.agents[0].folder / "agent-key").read_bytes(),
            "core token": on.core.process.endpoint.token.get_secret_value(),
        }
    )
    processes = [on.core.pid, *(agent.pid for agent in on.agents)]
    leaks = await asyncio.to_thread(known.in_processes, processes)
    statuses = await on.stop_desktop_and_agents()
    orphans = [describe(process) for process in await asyncio.to_thread(on.orphans)]
    allowed = [Allowed("agent key", "agent-0/data/agent-key", "the agent's own key; 0600")]
    leaks += await asyncio.to_thread(known.in_files, room / "disks", allowed)
    await on.platform.up.wait()
    ledger = await asyncio.to_thread(on.platform.process.ledger)
    folders = [agent.folder for agent in on.agents]
    journals = [(agent.name, agent.folder / "journal.sqlite") for agent in on.agents]
    logs, torn = found.read_logs(on.core.folder, folders)
    reached: set[str] = set()
    for name in ("core", *agents.values()):
        reached |= on.board(name).reached()
    return partial(
        Evidence,
        plan=plan,
        orders=operator.orders,
        posts=found.read_posts(ledger),
        platform_hits=found.read_platform_hits(ledger),
        items=found.read_items(on.core.folder / "flotilla.db", agents),
        actions=[each for name, file in journals for each in found.read_actions(name, file)],
        fences=[each for name, file in journals for each in found.read_fences(name, file)],
        logs=logs,
        torn_lines=torn,
        post_counts=found.read_post_counts(on.core.folder / "flotilla.db"),
        happened=saboteur.happened,
        attendance=operator.attendance,
        reached=frozenset(reached),
        wanted_points=frozenset(
            point.name for point in POINTS if ground.has_browser or not point.needs_browser
        ),
        orphans=orphans,
        leaks=leaks,
        parts=found.read_parts(folders),
        statuses=statuses,
        has_small_disks=on.has_small_disks,
        lines=LINES,
    )
