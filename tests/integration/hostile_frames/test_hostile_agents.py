"""A desktop is told hostile things by agents that it is paired with."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from common.domain.states import LinkState
from desktop_app.client.core_client import CoreClient
from desktop_app.store import media
from desktop_app.store.folder import StoreFolder
from desktop_app.store.store import Store
from tests.integration.hostile_frames.against_desktop import Feed, HostileAgent
from tests.integration.hostile_frames.corpus import for_desktop
from tests.integration.hostile_frames.mutations import PER_SIDE, Mutator
from tests.integration.hostile_frames.verdicts import MOST_GROWTH, Watcher, forbidden_characters
from tests.support.core_process import CoreProcess
from tests.support.stored import (
    PHOTO,
    add_accounts,
    add_listening_agent,
    add_run,
    open_test_store,
    upload_items,
)
from tests.support.waiting import wait_until_async

SEED = 20261124
AGENTS = 24
ITEMS = 3
"""Handed over to each agent."""
SECONDS = 250.0


@pytest.mark.timeout(330)
async def test_a_desktop_outlives_hostile_agents(tmp_path: Path) -> None:
    data = tmp_path / "core"
    hostile = [HostileAgent(tmp_path / f"agent-{number}", number, None) for number in range(AGENTS)]
    honest, *attackers = hostile
    async with contextlib.AsyncExitStack() as stack:
        for agent in hostile:
            await stack.enter_async_context(agent.listening())
        run_ids = await asyncio.to_thread(_prepare, data, hostile)
        with CoreProcess.start(data) as core:
            async with core.client() as client:
                await wait_until_async(
                    lambda: all(len(agent.items) == ITEMS for agent in hostile),
                    "every agent has its items",
                    seconds=60,
                )
                watcher = Watcher(core.process.pid, [data.with_name("core.output.log")])
                watcher.begin()
                feed = Feed(
                    Mutator(SEED, for_desktop(), masks=False),
                    watcher,
                    SEED,
                    deque(range(PER_SIDE)),
                    PER_SIDE,
                )
                began = time.monotonic()
                for agent in attackers:
                    agent.feed = feed
                    await agent.hang_up()
                async with asyncio.timeout(SECONDS):
                    await feed.done.wait()
                assert not feed.failure, feed.failure
                growth = watcher.growth()
                print(
                    feed.tally.line(
                        "agents against desktop", SEED, time.monotonic() - began, growth
                    )
                )
                assert growth <= MOST_GROWTH
                # One that behaved was never disturbed by the others.
                assert honest.sessions == 1
                await _do_honest_work(client, hostile)
                await _require_plain_texts(client, run_ids)
            assert core.stop() == 0
        assert not watcher.defects()
    _require_honest_store(StoreFolder(data).database, len(hostile))


def _prepare(data: Path, hostile: list[HostileAgent]) -> list[str]:
    """A store that is paired with all of them, and has work for each; returns its runs."""
    store = open_test_store(data)
    try:
        return asyncio.run(_fill(store, hostile))
    finally:
        store.close()


async def _fill(store: Store, hostile: list[HostileAgent]) -> list[str]:
    def work(connection: Connection) -> list[str]:
        media.insert(connection, [PHOTO])
        runs = []
        for number, agent in enumerate(hostile):
            add_listening_agent(
                connection,
                store.vault,
                agent_id=agent.identity.agent_id,
                name=agent.name,
                port=agent.port,
                certificate=agent.certificate,
            )
            names = [f"shop-{number}-{account}" for account in range(ITEMS)]
            accounts = add_accounts(connection, store.vault, names)
            run_id, _ = add_run(connection, upload_items(accounts, agent.identity.agent_id))
            runs.append(run_id)
        return runs

    return await store.write(work)


async def _do_honest_work(client: CoreClient, hostile: list[HostileAgent]) -> None:
    """Every agent, hostile before or not, links, reports, and is believed."""
    for agent in hostile:
        agent.feed = None
    await _until_all_online(client)
    for agent in hostile:
        for item_id in list(agent.items):
            await agent.report_done(item_id)


async def _until_all_online(client: CoreClient) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            rows = (await client.agents()).rows
            if all(row.link is LinkState.ONLINE for row in rows):
                return
            await asyncio.sleep(0.1)


async def _require_plain_texts(client: CoreClient, run_ids: list[str]) -> None:
    """Nothing that the core shows could mislead whoever reads it."""
    shown: list[Any] = [(await client.agents()).model_dump(), (await client.runs()).model_dump()]
    shown.append((await client.accounts()).model_dump())
    for run_id in run_ids:
        items = (await client.run_items(run_id)).rows
        shown += [item.model_dump() for item in items]
        shown += [(await client.item_ledger(item.id)).model_dump() for item in items]
    assert forbidden_characters(_texts(shown)) == []


def _texts(value: Any, where: str = "") -> Iterable[str]:
    """Every text in a structure, with the names of the fields that lead to it."""
    if isinstance(value, str):
        yield f"{where}: {value}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, where)


def _require_honest_store(database: Path, count: int) -> None:
    """The store is whole; nothing in it was invented, and every honest word of the end is there."""
    with contextlib.closing(sqlite3.connect(database)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []
        for table, expected in (
            ("agent", count),
            ("account", count * ITEMS),
            ("item", count * ITEMS),
        ):
            assert store.execute(f"SELECT count(*) FROM {table}").fetchone() == (expected,), table
        assert store.execute("SELECT count(*) FROM publish_intent").fetchone() == (count * ITEMS,)
        # A post was published only where its agent said so of its own item.
        astray = store.execute(
            "SELECT count(*) FROM ledger_step s JOIN item i ON i.id = s.item_id"
            " WHERE s.agent_id <> i.agent_id"
        )
        assert astray.fetchone() == (0,)
