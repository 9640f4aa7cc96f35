"""Agents to whom a desktop brings files, and who take them as no agent should."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from enum import StrEnum
from pathlib import Path

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from common.errors import WireError
from common.protocol.bulk import (
    BlobOffset,
    BlobReceived,
    BlobRefused,
    BlobStored,
    BulkMessage,
    OfferBlob,
    decode_bulk,
)
from common.protocol.frames import BULK_CHUNK, BULK_MESSAGE_LIMIT, Frame, decode_frame
from common.protocol.messages import BULK_PATH
from tests.integration.hostile_frames.against_desktop import HostileAgent

_CHANNELS = 4_000
"""Channels that nobody opened, of which one talks."""


class Vice(StrEnum):
    """What an agent does with an offer."""

    NONE = "takes the file"
    OFFSET_BEYOND = "wants it from behind its end"
    RECEIVED_BEYOND = "has more of it than was sent"
    STORED_AT_ONCE = "has it whole before a byte was sent"
    TALKS_ON = "says again and again where to begin"
    OTHER_CHANNELS = "speaks of files that were never offered"
    NONSENSE = "says what is no message"
    BYTES = "sends bytes"
    TOO_LARGE = "sends a message that is too large"
    REFUSES = "does not want it"
    HANGS_UP = "hangs up in the middle of it"
    NEVER_ANSWERS = "does not answer"
    NEVER_ACKNOWLEDGES = "takes every byte, and never says so"
    NEVER_READS = "reads no more once it has said where to begin"


class Receiver(HostileAgent):
    """A paired agent that is honest on its control link, but for which files it says to lack."""

    def __init__(self, folder: Path, number: int, vice: Vice) -> None:
        super().__init__(folder, number, None)
        self.vice = vice
        self.offered: list[str] = []
        """SHA-256 of each file that it was offered."""
        self.stored: set[str] = set()
        """Those that came whole, with the right bytes."""
        self.closes: list[int | None] = []
        """How each bulk link ended, as it was heard here."""
        self.ended = asyncio.Event()
        """Set when it listens no more."""
        self.others: Sequence[str] = ()
        """Files that no item of its own needs, which it asks for all the same."""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Let desktops dial, at the port from now on."""
        async with super().listening():
            try:
                yield
            finally:
                self.ended.set()

    def missing(self, asked: Sequence[str]) -> list[str]:
        """Lacks everything, also what it was not asked for."""
        return [*asked, *self.others, *asked]

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        if socket.request.path != BULK_PATH:
            await super()._serve(socket)
            return
        try:
            with contextlib.suppress(ConnectionClosed):
                await _Bulk(socket, self).run()
        finally:
            self.closes.append(socket.close_code)


class _Bulk:
    """One bulk link."""

    def __init__(self, socket: ServerConnection, agent: Receiver) -> None:
        self._socket = socket
        self._agent = agent
        self._files: dict[int, tuple[OfferBlob, bytearray]] = {}
        self._does: dict[Vice, Callable[[OfferBlob], Awaitable[None]]] = {
            Vice.OFFSET_BEYOND: self._offset_beyond,
            Vice.STORED_AT_ONCE: self._stored_at_once,
            Vice.TALKS_ON: self._talks_on,
            Vice.OTHER_CHANNELS: self._other_channels,
            Vice.NONSENSE: self._nonsense,
            Vice.BYTES: self._bytes,
            Vice.TOO_LARGE: self._too_large,
            Vice.REFUSES: self._refuses,
            Vice.NEVER_ANSWERS: self._never_answers,
            Vice.NEVER_READS: self._never_reads,
        }

    async def run(self) -> None:
        """Take what comes until the link ends."""
        async for data in self._socket:
            if isinstance(data, bytes):
                await self._take(decode_frame(data))
                continue
            offer = decode_bulk(data)
            assert isinstance(offer, OfferBlob)
            self._agent.offered.append(offer.sha256)
            self._files[offer.channel] = (offer, bytearray())
            await self._does.get(self._agent.vice, self._begin)(offer)

    async def _take(self, frame: Frame) -> None:
        offer, there = self._files[frame.channel]
        assert frame.offset == len(there)
        there += frame.payload
        vice = self._agent.vice
        if vice is Vice.HANGS_UP:
            self._socket.transport.abort()
        if vice is not Vice.NEVER_ACKNOWLEDGES:
            beyond = BULK_CHUNK if vice is Vice.RECEIVED_BEYOND else 0
            await self._say(BlobReceived(channel=offer.channel, offset=len(there) + beyond))
            if len(there) == offer.size:
                await self._store(offer, there)

    async def _store(self, offer: OfferBlob, there: bytearray) -> None:
        assert hashlib.sha256(there).hexdigest() == offer.sha256
        self._agent.stored.add(offer.sha256)
        await self._say(BlobStored(channel=offer.channel))

    async def _say(self, message: BulkMessage) -> None:
        await self._socket.send(message.model_dump_json())

    async def _begin(self, offer: OfferBlob) -> None:
        await self._say(BlobOffset(channel=offer.channel, offset=0))

    async def _offset_beyond(self, offer: OfferBlob) -> None:
        await self._say(BlobOffset(channel=offer.channel, offset=offer.size + 1))

    async def _stored_at_once(self, offer: OfferBlob) -> None:
        await self._say(BlobStored(channel=offer.channel))

    async def _talks_on(self, offer: OfferBlob) -> None:
        for _ in range(100):
            await self._begin(offer)

    async def _other_channels(self, offer: OfferBlob) -> None:
        for channel in range(1_000, 1_000 + _CHANNELS):
            await self._say(BlobReceived(channel=channel, offset=2**40))
        await self._begin(offer)

    async def _nonsense(self, offer: OfferBlob) -> None:
        nested = "[" * 50_000
        for text in ("{}", nested, '{"t":"blob_offset","channel":-1}', "\u202e", "null", "NaN"):
            await self._socket.send(text)
        await self._begin(offer)

    async def _bytes(self, _: OfferBlob) -> None:
        await self._socket.send(bytes(64))

    async def _too_large(self, _: OfferBlob) -> None:
        await self._socket.send("x" * (BULK_MESSAGE_LIMIT + 1))

    async def _refuses(self, offer: OfferBlob) -> None:
        error = WireError(code="media", message="No, thank you.")
        await self._say(BlobRefused(channel=offer.channel, error=error))

    async def _never_answers(self, _: OfferBlob) -> None:
        return

    async def _never_reads(self, offer: OfferBlob) -> None:
        await self._begin(offer)
        self._socket.transport.pause_reading()
        await self._agent.ended.wait()
        self._socket.transport.abort()
