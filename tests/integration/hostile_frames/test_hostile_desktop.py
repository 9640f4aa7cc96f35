"""An agent is told hostile things by a desktop that has a token."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.hostile_frames.against_agent import Bombardment
from tests.integration.hostile_frames.against_bulk import BulkBombardment, send_whole
from tests.integration.hostile_frames.corpus import for_agent
from tests.integration.hostile_frames.mutations import PER_SIDE, Mutator
from tests.integration.hostile_frames.scripted_agent import ScriptedAgent
from tests.integration.hostile_frames.verdicts import MOST_GROWTH, Watcher
from tests.support.agent_items import a_login, an_account
from tests.support.agent_link import DesktopLink, open_bulk, pair

SEED = 20261123
BY_A_WATCHER = 2_500
BLOBS = 1_500


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[ScriptedAgent]:
    with ScriptedAgent.start(tmp_path / "agent") as running:
        yield running


@pytest.mark.timeout(240)
async def test_an_agent_outlives_a_hostile_desktop(agent: ScriptedAgent) -> None:
    owner, reader = await pair(agent.line()), await pair(agent.line())
    async with DesktopLink.open(owner) as link:
        first = a_login(an_account("before"))
        await link.accept(first)
        await link.until(lambda: "done" in link.states(first.item_id), "an item before")
    watcher = Watcher(agent.process.pid, agent.logs())
    watcher.begin()
    began = time.monotonic()
    mutator = Mutator(SEED, for_agent(), masks=True)
    attack = Bombardment(owner, mutator, watcher, SEED)
    attack.truth.cursor = link.cursor
    await attack.run(range(PER_SIDE))
    growth = watcher.growth()
    print(attack.tally.line("desktop against agent", SEED, time.monotonic() - began, growth))
    assert attack.tally.survived == PER_SIDE
    assert growth <= MOST_GROWTH

    watching = Bombardment(reader, Mutator(SEED + 1, for_agent(), masks=True), watcher, SEED + 1)
    await watching.run(range(BY_A_WATCHER))
    assert watching.truth.accepted == set()

    last = a_login(an_account("after"))
    async with DesktopLink.open(owner, attack.truth.cursor) as link:
        # The agent goes on behind the last event that was really acknowledged: no gap, no repeat.
        await link.accept(last)
        await link.until(lambda: "done" in link.states(last.item_id), "an item afterwards")
        assert link.seqs == sorted(set(link.seqs))
    assert agent.stop() == 0
    assert not watcher.defects()
    _require_honest_journal(agent.data, attack, {first.item_id, last.item_id})


@pytest.mark.timeout(120)
async def test_the_bulk_link_outlives_a_hostile_desktop(agent: ScriptedAgent) -> None:
    owner = await pair(agent.line())
    watcher = Watcher(agent.process.pid, agent.logs())
    watcher.begin()
    began = time.monotonic()
    attack = BulkBombardment(owner, SEED, watcher)
    await attack.run(BLOBS)
    growth = watcher.growth()
    print(attack.tally.line("desktop against bulk link", SEED, time.monotonic() - began, growth))
    assert growth <= MOST_GROWTH
    async with open_bulk(owner) as socket:
        assert await send_whole(socket, b"a healthy file" * 1000)
    assert agent.stop() == 0
    assert not watcher.defects()
    for path in (agent.data / "blobs").glob("??/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def _require_honest_journal(data: Path, attack: Bombardment, ours: set[str]) -> None:
    """The journal is whole, and holds no item that nobody handed over."""
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert journal.execute("PRAGMA foreign_key_check").fetchall() == []
        items = {row[0] for row in journal.execute("SELECT item_id FROM item")}
        actions = {row[0] for row in journal.execute("SELECT item_id FROM action")}
    assert attack.truth.accepted <= items
    assert items <= attack.truth.handed_over | ours
    assert actions <= items
