"""What the core does with items of which it cannot know whether the agent holds them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import Connection

from common.domain.states import ItemState
from common.errors import AgentUnreachableError
from common.protocol.messages import (
    AcceptItem,
    AskInventory,
    Inventory,
    InventoryRow,
    Request,
    Response,
)
from desktop_app.core.agent_work import AgentWork
from desktop_app.core.handover import Handover, InFlight
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import items
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched
from tests.support.stored import add_accounts, add_agent, add_run, upload_items
from tests.support.waiting import wait_until_async


class Agent:
    """The other end of a link: says what it holds, and breaks off when it is given work."""

    def __init__(self, agent_id: str, holds: Sequence[InventoryRow] = ()) -> None:
        self.agent_id = agent_id
        self.link = SimpleNamespace(address=None)
        self._holds = list(holds)

    async def request(self, request: Request, _seconds: float = 0.0) -> Response:
        if isinstance(request, AskInventory):
            return Inventory(id=request.id, rows=self._holds)
        assert isinstance(request, AcceptItem)
        raise AgentUnreachableError("The link broke.")

    def as_link(self) -> LiveLink:
        return cast("LiveLink", self)


@pytest.fixture
async def queued(store: Store) -> list[ItemRecord]:
    """Three items that wait for an agent."""

    def work(connection: Connection) -> list[ItemRecord]:
        agent_id = add_agent(connection, store.vault)
        ids = add_accounts(connection, store.vault, ["cove", "anchor", "quay"])
        new = [replace(item, claim=None) for item in upload_items(ids, agent_id)]
        run_id, _ = add_run(connection, new)
        return items.of_run(connection, run_id)

    return await store.write(work)


@contextlib.asynccontextmanager
async def at_work(store: Store, in_flight: InFlight, agent: Agent) -> AsyncIterator[None]:
    """A link to `agent` that the core works over."""
    work = AgentWork(agent.as_link(), store, in_flight, _ignore)
    running = asyncio.create_task(work.run(), name="work")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})


def _ignore(_touched: Touched) -> None:
    return


async def states(store: Store, found: Sequence[ItemRecord]) -> list[ItemState]:
    known = await store.read(partial(items.records, ids=[item.id for item in found]))
    return [known[item.id].state for item in found]


async def test_items_are_the_agents_until_it_has_said_what_it_holds(
    store: Store, queued: list[ItemRecord]
) -> None:
    in_flight = InFlight()
    agent_id = queued[0].agent_id or ""
    with pytest.raises(AgentUnreachableError):
        await Handover(store, in_flight, _ignore).hand_over_some(Agent(agent_id).as_link())
    assert all(item.id in in_flight for item in queued)
    for item in queued:
        await store.write(partial(items.want, ids=[item.id], wanted="cancelled"))
    held = InventoryRow(
        item_id=queued[0].id,
        run_id=queued[0].run_id,
        account_id=queued[0].account_id,
        attempt=1,
        state=ItemState.ASSIGNED,
        fence=1,
    )
    async with at_work(store, in_flight, Agent(agent_id, [held])):
        await wait_until_async(lambda: queued[0].id not in in_flight, "the comparison")
        async with in_flight.deciding:
            found = await states(store, queued)
    assert found == [ItemState.ASSIGNED, ItemState.CANCELLED, ItemState.CANCELLED]


async def test_a_wish_about_an_item_that_never_arrived_is_granted(
    store: Store, queued: list[ItemRecord]
) -> None:
    wishes = ["paused", "cancelled", "resumed"]
    for item, wish in zip(queued, wishes, strict=True):
        await store.write(partial(items.want, ids=[item.id], wanted=wish))

    async def are_granted() -> bool:
        known = await store.read(partial(items.records, ids=[item.id for item in queued]))
        return not any(item.wanted for item in known.values())

    async with at_work(store, InFlight(), Agent(queued[0].agent_id or "")):
        async with asyncio.timeout(10):
            while not await are_granted():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert await states(store, queued) == [
        ItemState.PAUSED,
        ItemState.CANCELLED,
        ItemState.QUEUED,
    ]
