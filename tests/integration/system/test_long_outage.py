"""An agent that was long out of reach brings all that it has to tell; meanwhile all goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState, LinkState
from common.protocol.events import ActionChanged
from desktop_app.client.core_client import CoreClient
from desktop_app.store.folder import StoreFolder
from tests.support.relay import Relay, relay_to
from tests.support.system import Member, System, running_system, states_of

pytestmark = pytest.mark.timeout(300)

BACKLOG = 100_000
MOST_GROWTH = 64 * 1024 * 1024
"""Bytes by which either side may grow meanwhile."""
USERNAMES = ["ada", "ben"]
SECONDS = 200.0
POLL_SECONDS = 0.1


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path, browser_slots="0") as running:
        yield running


async def test_a_long_backlog_arrives_whole_and_in_order_while_the_desktop_answers(
    system: System,
) -> None:
    async with relay_to(system.agent.port) as relay, system.core.client() as client:
        await pair_over(relay, system, client)
        first = await publish(system, client)
        relay.take_down()
        await system.until_link(client, LinkState.DISCONNECTED, LinkState.SUSPECT)
        assert system.agent.stop() == 0
        backlog = await asyncio.to_thread(write_backlog, system.agent.data, BACKLOG)
        system.restart_agent()

        grown = Growth.of(system)
        answers = 0
        relay.bring_up()
        async with asyncio.timeout(SECONDS):
            while (cursor := cursor_of(system)) < backlog.last:
                # What a window asks for all the time.
                assert (await client.overview()).accounts == len(USERNAMES)
                assert (await client.runs()).total
                answers += backlog.first < cursor
                grown.look()
                await asyncio.sleep(POLL_SECONDS)
        grown.look()
        print(f"{BACKLOG} events; {answers} answers meanwhile; {grown}")
        assert answers, "the desktop answered while the backlog came"
        assert grown.core <= MOST_GROWTH
        assert grown.agent <= MOST_GROWTH

        # Nothing of it undid what had been there before, and new work comes after it.
        items = (await client.run_items(first)).rows
        assert states_of(items) == {ItemState.DONE: len(USERNAMES)}
        await publish(system, client)
        assert {row.posts for row in (await client.accounts()).rows} == {2}
    assert system.published_once() == 2 * len(USERNAMES)
    # Each was kept once, with the reason why it changes nothing; the steps are in the ledger too.
    assert stored_seqs(system, "unapplied_event", backlog) == backlog.all
    assert stored_seqs(system, "ledger_step", backlog) == backlog.steps


async def pair_over(relay: Relay, system: System, client: CoreClient) -> None:
    """Pair over the relay, and bring in signed-in accounts."""
    line = (await asyncio.to_thread(system.agent.pair_line)).replace(
        f":{system.agent.port}/", f":{relay.port}/"
    )
    await system.pair(client, line)
    await system.enrol(client, [Member(username=name) for name in USERNAMES])
    await system.sign_in(client, USERNAMES)


async def publish(system: System, client: CoreClient) -> str:
    """Publish a new photo on every account; returns the run."""
    run_id = await system.upload(client, USERNAMES, await system.photos(client, 1))
    items = await system.until_at_rest(client, run_id)
    assert states_of(items) == {ItemState.DONE: len(USERNAMES)}
    return run_id


@dataclass(frozen=True)
class Backlog:
    """The numbers of the events that wait."""

    all: list[int]
    steps: list[int]
    """Those of steps of posts."""

    @property
    def first(self) -> int:
        return self.all[0]

    @property
    def last(self) -> int:
        return self.all[-1]


def write_backlog(data: Path, count: int) -> Backlog:
    """Write events into the outbox of an agent that does not run.

    Half of them are steps of posts that are done, half are of a kind that no desktop knows: each
    has to be kept, and none may change what is known.
    """
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as journal, journal:
        things = journal.execute(
            "SELECT action_id, item_id, item.account_id FROM action JOIN item USING (item_id)"
        ).fetchall()
        bodies = [
            ActionChanged(
                action_id=action_id,
                item_id=item_id,
                attempt=1,
                account_id=account_id,
                operation="publish",
                state=ActionState.SENDING,
                driver=DriverName.PRIVATE_API,
                note="told late",
            ).model_dump_json()
            for action_id, item_id, account_id in things
        ]
        steps = len(bodies)
        bodies += [json.dumps({"t": "from_a_newer_agent", "words": "x" * 300})] * steps
        journal.executemany(
            "INSERT INTO outbox (at, body) VALUES (?, ?)",
            ((float(number), bodies[number % len(bodies)]) for number in range(count)),
        )
        written = journal.execute("SELECT seq FROM outbox WHERE at < ? ORDER BY at", (count,))
        seqs = [seq for (seq,) in written]
    assert len(seqs) == count
    return Backlog(seqs, [seq for at, seq in enumerate(seqs) if at % len(bodies) < steps])


def cursor_of(system: System) -> int:
    """How far the store has taken the agent's events."""
    with reading(system) as store:
        (seq,) = store.execute("SELECT cursor_seq FROM agent").fetchone()
    return int(seq)


def stored_seqs(system: System, table: str, backlog: Backlog) -> list[int]:
    """The numbers of the backlog's events that the store has in a table, as they were written."""
    with reading(system) as store:
        rows = store.execute(
            f"SELECT seq FROM {table} WHERE seq BETWEEN ? AND ? ORDER BY rowid",
            (backlog.first, backlog.last),
        )
        return [seq for (seq,) in rows]


def reading(system: System) -> contextlib.closing[sqlite3.Connection]:
    """The core's database, to read beside it."""
    uri = f"file:{StoreFolder(system.core.data).database}?mode=ro"
    return contextlib.closing(sqlite3.connect(uri, uri=True))


@dataclass
class Growth:
    """By how many bytes core and agent have grown at most."""

    processes: tuple[psutil.Process, psutil.Process]
    before: tuple[int, int]
    core: int = 0
    agent: int = 0

    @classmethod
    def of(cls, system: System) -> Growth:
        core = psutil.Process(system.core.process.pid)
        agent = psutil.Process(system.agent.process.pid)
        return cls((core, agent), (core.memory_info().rss, agent.memory_info().rss))

    def look(self) -> None:
        """Take note of how large they are now."""
        core, agent = (process.memory_info().rss for process in self.processes)
        self.core = max(self.core, core - self.before[0])
        self.agent = max(self.agent, agent - self.before[1])

    def __str__(self) -> str:
        return f"core {self.core / 2**20:+.1f} MiB, agent {self.agent / 2**20:+.1f} MiB"
