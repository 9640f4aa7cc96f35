"""Brings media to an agent over its bulk link: resumable, by content, inside one window.

The link is opened for a batch and closed after it. Several files travel at once, each on a channel
of its own, so that a long way to the agent costs one round trip for all of them and not for each.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from common.errors import (
    AgentUnreachableError,
    FlotillaError,
    LinkError,
    MediaError,
    StoreError,
    from_wire,
)
from common.protocol.bulk import (
    WINDOW_MINIMUM,
    BlobOffset,
    BlobReceived,
    BlobRefused,
    BlobStored,
    BulkMessage,
    OfferBlob,
    decode_bulk,
    window_bytes,
)
from common.protocol.frames import BULK_CHUNK, BULK_MESSAGE_LIMIT, Frame, FrameKind
from common.protocol.messages import BULK_PATH
from desktop_app.core.links.dial import AgentAddress, dial
from desktop_app.core.tasks import end_all

CHANNELS = 4
"""Files that travel at once."""
_ANSWERS = 4
"""Words about one file that may wait to be heard; an agent says two."""
PATIENCE_SECONDS = 60.0
"""How long an agent may say nothing, or take no byte, while it is waited for."""
_READ_AHEAD = 4 * BULK_CHUNK
"""Bytes that one file is read ahead by, so that not every frame waits for a thread."""
_RATE_SECONDS = 0.2
"""Over how long a rate is measured, so that single frames even out."""


@dataclass(frozen=True, slots=True)
class BlobToSend:
    """One file by content, and where its bytes lie here."""

    sha256: str
    size: int
    path: Path


async def send_blobs(
    address: AgentAddress,
    blobs: Iterable[BlobToSend],
    stored: Callable[[str, FlotillaError | None], None],
    *,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Send files in order; `stored` hears of each one's end, with the error where it failed.

    Raises a LinkError where the bulk link cannot be opened or breaks, or the agent says nothing or
    takes no byte for `patience` seconds; files not heard of until then were not sent whole, and
    the next attempt resumes them.
    """
    waiting = iter(blobs)
    first = next(waiting, None)
    if first is None:
        return
    socket = await dial(address, BULK_PATH, message_limit=BULK_MESSAGE_LIMIT)
    link = _BulkLink(socket, patience)
    reader = asyncio.create_task(link.read(), name=f"bulk {address.where}")

    async def lane(blob: BlobToSend | None) -> None:
        while blob is not None:
            try:
                await link.send(blob)
            except (MediaError, OSError) as problem:
                stored(blob.sha256, _as_media_error(problem, blob))
            else:
                stored(blob.sha256, None)
            blob = next(waiting, None)

    lanes = [
        asyncio.create_task(lane(blob), name=f"bulk {address.where} {number}")
        for number, blob in enumerate([first, *_take(waiting, CHANNELS - 1)], start=1)
    ]
    try:
        await _all_or_broken(lanes, reader)
    finally:
        await end_all([*lanes, reader])
        await socket.close()


async def _all_or_broken(lanes: list["asyncio.Task[None]"], reader: "asyncio.Task[None]") -> None:
    """Wait for every lane; raise what broke a lane, or that the link ended before."""
    waiting = {*lanes, reader}
    try:
        while waiting - {reader}:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if reader in done:
                raise AgentUnreachableError("The agent closed the bulk link.")
    except ConnectionClosed:
        raise AgentUnreachableError("The bulk link to the agent broke.") from None


def _take(waiting: Iterable[BlobToSend], count: int) -> list[BlobToSend]:
    return [blob for _, blob in zip(range(count), waiting, strict=False)]


def _as_media_error(problem: MediaError | OSError, blob: BlobToSend) -> MediaError:
    if isinstance(problem, MediaError):
        return problem
    return MediaError(
        f"The library's file {blob.sha256[:12]} cannot be read ({problem.strerror}).",
        subject=blob.sha256,
        advice="Add the file to the library again.",
    )


