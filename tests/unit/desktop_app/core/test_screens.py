"""Screens go from agents to those who watch, the newest first, and only while somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from common.errors import LinkError
from common.protocol.frames import CONTROL_CHUNK, Frame, FrameKind, cut
from common.protocol.messages import Done, Request, ScreenSeen, StopScreen, WatchScreen
from desktop_app.contract.changes import WatchScreens
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.screens import ScreenFan
from desktop_app.core.tasks import end_all
from tests.support.waiting import wait_until_async

ADA = "01ARZ3NDEKTSV4RRFFQ69G5FA0"
BOB = "01ARZ3NDEKTSV4RRFFQ69G5FA1"
JPEG = b"\xff\xd8\xff" + b"picture" * 10_000


class QuietAgent:
    """The agent's end: does what it is asked, and remembers it."""

    agent_id = "one"

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.sent: list[Any] = []

    async def request(self, request: Request) -> Done:
        self.asked.append(request)
        return Done(id=request.id)

    def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def live(self) -> LiveLink:
        return cast("LiveLink", self)

    def channels(self) -> dict[str, int]:
        watched = {
            each.account_id: each.channel for each in self.asked if isinstance(each, WatchScreen)
        }
        stopped = {each.channel for each in self.asked if isinstance(each, StopScreen)}
        return {id_: channel for id_, channel in watched.items() if channel not in stopped}


async def agents_of(ids: Collection[str]) -> dict[str, str]:
    return {id_: "one" if id_ == ADA else "other" for id_ in ids}


@pytest.fixture
def agent() -> QuietAgent:
    return QuietAgent()


async def test_a_screen_is_asked_for_while_somebody_watches(agent: QuietAgent) -> None:
    fan = ScreenFan(agents_of)
    serving = asyncio.create_task(fan.serve(agent.live))
    with fan.client() as client:
        client.watch = WatchScreens(account_ids=[ADA, BOB], width=320)
        fan.wishes_changed()
        await wait_until_async(lambda: agent.channels(), "the watch was asked for")
        assert agent.channels().keys() == {ADA}  # Bob lives with another agent

        for frame in cut(FrameKind.SCREEN, agent.channels()[ADA], JPEG, CONTROL_CHUNK):
            fan.frame_received(agent.live, frame)
        assert await asyncio.wait_for(client.next(), 5) == (ADA, JPEG)
        assert agent.sent == [ScreenSeen(channel=agent.channels()[ADA])]
    await wait_until_async(lambda: not agent.channels(), "the watch was ended")
    await end_all([serving])


async def test_only_the_newest_frame_waits_for_a_slow_client(agent: QuietAgent) -> None:
    fan = ScreenFan(agents_of)
    with fan.client() as client:
        client.watch = WatchScreens(account_ids=[ADA])
        client.show(ADA, b"old")
        client.show(ADA, b"new")
        client.show(BOB, b"not watched")
        assert await client.next() == (ADA, b"new")


async def test_what_is_no_picture_is_not_passed_on_and_a_gap_ends_the_link(
    agent: QuietAgent,
) -> None:
    fan = ScreenFan(agents_of)
    serving = asyncio.create_task(fan.serve(agent.live))
    with fan.client() as client:
        client.watch = WatchScreens(account_ids=[ADA])
        fan.wishes_changed()
        await wait_until_async(lambda: agent.channels(), "the watch was asked for")
        channel = agent.channels()[ADA]
        for frame in cut(FrameKind.SCREEN, channel, b"<script>", CONTROL_CHUNK):
            fan.frame_received(agent.live, frame)
        for frame in cut(FrameKind.SCREEN, channel, JPEG, CONTROL_CHUNK):
            fan.frame_received(agent.live, frame)
        assert await client.next() == (ADA, JPEG)
        with pytest.raises(LinkError, match="broken picture"):
            fan.frame_received(agent.live, Frame(FrameKind.SCREEN, channel, 999, b"late"))
    await end_all([serving])
