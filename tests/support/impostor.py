"""Something that listens where an agent is expected, and remembers every byte it is told.

It speaks TLS with a key of its own, or nothing but TCP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from agent.server.certificate import AgentIdentity
from common.protocol.messages import CONTROL_PATH, SUBPROTOCOL
from common.security.pairing import PAIR_PATH, new_code, new_token

_HOST = "127.0.0.1"
_MOST_BYTES = 64 * 1024


@dataclass
class Impostor:
    """What listens. `heard` is the application's part alone: TLS is below it."""

    key: AgentIdentity | None
    """Its own, as any stranger can make one; None speaks no TLS."""
    hello: str = ""
    """Said on a control link, before anything is heard; nothing where empty."""
    flood: Callable[[int], str] | None = None
    """Makes what is said on a control link over and over, by its number, as fast as it is taken."""
    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    messages: list[str] = field(default_factory=list)
    """What was said on a control link."""
    connections: int = 0
    flooded: int = 0
    """How many messages of the flood were taken."""
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def line(self, agent_id: str = "") -> str:
        """A pairing line that leads here, with this key's id or another."""
        agent = agent_id or (self.key.agent_id if self.key else "a" * 52)
        return f"flotilla://{_HOST}:{self.port}/{agent}#{new_code()}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear one connection out."""
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._open[task] = writer
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            writer.transport.abort()
            del self._open[task]

    async def hang_up(self) -> None:
        """End every connection."""
        for writer in self._open.values():
            writer.transport.abort()
        if self._open:
            await asyncio.wait(self._open)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol(subprotocols=[Subprotocol(SUBPROTOCOL)])
        flooding = asyncio.create_task(self._flood(protocol, writer))
        try:
            await self._listen(protocol, reader, writer)
        finally:
            flooding.cancel()
            await asyncio.wait({flooding})

    async def _flood(self, protocol: ServerProtocol, writer: asyncio.StreamWriter) -> None:
        while self.flood is not None and not writer.is_closing():
            if protocol.state is State.OPEN:
                protocol.send_text(self.flood(self.flooded).encode())
                self.flooded += 1
                writer.write(b"".join(protocol.data_to_send()))
                with suppress(OSError):
                    await writer.drain()
            await asyncio.sleep(0)

    async def _listen(
        self, protocol: ServerProtocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while piece := await reader.read(_MOST_BYTES):
            self.heard += piece
            if protocol.state is State.OPEN:
                self._hear(protocol, piece)
            elif not self.hello:
                writer.write(_http(b"404 Not Found", b"<h1>Nothing here</h1>"))
            elif piece.startswith(b"POST " + PAIR_PATH.encode()):
                writer.write(_http(b"200 OK", self._token()))
            elif piece.startswith(b"GET " + CONTROL_PATH.encode()):
                writer.write(_accept(protocol, piece, self.hello))
            await writer.drain()

    def _hear(self, protocol: ServerProtocol, piece: bytes) -> None:
        protocol.receive_data(piece)
        for event in protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.messages.append(bytes(event.data).decode())

    def _token(self) -> bytes:
        assert self.key
        answer = {"token": new_token(), "scope": "control", "agent_name": "impostor"}
        return json.dumps(answer | {"agent_id": self.key.agent_id}).encode()


@asynccontextmanager
async def listening(impostor: Impostor) -> AsyncIterator[Impostor]:
    """Let it listen at its port, any free one for 0, until the block ends."""
    context = impostor.key.server_context() if impostor.key else None
    server = await asyncio.start_server(impostor.serve, _HOST, impostor.port, ssl=context)
    impostor.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield impostor
        finally:
            server.close()
            await impostor.hang_up()


def _http(status: bytes, body: bytes) -> bytes:
    lines: Sequence[bytes] = [
        b"HTTP/1.1 " + status,
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        b"",
        body,
    ]
    return b"\r\n".join(lines)


def _accept(protocol: ServerProtocol, request: bytes, hello: str) -> bytes:
    protocol.receive_data(request)
    asked = protocol.events_received()[0]
    assert isinstance(asked, Request)
    protocol.send_response(protocol.accept(asked))
    protocol.send_text(hello.encode())
    return b"".join(protocol.data_to_send())
