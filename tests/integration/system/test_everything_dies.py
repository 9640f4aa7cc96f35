"""Core, runner and agent die in turn, each at a bad moment of one run."""

from __future__ import annotations

import psutil

from common.domain.states import ActionState, ItemState
from tests.support.system import AT_REST, CONFIGURE, Member, System, needs_operator

PHOTOS = 8


async def test_run_ends_with_every_post_once_or_in_doubt(system: System) -> None:
    async with system.core.client() as client:
        await system.pair(client)
        names = await system.enrol(client, [Member(username="ada"), Member(username="ben")])
        await system.sign_in(client, names)
        photos = await system.photos(client, PHOTOS)
        system.practice.fault("delay_ms", CONFIGURE, count=200, delay_ms=150)
        run_id = await system.upload(client, names, photos)
    # Right behind the start: nothing, a part or all of it is handed over.
    system.core.kill()
    system.reopen_core()

    async with system.core.client() as client:
        await system.until_done(client, run_id, 2)
        for child in psutil.Process(system.agent.process.pid).children(recursive=True):
            child.kill()
        await system.until(
            client,
            run_id,
            lambda items: (
                sum(item.state in AT_REST for item in items) >= 4
                or all(item.state is not ItemState.RUNNING for item in items)
            ),
            "it goes on without the runner",
        )
        system.agent.kill()
        system.core.kill()
    system.restart_agent()
    system.reopen_core()

    async with system.core.client() as client:
        items = await system.until_nothing_moves(client, run_id)
        doubtful = [item for item in items if needs_operator(item)]
        done = [item for item in items if item.state is ItemState.DONE]
        assert {item.action for item in doubtful} <= {ActionState.IN_DOUBT}
        assert len(done) <= system.published_once() <= len(done) + len(doubtful)
        links = [item.link for item in done]
        assert len(set(links)) == len(links)
        posts = {record["post_code"] for record in system.published()}
        assert all(any(code in link for code in posts) for link in links)
