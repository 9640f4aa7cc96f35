"""One bulk link: blobs that a desktop sends, piece by piece, each answered as it is written."""

import asyncio
import logging
from collections.abc import Awaitable

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.jobs.blobs import IncomingBlob
from agent.server import sockets
from agent.server.context import AgentContext
from common.errors import FlotillaError, InputError, LinkError
from common.protocol.bulk import (
    BlobOffset,
    BlobReceived,
    BlobRefused,
    BlobStored,
    OfferBlob,
    decode_bulk,
)
from common.protocol.frames import FrameKind, decode_frame

_LOG = logging.getLogger(__name__)
_CHANNELS = 16
_SILENCE_SECONDS = 300.0


class BulkLink:
    """Takes blobs in until the desktop hangs up."""

    def __init__(self, websocket: WebSocket, context: AgentContext) -> None:
        self._socket = websocket
        self._context = context
        self._incoming: dict[int, IncomingBlob] = {}

    async def serve(self) -> None:
        """Read offers and pieces; what is not complete at the end is kept, to go on later."""
        try:
            while True:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._take(message.get("text"), message.get("bytes"))
        except (WebSocketDisconnect, TimeoutError):
            return
        except ValueError as problem:
            _LOG.warning("A bulk link sent something unreadable (%s).", type(problem).__name__)
            await self._socket.close(1002)
        finally:
            for incoming in self._incoming.values():
                self._context.blobs.abandon(incoming)

    async def _take(self, text: str | None, data: bytes | None) -> None:
        if text is not None:
            message = decode_bulk(text)
            if not isinstance(message, OfferBlob):
                raise ValueError("not for an agent")
            await self._guarded(message.channel, self._begin(message))
        elif data is not None:
            frame = decode_frame(data)
            if frame.kind is not FrameKind.BLOB:
                raise ValueError("not a blob")
            await self._guarded(
                frame.channel, self._write(frame.channel, frame.offset, frame.payload)
            )

    async def _guarded(self, channel: int, work: Awaitable[None]) -> None:
        """Do it, or refuse the blob of this channel with the reason."""
        try:
            await work
        except FlotillaError as error:
            incoming = self._incoming.pop(channel, None)
            if incoming is not None:
                self._context.blobs.abandon(incoming)
            await self._send(BlobRefused(channel=channel, error=error.to_wire()))

    async def _begin(self, offer: OfferBlob) -> None:
        blobs = self._context.blobs
        previous = self._incoming.pop(offer.channel, None)
        if previous is not None:
            blobs.abandon(previous)
        if blobs.has(offer.sha256):
            await self._send(BlobOffset(channel=offer.channel, offset=offer.size))
            return
        if len(self._incoming) >= _CHANNELS:
            raise LinkError("Too many files are sent at once over this link.")
        incoming = blobs.begin(offer.sha256, offer.size)
        self._incoming[offer.channel] = incoming
        if incoming.is_complete():
            # Everything came before the last link broke; only the check was still due.
            await self._complete(offer.channel, incoming)
            return
        await self._send(BlobOffset(channel=offer.channel, offset=incoming.offset))

    async def _write(self, channel: int, offset: int, payload: bytes) -> None:
        incoming = self._incoming.get(channel)
        if incoming is None:
            raise InputError("No file was offered on this channel.")
        incoming.write(offset, payload)
        await self._send(BlobReceived(channel=channel, offset=incoming.offset))
        if incoming.is_complete():
            await self._complete(channel, incoming)

    async def _complete(self, channel: int, incoming: IncomingBlob) -> None:
        await self._context.blobs.complete(incoming)
        self._incoming.pop(channel, None)
        self._context.supervisor.blob_arrived(incoming.sha256)
        await self._send(BlobStored(channel=channel))

    async def _send(self, answer: BlobOffset | BlobReceived | BlobStored | BlobRefused) -> None:
        await sockets.send(self._socket, answer.model_dump_json())
