"""A TCP relay in the test's own loop that makes a network misbehave, each direction for itself.

It cuts, resets, stalls, delays and slows what it carries; it never changes a byte. When it does
which of these is the test's business.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

_PIECE_BYTES = 16 * 1024
_UNDERWAY_BYTES = 256 * 1024
"""What a slow direction holds at most, as the buffers of a long line would."""
_HOST = "127.0.0.1"
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends a reset."""


class Way(StrEnum):
    """A direction."""

    THERE = "there"
    """From whoever dialled to the port behind the relay."""
    BACK = "back"


BOTH = frozenset(Way)


@dataclass(frozen=True)
class Weather:
    """How one direction behaves."""

    latency: float = 0.0
    """Seconds that each piece is under way."""
    jitter: float = 0.0
    """Seconds that may be added to it."""
    rate: float = 0.0
    """Bytes per second; 0 for as fast as it goes."""

    @property
    def is_fair(self) -> bool:
        """True where nothing is held up."""
        return not (self.latency or self.jitter or self.rate)


FAIR = Weather()


class Relay:
    """Carries bytes between whoever connects and one port of this machine."""

    def __init__(self, target_port: int, seed: int = 0) -> None:
        self.port = 0
        self.carried = 0
        """Bytes so far, both ways."""
        self.connections = 0
        """How many were carried so far."""
        self.done: Counter[str] = Counter()
        """How many connections were cut, reset and refused so far."""
        self.target_port = target_port
        """May be changed; connections that exist stay where they are."""
        self._random = random.Random(seed)
        self._weather = dict.fromkeys(Way, FAIR)
        self._passable = {way: asyncio.Event() for way in Way}
        for way in Way:
            self._passable[way].set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_down = False
        self._cut_at: int | None = None
        self._only_newer_than: int | None = None

    @property
    def is_used(self) -> bool:
        """True while there is a connection."""
        return bool(self._writers)

    def cut(self) -> None:
        """Break every connection at once."""
        self._break("cut")

    def reset(self) -> None:
        """Break every connection at once with a TCP reset, so that no side takes it for an end."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._break("reset")

    def stall(self, ways: Iterable[Way] = BOTH) -> None:
        """Carry nothing more, with every connection open: half-open, for the other side."""
        for way in ways:
            self._passable[way].clear()

    def flow(self) -> None:
        """Carry on, with what was held up meanwhile."""
        for passable in self._passable.values():
            passable.set()

    def set_weather(self, weather: Weather, ways: Iterable[Way] = BOTH) -> None:
        """Delay and slow what is carried from now on."""
        for way in ways:
            self._weather[way] = weather

    def take_down(self) -> None:
        """Break every connection and refuse new ones until `bring_up`."""
        self._is_down = True
        self.cut()

    def bring_up(self) -> None:
        """Carry again."""
        self._is_down = False

    def cut_after(self, count: int) -> None:
        """Break every connection once `count` more bytes have been carried."""
        self._cut_at = self.carried + count

    def cut_next_connection_after(self, count: int) -> None:
        """Break one connection that does not exist yet, once it has carried `count` bytes."""
        self._only_newer_than = self.connections
        self._cut_at = count

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if self._is_down:
            self.done["refused"] += 1
            writer.transport.abort()
            return
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(_HOST, self.target_port)
            self._writers.add(there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, there, Way.THERE, number))
                group.create_task(self._carry(back, writer, Way.BACK, number))
        except OSError:
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    def _break(self, how: str) -> None:
        if self._writers:
            self.done[how] += 1
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, number: int
    ) -> None:
        here = 0
        line = _SlowLine(writer)
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                self.carried += len(piece)
                here += len(piece)
                if self._is_time_to_cut(number, here):
                    return
                await self._passable[way].wait()
                weather = self._weather[way]
                if weather.is_fair and line.is_idle:
                    writer.write(piece)
                    await writer.drain()
                else:
                    await line.send(piece, weather, self._random.random())
            await line.end()
        writer.transport.abort()

    def _is_time_to_cut(self, number: int, here: int) -> bool:
        if self._cut_at is None:
            return False
        if self._only_newer_than is not None:
            if number <= self._only_newer_than or here < self._cut_at:
                return False
            self._cut_at = self._only_newer_than = None
            raise ConnectionAbortedError  # ends both directions of this connection alone
        if self.carried < self._cut_at:
            return False
        self._cut_at = None
        self.cut()
        return True


class _SlowLine:
    """One direction of one connection while it is delayed: pieces arrive later, in order."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._underway: deque[bytes] = deque()
        self._held = 0
        self._free_at = 0.0
        self._last_at = 0.0
        self._moved = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """True while nothing is under way."""
        return not self._underway

    async def send(self, piece: bytes, weather: Weather, chance: float) -> None:
        """Put a piece on the line; waits while the line is full."""
        while self._held > _UNDERWAY_BYTES or (weather.rate and self._is_behind(weather)):
            self._moved.clear()
            await self._moved.wait()
        start = max(self._loop.time(), self._free_at)
        self._free_at = start + (len(piece) / weather.rate if weather.rate else 0.0)
        delay = weather.latency + weather.jitter * chance
        self._last_at = max(self._free_at + delay, self._last_at)
        self._underway.append(piece)
        self._held += len(piece)
        self._loop.call_at(self._last_at, self._arrive)

    async def end(self) -> None:
        """Wait until everything has arrived."""
        while self._underway:
            self._moved.clear()
            await self._moved.wait()

    def _is_behind(self, weather: Weather) -> bool:
        """Say whether more than a second's worth, or one piece, waits to be put on the line."""
        return bool(self._underway) and self._held > max(weather.rate, _PIECE_BYTES)

    def _arrive(self) -> None:
        piece = self._underway.popleft()
        self._held -= len(piece)
        self._moved.set()
        if not self._writer.is_closing():
            self._writer.write(piece)


@asynccontextmanager
async def relay_to(target_port: int, seed: int = 0) -> AsyncIterator[Relay]:
    """Relay to a port; every connection ends with the block."""
    relay = Relay(target_port, seed)
    server = await asyncio.start_server(relay.serve, _HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield relay
        finally:
            relay.take_down()
            relay.flow()
            server.close()
            await server.wait_closed()
