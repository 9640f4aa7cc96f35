"""A TCP relay in the test's own loop that can cut the connections it carries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 16 * 1024
_HOST = "127.0.0.1"


class Relay:
    """Carries bytes between whoever connects and one port of this machine."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.carried = 0
        """Bytes so far, both ways."""
        self.connections = 0
        """How many were carried so far."""
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_down = False
        self._cut_at: int | None = None

    def cut(self) -> None:
        """Break every connection at once."""
        for writer in list(self._writers):
            writer.transport.abort()

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

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if self._is_down:
            writer.transport.abort()
            return
        self.connections += 1
        self._writers.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(_HOST, self._target_port)
            self._writers.add(there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, there))
                group.create_task(self._carry(back, writer))
        except OSError:
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                self.carried += len(piece)
                if self._cut_at is not None and self.carried >= self._cut_at:
                    self._cut_at = None
                    self.cut()
                    return
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def relay_to(target_port: int) -> AsyncIterator[Relay]:
    """Relay to a port; every connection ends with the block."""
    relay = Relay(target_port)
    server = await asyncio.start_server(relay.serve, _HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield relay
        finally:
            relay.take_down()
            server.close()
            await server.wait_closed()
