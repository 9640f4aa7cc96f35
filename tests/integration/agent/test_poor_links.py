"""Links as they are in the field: slow ones stay up, half-open ones are noticed."""

from __future__ import annotations

import asyncio
import json

import pytest

from common.domain.ids import new_id
from common.protocol import session
from common.protocol.messages import AskInventory, LogChunk, ReadLog
from tests.integration.agent.conftest import RunningAgent
from tests.support.agent_items import a_login, an_account
from tests.support.agent_link import DesktopLink, Paired
from tests.support.relay import Weather, relay_to
from tests.support.waiting import wait_until_async

KIB = 1024
LINES = 40


async def test_slow_link_stays_up_and_is_answered_while_logs_drain(paired: Paired) -> None:
    item = a_login(an_account(), [f"chatter {LINES}", "done"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
        end = desktop.of("item_changed")[-1].log_end
    async with relay_to(paired.port) as relay:
        relay.set_weather(Weather(latency=0.05, rate=64 * KIB))
        async with DesktopLink.open(paired.at(relay.port), desktop.cursor) as slow:
            log = asyncio.create_task(_read_log(slow, item.item_id, end))
            answered = 0
            while not log.done():
                await slow.ask(AskInventory(id=new_id()))
                answered += 1
            assert slow.ended is None
            assert answered > 2
            numbers = [int(json.loads(line)["text"].split()[0]) for line in log.result()]
    assert numbers == list(range(LINES))


async def _read_log(desktop: DesktopLink, item_id: str, end: int) -> list[str]:
    text, offset = "", 0
    while offset < end:
        chunk = await desktop.ask(
            ReadLog(id=new_id(), item_id=item_id, attempt=1, offset=offset, limit=48 * KIB)
        )
        assert isinstance(chunk, LogChunk)
        text += chunk.text
        offset = chunk.offset + len(chunk.text.encode())
    return text.splitlines()


async def test_half_open_link_is_noticed_and_a_new_one_serves(
    running: RunningAgent, paired: Paired, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = running.agent.context.links
    monkeypatch.setattr(session, "DISCONNECTED_SECONDS", 2.0)
    async with relay_to(paired.port) as relay:
        async with DesktopLink.open(paired.at(relay.port)):
            await wait_until_async(lambda: links.count == 1, "the link")
            relay.stall()
            await wait_until_async(lambda: links.count == 0, "the silent link is given up")
            monkeypatch.undo()
            relay.flow()
        async with DesktopLink.open(paired) as again:
            await again.ask(AskInventory(id=new_id()))
