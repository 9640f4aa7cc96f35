"""From pairing to published posts, and through crashes: the operator's side of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from common.domain.states import ActionState, ItemState, LinkState
from common.domain.transitions import ITEM_FINAL
from common.errors import NotFoundError
from desktop_app.contract.changes import Delta, Reset, Watch
from desktop_app.contract.runs import ControlRun, RunTask, Targets
from tests.integration.desktop_app.conftest import World
from tests.support.agent_process import AgentProcess

pytestmark = pytest.mark.timeout(180)


async def test_posts_are_published_once_each_and_the_ledger_shows_it(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=3)
        await world.sign_in(client)
        run_id = await world.upload(client, await world.add_photos(client, 2))

        items = await world.until_ended(client, run_id)

        assert Counter(item.state for item in items) == {ItemState.DONE: 6}
        assert len(world.published()) == 6
        assert all(item.link.startswith(world.practice.url) for item in items)
        steps = [entry.state for entry in (await client.item_ledger(items[0].id)).entries]
        assert steps[-2:] == [ActionState.SENDING, ActionState.CONFIRMED]
        run = await client.run(run_id)
        assert run.handed_over
        assert run.ended_at is not None
        accounts = (await client.accounts()).rows
        assert {account.posts for account in accounts} == {2}


async def test_the_same_batch_again_is_refused_before_it_starts(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        photos = await world.add_photos(client, 1)
        await world.until_ended(client, await world.upload(client, photos))

        again = await client.run_task(
            RunTask(
                task="bulk_upload",
                parameters={
                    "posts": [{"media": photos}],
                    "distribution": "same_to_all",
                    "caption": "with the typo fixed",
                },
                targets=Targets(usernames=world.usernames),
            )
        )

        assert again.run_id is None
        assert not again.preflight.may_start
        assert any("already published" in each.message for each in again.preflight.problems)
        assert len(world.published()) == 2


async def test_a_core_killed_in_the_middle_finds_everything_once_when_it_is_back(
    world: World,
) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=4)
        await world.sign_in(client)
        world.practice.fault("delay_ms", "/api/v1/media/configure/", count=40, delay_ms=150)
        run_id = await world.upload(client, await world.add_photos(client, 6))
        await world.until(
            client, run_id, lambda items: any(item.state is ItemState.DONE for item in items)
        )
    world.core.kill()
    handed_over = len(world.published())
    world.reopen_core()

    async with world.core.client() as client:
        items = await world.until_ended(client, run_id)
        log = await world.until_logged(client, run_id, {item.id for item in items})

    assert handed_over < 24
    assert Counter(item.state for item in items) == {ItemState.DONE: 24}
    assert len(world.published()) == 24
    said = Counter((line.item_id, line.at, line.text) for line in log)
    assert set(said.values()) == {1}


async def test_an_agent_killed_in_the_middle_leaves_nothing_twice(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=4)
        await world.sign_in(client)
        run_id = await world.upload(client, await world.add_photos(client, 5))
        await world.until(
            client, run_id, lambda items: any(item.state is ItemState.DONE for item in items)
        )
        world.agent.kill()
        world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))

        items = await world.until_ended(client, run_id)

        assert {item.state for item in items} == {ItemState.DONE}
        assert len(world.published()) == 20
        contents = Counter((each["account"], *each["content_sha256"]) for each in world.published())
        assert set(contents.values()) == {1}


async def test_a_run_is_paused_resumed_and_cancelled(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=1)
        await world.sign_in(client)
        world.practice.fault("delay_ms", "/api/v1/media/configure/", count=100, delay_ms=100)
        run_id = await world.upload(client, await world.add_photos(client, 12))
        await world.until(
            client, run_id, lambda items: any(item.state is ItemState.DONE for item in items)
        )

        await client.control_run(run_id, ControlRun(verb="pause"))
        items = await world.until(
            client,
            run_id,
            lambda items: all(item.state in ITEM_FINAL | {ItemState.PAUSED} for item in items),
        )
        assert any(item.state is ItemState.PAUSED for item in items)
        done_when_paused = len(world.published())

        await client.control_run(run_id, ControlRun(verb="resume"))
        await world.until(
            client,
            run_id,
            lambda items: sum(item.state is ItemState.DONE for item in items) > done_when_paused,
        )
        await client.control_run(run_id, ControlRun(verb="cancel"))
        items = await world.until_ended(client, run_id)

        ended = Counter(item.state for item in items)
        assert ended[ItemState.CANCELLED] > 0
        assert ended[ItemState.DONE] == len(world.published())


async def test_failed_items_alone_are_tried_again(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        world.practice.revoke_sessions("user0")
        run_id = await world.upload(client, await world.add_photos(client, 1))
        items = await world.until_ended(client, run_id)
        failed = {item.username: item for item in items if item.state is ItemState.FAILED}
        assert failed.keys() == {"user0"}
        assert failed["user0"].error
        assert failed["user0"].error.code == "session_expired"

        login = await world.start(client, "bulk_login", {"force": True})
        await world.until_ended(client, login)
        changed = await client.control_run(run_id, ControlRun(verb="retry"))
        items = await world.until_ended(client, run_id)

        assert changed.ids == [failed["user0"].id]
        assert {item.state for item in items} == {ItemState.DONE}
        assert {item.username: item.attempt for item in items} == {"user0": 2, "user1": 1}
        assert len(world.published()) == 2


async def test_what_is_started_while_the_agent_is_away_waits_for_it(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        photos = await world.add_photos(client, 1)
        world.agent.stop()
        await world.until_link(client, LinkState.DISCONNECTED)

        run_id = await world.upload(client, photos)
        run = await client.run(run_id)
        assert dict(run.counts) == {ItemState.QUEUED: 2}
        assert not run.handed_over

        world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))
        items = await world.until_ended(client, run_id)
        assert {item.state for item in items} == {ItemState.DONE}


async def test_a_client_that_watches_sees_every_item_end(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        run_id = await world.start(client, "bulk_login", {})
        states: dict[str, ItemState] = {}
        async with asyncio.timeout(60), client.changes(Watch(runs=[run_id])) as stream:
            async for change in stream:
                if isinstance(change, Reset):
                    rows = (await client.run_items(run_id)).rows
                else:
                    assert isinstance(change, Delta)
                    rows = change.items
                states |= {row.id: row.state for row in rows}
                if set(states.values()) == {ItemState.DONE}:
                    break
        assert len(states) == 2


async def test_no_secret_lies_in_clear_in_what_the_core_leaves(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=1)
        await world.sign_in(client)
    world.core.stop()
    written = b"".join(path.read_bytes() for path in world.core.data.rglob("*") if path.is_file())
    assert b"password-of-user0" not in written
    assert json.dumps("sessionid").encode() not in written
    assert world.core.endpoint.token.get_secret_value().encode() not in written


async def test_a_run_that_is_not_there_is_named(world: World) -> None:
    async with world.core.client() as client:
        with pytest.raises(NotFoundError, match="no such run"):
            await client.run("01ARZ3NDEKTSV4RRFFQ69G5FAV")
