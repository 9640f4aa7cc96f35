"""A full disk: nothing is sent that cannot be journaled, and all goes on once there is room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.agent.conftest import AgentStarter
from tests.support.agent_items import a_publish, an_account
from tests.support.agent_link import DesktopLink
from tests.support.small_disk import fill, free, small_disk
from tests.support.waiting import wait_until_async


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", mib=16) as folder:
        yield folder


async def test_nothing_is_sent_on_a_full_disk_and_all_goes_on_with_room(
    start_agent: AgentStarter, disk: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    script = ["prepared", f"wait {gate}", "sending", "confirmed", "done"]
    at_work = a_publish(an_account("ada"), script)
    later = a_publish(an_account("ben"))
    async with start_agent(data=disk / "agent") as agent:
        context = agent.agent.context
        async with DesktopLink.open(await agent.paired()) as desktop:
            await desktop.accept(at_work)
            await desktop.until(lambda: desktop.of("action_changed"), "prepared")
            fill(disk)
            await wait_until_async(lambda: context.disk.is_full, "the full disk is noticed")
            assert context.health().is_disk_full
            # What is left is for the journal: it tells what becomes of what runs.
            await desktop.accept(later)
            gate.touch()
            await desktop.until(lambda: desktop.states(at_work.item_id)[-1:] == ["done"], "done")
            assert desktop.states(later.item_id) == ["assigned"]
            free(disk)
            await desktop.until(lambda: desktop.states(later.item_id)[-1:] == ["done"], "later")
            await wait_until_async(
                lambda: (disk / "agent" / "ballast").exists(), "the ballast is back"
            )
            assert not context.disk.is_full


async def test_a_post_whose_sending_cannot_be_journaled_is_not_sent(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    gate, sent = tmp_path / "gate", tmp_path / "sent"
    script = ["prepared", f"wait {gate}", "sending", f"touch {sent}", "confirmed", "done"]
    item = a_publish(an_account("ada"), script)
    async with start_agent() as agent:
        journal = agent.agent.context.journal
        async with DesktopLink.open(await agent.paired()) as desktop:
            await desktop.accept(item)
            await desktop.until(lambda: desktop.of("action_changed"), "prepared")
            await journal.write(
                lambda transaction: transaction.execute(
                    "CREATE TEMP TRIGGER no_room BEFORE UPDATE ON action "
                    "WHEN NEW.state = 'sending' "
                    "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                )
            )
            gate.touch()
            await desktop.until(
                lambda: "interrupted" in desktop.states(item.item_id), "it waits again"
            )
            assert not sent.exists()
            await journal.write(lambda transaction: transaction.execute("DROP TRIGGER no_room"))
            await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
    assert sent.exists()
