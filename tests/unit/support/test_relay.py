"""The relay carries every byte in order, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.relay import FAIR, Relay, Way, Weather, relay_to
from tests.support.waiting import wait_until_async

SECONDS = 10.0


class Line:
    """One connection through a relay, with what arrived at the far end."""

    def __init__(
        self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.relay, self.reader, self.writer = relay, reader, writer
        self.arrived = bytearray()
        self.far: asyncio.StreamWriter | None = None

    async def until_arrived(self, count: int) -> bytes:
        await wait_until_async(lambda: len(self.arrived) >= count, f"{count} bytes")
        return bytes(self.arrived)


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    opened: list[Line] = []

    async def far_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wait_until_async(lambda: opened, "the near end")
        opened[0].far = writer
        try:
            while data := await reader.read(4096):
                opened[0].arrived += data
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(far_end, "127.0.0.1", 0)
    async with server, relay_to(server.sockets[0].getsockname()[1], seed=1) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        opened.append(Line(relay, reader, writer))
        await wait_until_async(lambda: opened[0].far, "the far end")
        try:
            yield opened[0]
        finally:
            writer.transport.abort()


async def test_a_slow_and_late_line_keeps_every_byte_in_order() -> None:
    sent = bytes(range(256)) * 200
    async with line() as one:
        one.relay.set_weather(Weather(latency=0.05, jitter=0.05, rate=256 * 1024))
        began = time.monotonic()
        one.writer.write(sent)
        assert await one.until_arrived(len(sent)) == sent
        assert time.monotonic() - began > 0.05 + len(sent) / (256 * 1024) * 0.5
        one.relay.set_weather(FAIR)
        one.writer.write(b"and on")
        assert await one.until_arrived(len(sent) + 6) == sent + b"and on"


async def test_a_stalled_direction_holds_what_it_has_while_the_other_goes_on() -> None:
    async with line() as one:
        one.relay.stall({Way.THERE})
        one.writer.write(b"held")
        assert one.far is not None
        one.far.write(b"answer")
        async with asyncio.timeout(SECONDS):
            assert await one.reader.readexactly(6) == b"answer"
        assert not one.arrived
        one.relay.flow()
        assert await one.until_arrived(4) == b"held"


async def test_a_reset_is_told_as_one_and_not_as_an_end() -> None:
    async with line() as one:
        one.writer.write(b"x")
        await one.until_arrived(1)
        one.relay.reset()
        with pytest.raises(ConnectionResetError) as told:
            async with asyncio.timeout(SECONDS):
                await one.reader.read()
        assert told.value.errno == errno.ECONNRESET
        assert one.relay.done["reset"] == 1


async def test_what_is_cut_after_so_many_bytes_arrives_in_part() -> None:
    async with line() as one:
        one.relay.cut_after(20_000)
        one.writer.write(bytes(100_000))
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionResetError):
                assert await one.reader.read() == b""
        assert len(one.arrived) < 100_000
        assert one.relay.done["cut"] == 1
