"""Screens of browser accounts: from the agents that show them to the clients that watch.

An agent sends frames only while some client watches that account, one at a time: the next leaves
when the last has arrived. A client that is slow gets the newest frame and misses those between.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from common.domain.ids import new_id
from common.errors import FlotillaError, LinkError
from common.protocol.frames import Assembler, Frame, FrameKind
from common.protocol.messages import ScreenSeen, StopScreen, WatchScreen
from desktop_app.contract.changes import WatchScreens
from desktop_app.core.links.agent_link import LiveLink

FRAME_LIMIT = 4 * 1024 * 1024
_MOST_CHANNELS = 0xFFFF
_JPEG = b"\xff\xd8\xff"

_log = logging.getLogger(__name__)

FindAgents = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""Says which agent has each of the accounts."""


class ScreenClient:
    """One client: what it watches, and the newest frame of each that it has not fetched."""

    def __init__(self) -> None:
        self.watch = WatchScreens()
        self._newest: dict[str, bytes] = {}
        self._some = asyncio.Event()

    def show(self, account_id: str, jpeg: bytes) -> None:
        """Put a frame up; it replaces one that was not fetched."""
        if account_id in self.watch.account_ids:
            self._newest[account_id] = jpeg
            self._some.set()

    async def next(self) -> tuple[str, bytes]:
        """Wait for a frame; accounts take turns."""
        while not self._newest:
            self._some.clear()
            await self._some.wait()
        account_id = next(iter(self._newest))
        return account_id, self._newest.pop(account_id)


@dataclass(slots=True)
class _Channel:
    """One account's screen on one link."""

    number: int
    account_id: str
    width: int
    assembler: Assembler = field(default_factory=lambda: Assembler(FRAME_LIMIT))


class ScreenFan:
    """Keeps what agents send equal to what clients watch."""

    def __init__(self, find_agents: FindAgents) -> None:
        self._find_agents = find_agents
        self._clients: set[ScreenClient] = set()
        self._links: dict[str, dict[int, _Channel]] = {}
        self._numbers = itertools.cycle(range(1, _MOST_CHANNELS + 1))
        self._wishes_changed: dict[str, asyncio.Event] = {}

    @property
    def clients(self) -> int:
        """How many clients listen."""
        return len(self._clients)

    @contextlib.contextmanager
    def client(self) -> Iterator[ScreenClient]:
        """One client, for as long as the context lasts."""
        client = ScreenClient()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)
            self.wishes_changed()

    def wishes_changed(self) -> None:
        """A client watches something else now."""
        for event in self._wishes_changed.values():
            event.set()

    def frame_received(self, live: LiveLink, frame: Frame) -> None:
        """Take a piece of a screen; a frame that is whole goes to the clients."""
        channel = self._links.get(live.agent_id, {}).get(frame.channel)
        if channel is None or frame.kind is not FrameKind.SCREEN:
            return  # on its way while the watch ended
        try:
            jpeg = channel.assembler.add(frame)
        except ValueError as problem:
            raise LinkError(f"The agent sent a broken picture: {problem}.") from None
        if jpeg is None:
            return
        live.send(ScreenSeen(channel=channel.number))
        if jpeg.startswith(_JPEG):
            for client in self._clients:
                client.show(channel.account_id, jpeg)

    async def serve(self, live: LiveLink) -> None:
        """Follow the wishes towards one agent while the link to it is up."""
        channels: dict[int, _Channel] = {}
        changed = asyncio.Event()
        changed.set()
        self._links[live.agent_id] = channels
        self._wishes_changed[live.agent_id] = changed
        try:
            while True:
                await changed.wait()
                changed.clear()
                await self._follow(live, channels)
        finally:
            del self._links[live.agent_id], self._wishes_changed[live.agent_id]

    async def _follow(self, live: LiveLink, channels: dict[int, _Channel]) -> None:
        wanted = await self._wanted(live.agent_id)
        shown = {channel.account_id: channel for channel in channels.values()}
        for account_id, channel in shown.items():
            if wanted.get(account_id) != channel.width:
                del channels[channel.number]
                await self._ask(live, StopScreen(id=new_id(), channel=channel.number))
        for account_id, width in wanted.items():
            if account_id in shown and shown[account_id].width == width:
                continue
            number = next(self._numbers)
            channels[number] = _Channel(number, account_id, width)
            ask = WatchScreen(id=new_id(), account_id=account_id, channel=number, width=width)
            if not await self._ask(live, ask):
                channels.pop(number, None)

    async def _wanted(self, agent_id: str) -> dict[str, int]:
        """Return the accounts of this agent that somebody watches, each with its width."""
        widths: dict[str, int] = {}
        for client in self._clients:
            for account_id in client.watch.account_ids:
                widths[account_id] = max(widths.get(account_id, 0), client.watch.width)
        agents = await self._find_agents(list(widths)) if widths else {}
        return {id_: width for id_, width in widths.items() if agents.get(id_) == agent_id}

    async def _ask(self, live: LiveLink, request: WatchScreen | StopScreen) -> bool:
        try:
            await live.request(request)
        except FlotillaError as refusal:
            _log.info("A screen could not be watched or left: %s", refusal.message)
            return False
        return True
