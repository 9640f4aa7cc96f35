"""The agent dies in the middle of an upload and is started again on the same data."""

from __future__ import annotations

import psutil

from common.domain.states import ActionState, ItemState, LinkState
from desktop_app.contract.runs import ItemRow
from tests.support.child_process import has_ended
from tests.support.system import CONFIGURE, Member, System, needs_operator
from tests.support.waiting import wait_until_async

POSTS = 12
SLOW_MS = 2500
"""Long enough to find a post in `sending`, over several polls."""


async def test_post_on_its_way_is_never_sent_again_and_the_rest_goes_on(system: System) -> None:
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
        items = await system.until_nothing_moves(client, run_id)

        (doubtful,) = (item for item in items if item.username == "ada" and needs_operator(item))
        assert doubtful.action is ActionState.IN_DOUBT
        assert doubtful.error
        assert doubtful.error.advice
        steps = [entry.state for entry in (await client.item_ledger(doubtful.id)).entries]
        assert steps[-2:] == [ActionState.SENDING, ActionState.IN_DOUBT]
        # While it is in doubt, no other post of the account starts.
        assert system.published_once("ada") == 1
        changed = await system.control(client, run_id, "retry")
        assert doubtful.id not in changed.ids

        system.agent.stop()
        system.restart_agent()
        await system.until_link(client, LinkState.ONLINE)
        again = await system.until_nothing_moves(client, run_id)
        assert {item.id: item.action for item in again}[doubtful.id] is ActionState.IN_DOUBT
        assert system.published_once("ada") == 1
        # What the other account had on its way is in doubt at most; the rest of it went on.
        others = [item for item in again if item.username == "ben"]
        done = sum(item.state is ItemState.DONE for item in others)
        assert done <= system.published_once("ben") <= done + sum(map(needs_operator, others))


def _is_sending(item: ItemRow, username: str) -> bool:
    return item.username == username and item.action is ActionState.SENDING
