"""The agent dies in the middle of an upload and is started again on the same data."""

from __future__ import annotations

import psutil

from common.domain.states import ActionState, ItemState
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.runs import ItemRow
from tests.support.child_process import has_ended
from tests.support.system import CONFIGURE, Member, System, states_of
from tests.support.waiting import wait_until_async

POSTS = 12
SLOW_MS = 2500
"""Long enough to find a post in `sending`, over several polls."""


async def test_post_on_its_way_is_found_and_everything_is_there_once(system: System) -> None:
    async with system.core.client() as client:
        await system.pair(client)
        names = await system.enrol(client, [Member(username="ada"), Member(username="ben")])
        await system.sign_in(client, names)
        photos = await system.photos(client, POSTS // 2)
        system.practice.fault("delay_ms", CONFIGURE, account="ada", count=1, delay_ms=SLOW_MS)
        run_id = await system.upload(client, names, photos)
        await system.until(
            client,
            run_id,
            lambda items: (
                any(_is_sending(item, "ada") for item in items)
                and any(item.state is ItemState.DONE for item in items)
            ),
            "ada's post is being sent",
        )
        children = psutil.Process(system.agent.process.pid).children(recursive=True)
        assert children

        system.agent.kill()
        # A runner without its agent ends by itself, not only when the next agent reaps it.
        # Its own deadlines for closing what it holds add up to less than this.
        await wait_until_async(
            lambda: all(has_ended(child) for child in children), "the runners' end", seconds=30
        )
        # The request had left: the platform publishes it although nobody hears the answer.
        await wait_until_async(lambda: system.published("ada"), "the post at the platform")
        system.restart_agent()
        items = await system.until_at_rest(client, run_id)

        assert states_of(items) == {ItemState.DONE: POSTS}
        assert system.published_once("ada") == system.published_once("ben") == POSTS // 2
        (doubted,) = [
            steps
            for steps in [await _steps(client, item) for item in items if item.username == "ada"]
            if ActionState.IN_DOUBT in steps
        ]
        assert doubted[-4:] == [
            ActionState.SENDING,
            ActionState.IN_DOUBT,
            ActionState.RECONCILING,
            ActionState.CONFIRMED,
        ]


async def _steps(client: CoreClient, item: ItemRow) -> list[ActionState]:
    return [entry.state for entry in (await client.item_ledger(item.id)).entries]


def _is_sending(item: ItemRow, username: str) -> bool:
    return item.username == username and item.action is ActionState.SENDING
