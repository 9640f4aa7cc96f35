"""The desktop ends in the middle of an upload: the agent finishes, and it is all there later."""

from __future__ import annotations

from collections import Counter

import pytest

from common.domain.states import ActionState, ItemState
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.runs import ItemRow
from tests.support.system import CONFIGURE, Member, System, states_of
from tests.support.waiting import wait_until_async

POSTS = 16


@pytest.mark.parametrize("end", ["killed", "closed"])
async def test_agent_finishes_alone_and_nothing_is_missing_or_twice(
    system: System, end: str
) -> None:
    async with system.core.client() as client:
        await system.pair(client)
        names = await system.enrol(client, [Member(username="ada"), Member(username="ben")])
        await system.sign_in(client, names)
        system.practice.fault("delay_ms", CONFIGURE, count=POSTS, delay_ms=100)
        run_id = await system.upload(client, names, await system.photos(client, POSTS // 2))
        await system.until_done(client, run_id, 3)
    if end == "killed":
        system.core.kill()
    else:
        assert system.core.stop() == 0
    assert len(system.published()) < POSTS

    await wait_until_async(lambda: len(system.published()) == POSTS, "all posts", seconds=40)
    system.reopen_core()

    async with system.core.client() as client:
        items = await system.until_at_rest(client, run_id)
        run = await client.run(run_id)
        assert states_of(items) == {ItemState.DONE: POSTS}
        assert run.ended_at is not None
        assert system.published_once() == POSTS
        await _everything_is_in_order(client, items)
        await _log_is_whole(client, run_id, items)


async def _everything_is_in_order(client: CoreClient, items: list[ItemRow]) -> None:
    """Every step of every post is there once, in the order in which it happened."""
    wanted = [ActionState.PLANNED, ActionState.PREPARED, ActionState.SENDING, ActionState.CONFIRMED]
    for item in items:
        entries = (await client.item_ledger(item.id)).entries
        steps = [entry.state for entry in entries]
        assert steps == wanted[-len(steps) :], f"{item.title}: {steps}"
        assert len(steps) >= len(wanted) - 1
        assert len({entry.seq for entry in entries}) == len(entries)
        assert [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
        assert entries[-1].remote_url == item.link


async def _log_is_whole(client: CoreClient, run_id: str, items: list[ItemRow]) -> None:
    """Every item has its lines, each once."""
    log = await client.run_log(run_id, limit=1_000_000)
    said = Counter((line.item_id, line.at, line.text) for line in log.lines)
    assert set(said.values()) == {1}
    assert {line.item_id for line in log.lines} == {item.id for item in items}
