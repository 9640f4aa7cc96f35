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
        self._only_newer_than: int | None = None

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

    def cut_next_connection_after(self, count: int) -> None:
        """Break one connection that does not exist yet, once it has carried `count` bytes."""
        self._only_newer_than = self.connections
        self._cut_at = count

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if self._is_down:
            writer.transport.abort()
            return
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(_HOST, self._target_port)
            self._writers.add(there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, there, number))
                group.create_task(self._carry(back, writer, number))
        except OSError:
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        here = 0
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                self.carried += len(piece)
                here += len(piece)
                if self._is_time_to_cut(number, here):
                    return
                writer.write(piece)
                await writer.drain()
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
