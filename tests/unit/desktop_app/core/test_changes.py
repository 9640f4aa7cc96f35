"""Clients are told what changed: coalesced, in order, or told to read anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from common.domain.accounts import DriverName
from common.domain.states import ItemState
from desktop_app.contract.changes import Closing, Delta, Reset, Watch
from desktop_app.contract.runs import ItemRow
from desktop_app.core.changes import MOST_ROWS, QUEUE_DELTAS, ChangeHub, Dirty, Subscriber
from desktop_app.core.tasks import end_all
from desktop_app.store.touched import ItemMove, Touched


def item(item_id: str, run_id: str) -> ItemRow:
    return ItemRow(
        id=item_id, run_id=run_id, position=0, account_id="a", username="u", agent_id=None,
        title="t", state=ItemState.RUNNING, attempt=1, driver=DriverName.PRIVATE_API,
    )  # fmt: skip


class Told:
    """A collector that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Dirty] = []

    async def collect(self, dirty: Dirty, watched: frozenset[str]) -> Delta:
        self.asked.append(dirty)
        rows = [item(id_, run) for id_, run in dirty.items.items() if run in watched]
        return Delta(revision=0, items=rows, log_sizes=dirty.log_sizes)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def hub(told: Told) -> AsyncIterator[ChangeHub]:
    hub = ChangeHub(told.collect)
    task = asyncio.create_task(hub.run())
    yield hub
    await end_all([task])


async def next_change(client: Subscriber) -> Delta | Reset | Closing:
    async with asyncio.timeout(10):
        return await client.next()


def moved(item_id: str, run_id: str) -> Touched:
    return Touched.moved([ItemMove(item_id, run_id, ItemState.ASSIGNED, ItemState.RUNNING)])


async def test_a_client_begins_by_reading_everything(hub: ChangeHub) -> None:
    revision = hub.touch(Touched(accounts=frozenset({"a"})))
    with hub.subscription() as client:
        assert await next_change(client) == Reset(revision=revision)


async def test_many_changes_become_one_delta_with_the_last_revision(
    hub: ChangeHub, told: Told
) -> None:
    with hub.subscription() as client:
        await next_change(client)
        revisions = [hub.touch(Touched(accounts=frozenset({f"a{n}"}))) for n in range(50)]
        delta = await next_change(client)
    assert delta.revision == revisions[-1]
    assert len(told.asked) == 1
    assert len(told.asked[0].accounts) == 50


async def test_items_go_only_to_those_who_watch_their_run(hub: ChangeHub) -> None:
    with hub.subscription() as one, hub.subscription() as other:
        one.watch, other.watch = Watch(runs=["r1"]), Watch(runs=["r2"])
        await next_change(one), await next_change(other)
        hub.touch(moved("i1", "r1") | moved("i2", "r2") | moved("i3", "r3"))
        hub.touch_log("r2", 77)
        first, second = await next_change(one), await next_change(other)
    assert isinstance(first, Delta)
    assert isinstance(second, Delta)
    assert [row.id for row in first.items] == ["i1"]
    assert [row.id for row in second.items] == ["i2"]
    assert first.log_sizes == {}
    assert second.log_sizes == {"r2": 77}


async def test_a_client_that_does_not_keep_up_reads_everything_again() -> None:
    client = Subscriber(1)
    for revision in range(2, QUEUE_DELTAS + 3):
        client.push(Delta(revision=revision))
    assert await next_change(client) == Reset(revision=QUEUE_DELTAS + 1)
    assert await next_change(client) == Delta(revision=QUEUE_DELTAS + 2)


async def test_more_rows_than_are_worth_pushing_are_read_again(hub: ChangeHub, told: Told) -> None:
    with hub.subscription() as client:
        await next_change(client)
        many = frozenset(str(number) for number in range(MOST_ROWS + 1))
        revision = hub.touch(Touched(accounts=many))
        assert await next_change(client) == Reset(revision=revision)
    assert told.asked == []


async def test_a_core_that_ends_says_why(hub: ChangeHub) -> None:
    with hub.subscription() as client:
        await next_change(client)
        hub.close("Signal SIGTERM.")
        assert await next_change(client) == Closing(reason="Signal SIGTERM.")


async def test_overviews_are_rarer_than_deltas_and_the_last_one_comes(
    hub: ChangeHub, told: Told
) -> None:
    with hub.subscription() as client:
        await next_change(client)
        for number in range(3):
            hub.touch(Touched(accounts=frozenset({str(number)})))
            await next_change(client)
        await next_change(client)  # nothing but the overview that was put off
    assert [dirty.overview for dirty in told.asked] == [True, False, False, True]
