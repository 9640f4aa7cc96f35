"""One bulk link: blobs that a desktop sends, piece by piece, each answered as it is written.

One task reads, one writes: what was read waits in a short queue while a thread hashes and writes
what came before, so that neither the wire nor the control link waits for the disk.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.jobs.blobs import IncomingBlob, in_thread
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
from common.protocol.frames import Frame, FrameKind, decode_frame

_LOG = logging.getLogger(__name__)
_CHANNELS = 16
_SILENCE_SECONDS = 300.0
_WAITING = 4
"""Messages that may wait for the disk: 2 MiB at most."""


class BulkLink:
    """Takes blobs in until the desktop hangs up."""

    def __init__(self, websocket: WebSocket, context: AgentContext) -> None:
        self._socket = websocket
        self._context = context
        self._incoming: dict[int, IncomingBlob] = {}
        self._finishing: set[IncomingBlob] = set()
        self._arrived: asyncio.Queue[OfferBlob | Frame | None] = asyncio.Queue(_WAITING)
        """None stands for the end."""

    async def serve(self) -> None:
        """Read offers and pieces; what is not complete at the end is kept, to go on later."""
        reader = asyncio.create_task(self._read(), name="bulk reader")
        writer = asyncio.create_task(self._carry_out(), name="bulk writer")
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
            await writer
        except (WebSocketDisconnect, TimeoutError):
            return
        except ValueError as problem:
            _LOG.warning("A bulk link sent something unreadable (%s).", type(problem).__name__)
            await self._socket.close(1002)
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            for incoming in self._incoming.values():
                self._context.blobs.abandon(incoming)

    async def _read(self) -> None:
        while True:
            async with asyncio.timeout(_SILENCE_SECONDS):
                message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                await self._arrived.put(None)
                return
            text, data = message.get("text"), message.get("bytes")
            if text is not None:
                await self._arrived.put(_offer(text))
            elif data is not None:
                await self._arrived.put(_piece(data))

    async def _carry_out(self) -> None:
        """Do what was read, in order; only the last check of a blob lets others go before it."""
        async with asyncio.TaskGroup() as checks:
            try:
                while True:
                    batch = [await self._arrived.get()]
                    while not self._arrived.empty():
                        batch.append(self._arrived.get_nowait())
                    for kind, messages in itertools.groupby(batch, type):
                        if kind is Frame:
                            pieces = [each for each in messages if isinstance(each, Frame)]
                            await self._write(pieces, checks)
                            continue
                        for offer in messages:
                            if not isinstance(offer, OfferBlob):
                                return
                            await self._guarded(offer.channel, self._begin(offer, checks))
            except (WebSocketDisconnect, TimeoutError):
                return

    async def _guarded(self, channel: int, work: Awaitable[None]) -> None:
        """Do it, or refuse the blob of this channel with the reason."""
        try:
            await work
        except FlotillaError as error:
            await self._refuse(channel, error)

    async def _refuse(self, channel: int, error: FlotillaError) -> None:
        incoming = self._incoming.pop(channel, None)
        if incoming is not None:
            self._context.blobs.abandon(incoming)
        await self._send(BlobRefused(channel=channel, error=error.to_wire()))

    async def _begin(self, offer: OfferBlob, checks: asyncio.TaskGroup) -> None:
        blobs = self._context.blobs
        previous = self._incoming.pop(offer.channel, None)
        if previous is not None:
            blobs.abandon(previous)
        if not blobs.has(offer.sha256) and self._open_channels() >= _CHANNELS:
            raise LinkError("Too many files are sent at once over this link.")
        incoming = await blobs.begin(offer.sha256, offer.size)
        if incoming is None:
            await self._send(BlobOffset(channel=offer.channel, offset=offer.size))
            return
        self._incoming[offer.channel] = incoming
        if incoming.is_complete():
            # Everything came before the last link broke; only the check was still due.
            self._check(offer.channel, checks)
            return
        await self._send(BlobOffset(channel=offer.channel, offset=incoming.offset))

    async def _write(self, pieces: Sequence[Frame], checks: asyncio.TaskGroup) -> None:
        """Write pieces of one or more blobs in one go, and say how far each blob is."""
        failed: dict[int, FlotillaError] = {}
        await in_thread(lambda: self._write_now(pieces, failed))
        for channel in dict.fromkeys(piece.channel for piece in pieces):
            if channel in failed:
                await self._refuse(channel, failed[channel])
                continue
            incoming = self._incoming[channel]
            await self._send(BlobReceived(channel=channel, offset=incoming.offset))
            if incoming.is_complete():
                self._check(channel, checks)

    def _write_now(self, pieces: Sequence[Frame], failed: dict[int, FlotillaError]) -> None:
        """Write, in a thread. After a channel's first failure its other pieces are left out."""
        for piece in pieces:
            incoming = self._incoming.get(piece.channel)
            if piece.channel in failed:
                continue
            if incoming is None:
                failed[piece.channel] = InputError("No file was offered on this channel.")
                continue
            try:
                incoming.write(piece.offset, piece.payload)
            except FlotillaError as error:
                failed[piece.channel] = error

    def _check(self, channel: int, checks: asyncio.TaskGroup) -> None:
        """Let the last check and the sync go on beside what comes on other channels."""
        incoming = self._incoming.pop(channel)
        self._finishing.add(incoming)
        checks.create_task(self._complete(channel, incoming), name="bulk check")

    async def _complete(self, channel: int, incoming: IncomingBlob) -> None:
        answer: BlobStored | BlobRefused = BlobStored(channel=channel)
        try:
            await self._context.blobs.complete(incoming)
            self._context.supervisor.blob_arrived(incoming.sha256)
        except FlotillaError as error:
            answer = BlobRefused(channel=channel, error=error.to_wire())
        finally:
            self._finishing.discard(incoming)
        with contextlib.suppress(WebSocketDisconnect, TimeoutError):
            await self._send(answer)

    def _open_channels(self) -> int:
        return len(self._incoming) + len(self._finishing)

    async def _send(self, answer: BlobOffset | BlobReceived | BlobStored | BlobRefused) -> None:
        async with asyncio.timeout(_SILENCE_SECONDS):
            await sockets.send(self._socket, answer.model_dump_json())


def _offer(text: str) -> OfferBlob:
    """Read an offer; raises ValueError where it is none."""
    message = decode_bulk(text)
    if not isinstance(message, OfferBlob):
        raise ValueError("not for an agent")  # noqa: TRY004 - what came is wrong, not our call
    return message


def _piece(data: bytes) -> Frame:
    """Read a piece of a blob; raises ValueError where it is none."""
    frame = decode_frame(data)
    if frame.kind is not FrameKind.BLOB:
        raise ValueError("not a blob")
    return frame