class _BulkLink:
    """One open bulk link: a window shared by all channels, and what each one hears."""

    def __init__(self, socket: ClientConnection, patience: float) -> None:
        self._socket = socket
        self._patience = patience
        self._heard: dict[int, asyncio.Queue[BulkMessage]] = {}
        self._sent: dict[int, int] = {}
        self._received: dict[int, int] = {}
        self._window = WINDOW_MINIMUM
        self._room = asyncio.Condition()
        self._turn = asyncio.Lock()
        self._rate = _RateMeter()
        self._numbers = itertools.count(1)

    async def read(self) -> None:
        """Sort what the agent says to the channels until the link ends."""
        async for data in self._socket:
            if isinstance(data, bytes):
                raise LinkError("The agent sent bytes on the bulk link.")
            try:
                message = decode_bulk(data)
            except ValidationError:
                continue  # a newer agent may say more than we know
            if isinstance(message, BlobReceived):
                await self._note(message)
            elif (queue := self._heard.get(message.channel)) is not None:
                _hear(queue, message)

    async def send(self, blob: BlobToSend) -> None:
        """Send one file; returns once the agent has it on disk and its hash is right."""
        # A number of its own for each file: a late word about the last one cannot confuse.
        channel = next(self._numbers)
        queue = self._heard[channel] = asyncio.Queue(_ANSWERS)
        try:
            await self._send_on(channel, queue, blob)
        finally:
            del self._heard[channel]
            self._sent.pop(channel, None)
            self._received.pop(channel, None)

    async def _send_on(
        self, channel: int, queue: "asyncio.Queue[BulkMessage]", blob: BlobToSend
    ) -> None:
        offer = OfferBlob(channel=channel, sha256=blob.sha256, size=blob.size)
        await self._put(offer.model_dump_json())
        answer = await self._next(queue, blob)
        if isinstance(answer, BlobStored):
            return  # every byte had come before the last link broke; the check was still due
        if not isinstance(answer, BlobOffset) or not 0 <= answer.offset <= blob.size:
            raise LinkError("The agent answered an offer with something else than an offset.")
        if answer.offset == blob.size:
            return
        self._sent[channel] = self._received[channel] = answer.offset
        await self._send_bytes(channel, blob, answer.offset)
        if not isinstance(await self._next(queue, blob), BlobStored):
            raise LinkError("The agent did not say that the file is stored.")

    async def _next(self, queue: "asyncio.Queue[BulkMessage]", blob: BlobToSend) -> BulkMessage:
        try:
            async with asyncio.timeout(self._patience):
                answer = await queue.get()
        except TimeoutError:
            raise AgentUnreachableError("The agent does not answer on the bulk link.") from None
        if isinstance(answer, BlobRefused):
            error = from_wire(answer.error)
            if isinstance(error, StoreError):
                # The agent has no room now; nothing is wrong with the file.
                raise AgentUnreachableError(error.message, advice=error.advice)
            raise MediaError(error.message, advice=error.advice, subject=blob.sha256)
        return answer

    async def _send_bytes(self, channel: int, blob: BlobToSend, offset: int) -> None:
        while offset < blob.size:
            wanted = min(_READ_AHEAD, blob.size - offset)
            data = await asyncio.to_thread(_read_at, blob.path, offset, wanted)
            if not data:
                raise MediaError("The file is shorter than it was when it was added.")
            for start in range(0, len(data), BULK_CHUNK):
                piece = data[start : start + BULK_CHUNK]
                await self._send_piece(channel, offset, piece, blob.size)
                offset += len(piece)

    async def _send_piece(self, channel: int, offset: int, piece: bytes, size: int) -> None:
        await self._wait_for_room(len(piece))
        end = self._sent[channel] = offset + len(piece)
        frame = Frame(FrameKind.BLOB, channel, offset, piece, close=end == size)
        # One frame of all channels each time round the loop: the control links want their turn.
        async with self._turn:
            await self._put(frame.encode())
            await asyncio.sleep(0)

    async def _wait_for_room(self, size: int) -> None:
        try:
            async with asyncio.timeout(self._patience), self._room:
                await self._room.wait_for(lambda: self._has_room(size))
        except TimeoutError:
            raise _takes_nothing() from None

    async def _put(self, message: str | bytes) -> None:
        """Send one message. An agent may say that it has bytes which it never took."""
        try:
            async with asyncio.timeout(self._patience):
                await self._socket.send(message)
        except TimeoutError:
            raise _takes_nothing() from None

    def _has_room(self, size: int) -> bool:
        in_flight = self._in_flight()
        return not in_flight or in_flight + size <= self._window

    def _in_flight(self) -> int:
        return sum(self._sent.values()) - sum(self._received.values())

    async def _note(self, message: BlobReceived) -> None:
        sent = self._sent.get(message.channel)
        if sent is None:
            return  # a late word about a file that is done
        if message.offset > sent:
            raise LinkError("The agent says that it has more of a file than was sent.")
        async with self._room:
            before = self._received[message.channel]
            now = self._received[message.channel] = max(message.offset, before)
            self._window = window_bytes(self._rate.add(now - before, time.monotonic()))
            self._room.notify_all()


def _read_at(path: Path, offset: int, size: int) -> bytes:
    """Read a part of a file. It is opened for each, so that no cancelled lane leaves one open."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(size)


def _takes_nothing() -> AgentUnreachableError:
    return AgentUnreachableError("The agent takes no more bytes.")


def _hear(queue: "asyncio.Queue[BulkMessage]", message: BulkMessage) -> None:
    try:
        queue.put_nowait(message)
    except asyncio.QueueFull:
        raise LinkError("The agent says more about a file than there is to say.") from None


class _RateMeter:
    """Bytes per second over about the last second, as an average that forgets."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._bytes = 0
        self._since: float | None = None

    def add(self, count: int, now: float) -> float:
        """Count bytes that arrived; return the rate."""
        if self._since is None:
            self._since = now
        self._bytes += count
        passed = now - self._since
        if passed >= _RATE_SECONDS:
            fresh = self._bytes / passed
            self._rate = fresh if not self._rate else 0.5 * self._rate + 0.5 * fresh
            self._bytes, self._since = 0, now
        return self._rate
