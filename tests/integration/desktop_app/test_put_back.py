"""A store that is put back from a copy publishes nothing twice, whoever is there to notice."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from common.domain.states import ItemState, LinkState
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import MoveAccounts
from desktop_app.contract.agents import AgentRow, PairAgent
from tests.integration.desktop_app.conftest import DEADLINE_SECONDS, POLL_SECONDS, World
from tests.support.agent_process import AgentProcess

pytestmark = pytest.mark.timeout(180)


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await fact():  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


async def agent_row(client: CoreClient, agent_id: str) -> AgentRow:
    return next(row for row in (await client.agents()).rows if row.id == agent_id)


async def until_online(client: CoreClient, *agents: AgentProcess) -> None:
    async def are_online() -> bool:
        rows = [await agent_row(client, agent.agent_id) for agent in agents]
        return all(row.link is LinkState.ONLINE for row in rows)

    await until(are_online)


async def publish_in_a_life_that_is_lost(world: World, second: AgentProcess) -> tuple[str, Path]:
    """Publish two posts of which a copy knows only that they wait; return the run and the copy."""
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        await client.pair_agent(PairAgent(line=SecretStr(second.pair_line())))
        await until_online(client, second)
        photos = await world.add_photos(client, 1)
        world.agent.stop()
        run_id = await world.upload(client, photos)
    world.core.stop()
    copy = world.folder / "copy-of-the-core"
    shutil.copytree(world.core.data, copy)
    world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))
    world.reopen_core()
    async with world.core.client() as client:
        await until_online(client, second)
        await world.until_ended(client, run_id)
    world.agent.stop()
    world.core.stop()
    return run_id, copy


async def test_what_a_lost_life_published_is_not_published_by_an_agent_that_did_not_see_it(
    world: World, tmp_path: Path
) -> None:
    with AgentProcess.start(tmp_path / "second") as second:
        run_id, copy = await publish_in_a_life_that_is_lost(world, second)
        shutil.rmtree(world.core.data)
        copy.rename(world.core.data)
        world.reopen_core()
        async with world.core.client() as client:

            async def waits_for_the_first() -> bool:
                notice = (await agent_row(client, second.agent_id)).notice
                return notice is not None and "has to be compared first" in notice.message

            await until(waits_for_the_first)
            ids = [row.id for row in (await client.accounts()).rows]
            moved = await client.move_accounts(MoveAccounts(ids=ids, agent_id=second.agent_id))
            assert sorted(moved.moved) == sorted(ids), "the copy says that nobody has anything"
            waiting = (await client.run_items(run_id)).rows
            assert {item.state for item in waiting} == {ItemState.QUEUED}
            world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))
            items = await world.until_ended(client, run_id)
        assert {item.state for item in items} == {ItemState.DONE}
        posts = Counter(post["account"] for post in world.published())
        assert set(posts.values()) == {1}, posts
