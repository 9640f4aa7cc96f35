"""An agent that starts again: after a lost journal, beside leftovers, after it was left alone."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from agent.jobs import cancelling
from agent.jobs.recovery import COOKIE_NAME, cookie_of
from common.errors import ConflictError
from common.infra.clock import running_time
from tests.integration.agent.conftest import AgentStarter
from tests.support.agent_items import a_login, a_photo, a_publish, an_account
from tests.support.agent_link import DesktopLink
from tests.support.waiting import wait_until_async

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.mark.parametrize("how", ["missing", "damaged"])
async def test_agent_that_lost_its_journal_is_reached_without_pairing_again(
    start_agent: AgentStarter, how: str
) -> None:
    item = a_publish(an_account())
    async with start_agent() as agent:
        paired = await agent.paired()
        async with DesktopLink.open(paired) as desktop:
            await desktop.accept(item)
            await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
            assert desktop.cursor is not None
            epoch = desktop.cursor.epoch
    journal = agent.data / "journal.sqlite"
    if how == "missing":
        journal.unlink()
    else:
        journal.write_bytes(b"\xff" * journal.stat().st_size)
    async with (
        start_agent() as again,
        DesktopLink.open(paired.at(again.agent.port), desktop.cursor) as link,
    ):
        assert link.cursor is not None
        assert link.cursor.epoch != epoch
        assert (await link.control("cancel", item.item_id)).refused
    kept = list(agent.data.glob("journal.sqlite.damaged-*"))
    assert len(kept) == (1 if how == "damaged" else 0)


async def test_runner_that_a_lost_journal_knew_is_ended_at_the_next_start(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    cookie = cookie_of(tmp_path / "agent")
    environment = {**os.environ, COOKIE_NAME: cookie}
    leftover = await asyncio.create_subprocess_exec(*SLEEP, env=environment)
    async with start_agent(), asyncio.timeout(20):
        assert await leftover.wait() != 0


async def test_runners_carry_the_cookie_of_their_folder(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    item = a_login(an_account(), [f"wait {tmp_path / 'gate'}", "done"])
    async with start_agent() as agent, DesktopLink.open(await agent.paired()) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["running"], "running")
        family = psutil.Process().children()
        cookies = [process.environ().get(COOKIE_NAME) for process in family]
        assert cookie_of(agent.data) in cookies
        (tmp_path / "gate").touch()
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


async def test_agent_left_alone_publishes_again_at_the_first_word(
    start_agent: AgentStarter,
) -> None:
    noted = a_publish(an_account("cleo"), media=[a_photo("c" * 64, 10)])
    post, login = a_publish(an_account("ada")), a_login(an_account("ben"))
    async with start_agent(dead_man_hours=1e-4) as agent:
        context = agent.agent.context
        paired = await agent.paired()
        async with DesktopLink.open(paired) as desktop:
            assert desktop.peer is not None
            assert desktop.peer.agent is not None
            assert desktop.peer.agent.dead_man_hours == pytest.approx(1e-4)
            await desktop.accept(noted)
        await wait_until_async(lambda: context.links.count == 0, "the link's end")
        await wait_until_async(
            lambda: context.dead_man.reason(time.time(), running_time()), "hours alone"
        )
        context.look_around()
        for item in (post, login):
            await context.supervisor.orders.accept(item)
        # Signing in goes on; nothing is published.
        await wait_until_async(lambda: context.supervisor.tally.ended, "the login")
        assert context.supervisor.waiting_count == 2
        async with DesktopLink.open(paired, desktop.cursor) as again:
            await again.until(lambda: again.states(post.item_id)[-1:] == ["done"], "published")
            steps = [e.step for e in again.of("item_changed") if e.item_id == noted.item_id]
            await again.control("cancel", noted.item_id)
        assert "no desktop has been in touch" in steps[0]


async def test_item_that_does_not_stop_costs_its_runner_and_others_run_again(
    start_agent: AgentStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "GRACE_SECONDS", 0.2)
    deaf = tmp_path / "deaf"
    stuck = a_login(
        an_account("stuck"), [f"touch {deaf}", f"ignore_all {tmp_path / 'never'}", "done"]
    )
    other = a_login(an_account("other"), [f"wait {tmp_path / 'gate'}", "done"])
    async with (
        start_agent(stop_seconds=1.0, api_runners=2, api_workers=2) as agent,
        DesktopLink.open(await agent.paired()) as desktop,
    ):
        for item in (stuck, other):
            await desktop.accept(item)
            await desktop.until(lambda i=item: desktop.states(i.item_id)[-1:] == ["running"], "up")
        await wait_until_async(deaf.exists, "an item that hears nothing")
        assert (await desktop.control("cancel", stuck.item_id)).done == [stuck.item_id]
        await desktop.until(lambda: desktop.states(stuck.item_id)[-1:] == ["cancelled"], "ended")
        # The runner they shared is ended only after that: the other one waits for its gate until.
        await desktop.until(lambda: "interrupted" in desktop.states(other.item_id), "lost runner")
        (tmp_path / "gate").touch()
        await desktop.until(lambda: desktop.states(other.item_id)[-1:] == ["done"], "other")


async def test_post_that_is_being_sent_is_waited_for_though_cancelled(
    start_agent: AgentStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "GRACE_SECONDS", 0.1)
    gate = tmp_path / "gate"
    item = a_publish(
        an_account(), ["prepared", "sending", f"ignore_all {gate}", "confirmed", "done"]
    )
    async with start_agent() as agent, DesktopLink.open(await agent.paired()) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: len(desktop.of("action_changed")) == 2, "sending")
        refused = (await desktop.control("cancel", item.item_id)).refused[item.item_id]
        assert refused.code == ConflictError.code
        assert "point of no return" in refused.message
        began = time.monotonic()
        await wait_until_async(lambda: time.monotonic() > began + 0.5, "several graces")
        assert agent.agent.context.supervisor.running_count == 1
        gate.touch()
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


async def test_agent_stops_within_its_deadline_though_a_runner_does_not(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    item = a_login(an_account(), [f"ignore_all {tmp_path / 'never'}", "done"])
    async with start_agent(stop_seconds=1.0) as agent:
        paired = await agent.paired()
        async with DesktopLink.open(paired) as desktop:
            await desktop.accept(item)
            await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["running"], "up")
    assert not [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "scripted_runner" in " ".join(child.cmdline())
    ]
