"""A desktop that sends an agent files as nobody should: lies in offers, and in frames."""

from __future__ import annotations

import asyncio
import hashlib
import random
import struct
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from common.protocol.bulk import BlobOffset, BlobRefused, BlobStored, OfferBlob, decode_bulk
from common.protocol.frames import BULK_CHUNK, BULK_MESSAGE_LIMIT, FrameKind
from tests.integration.hostile_frames.corpus import golden
from tests.integration.hostile_frames.mutations import Carrier, Good, Mutant, Mutator
from tests.integration.hostile_frames.verdicts import TYPED_CLOSES, Tally, Watcher
from tests.support.agent_link import Paired, blob_frames, open_bulk

_ANSWER_SECONDS = 20.0
_FRAMES = 24
"""Frames and messages of one file, right and wrong, at most."""
_LOOK_EVERY = 100
_FATAL = 0.05
"""Share of the files after which the link must end."""


class BulkBombardment:
    """One connection after the other, each with offers and frames that lie."""

    def __init__(self, paired: Paired, seed: int, watcher: Watcher) -> None:
        self.tally = Tally()
        self._paired = paired
        self._seed = seed
        self._watcher = watcher
        self._mutator = Mutator(seed, [Good(each) for each in golden("bulk")], masks=True)

    async def run(self, count: int) -> None:
        """Send `count` files; raises AssertionError that names seed and index."""
        index = 0
        while index < count:
            async with open_bulk(self._paired) as socket:
                index = await self._until_closed(socket, index, count)
            if index % _LOOK_EVERY == 0 or index == count:
                problem = self._watcher.defects()
                assert not problem, f"seed {self._seed}, up to index {index}: {problem}"

    async def _until_closed(self, socket: ClientConnection, index: int, count: int) -> int:
        while index < count:
            index += 1
            try:
                await self._one(socket, index - 1)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                assert code in TYPED_CLOSES, f"closed with {code}; seed {self._seed}, {index - 1}"
                self.tally.closes[str(code)] += 1
                return index
            self.tally.survived += 1
            if index % _LOOK_EVERY == 0:
                return index
        return index

    async def _one(self, socket: ClientConnection, index: int) -> None:
        """One file: an honest or a lying offer, frames likewise, and a question at the end."""
        dice = random.Random(self._seed * 1_000_003 + index)
        data = dice.randbytes(dice.choice([1, 100, 5_000, BULK_CHUNK + 1]))
        channel = dice.randrange(1, 20)
        spoiled = self._mutator.make(index) if dice.random() < 0.3 else None
        if spoiled and _is_offer(spoiled):
            await socket.send(spoiled.data, text=True)
        await socket.send(_offer(dice, channel, data).model_dump_json())
        for frame in _frames(dice, channel, data):
            await socket.send(frame)
        last = _last_word(dice, channel, spoiled)
        if last is not None:
            # Nothing follows, so that the close which must come of it is heard.
            await socket.send(last, text=spoiled is not None and last is spoiled.data)
        # Bytes for a channel without an offer are refused; that answer is the last of this file.
        else:
            await socket.send(struct.pack(">BBHIQ", FrameKind.BLOB, 0, 0, 0xFFFF_0000 + index, 0))
        async with asyncio.timeout(_ANSWER_SECONDS):
            while True:
                answer = decode_bulk(await socket.recv())
                if isinstance(answer, BlobRefused):
                    self.tally.refused += 1
                    if answer.channel == 0xFFFF_0000 + index:
                        return


def _offer(dice: random.Random, channel: int, data: bytes) -> OfferBlob:
    named = data if dice.random() < 0.6 else dice.randbytes(8)
    size = dice.choice([len(data)] * 5 + [1, len(data) + 1, 4 * 1024**3])
    return OfferBlob(channel=channel, sha256=hashlib.sha256(named).hexdigest(), size=size)


def _frames(dice: random.Random, channel: int, data: bytes) -> list[bytes]:
    """The file's frames, with some of them spoiled, doubled, in another order, or left out."""
    frames = blob_frames(channel, data)
    if dice.random() < 0.4:
        return frames
    spoiled: list[Any] = []
    for frame in frames[:_FRAMES]:
        payload = frame[16:]
        offset = dice.choice([0, 1, len(data), 2**32, 2**62])
        spoiled += dice.choice(
            [
                [frame, frame],
                [struct.pack(">BBHIQ", FrameKind.BLOB, 0xFF, 0xFFFF, channel, offset) + payload],
                [struct.pack(">BBHIQ", FrameKind.BLOB, 1, 0, channel + 1, 0) + payload],
                [frame[:16]] * 3,
                [frame + b"more than was offered"],
                [frame[:16] + bytes(byte ^ 1 for byte in payload[:64]) + payload[64:]],
                [],
            ]
        )
    dice.shuffle(spoiled)
    return spoiled


def _last_word(dice: random.Random, channel: int, spoiled: Mutant | None) -> bytes | None:
    """What ends the link, now and then: a message or a frame that no desktop sends."""
    if spoiled and spoiled.carrier is Carrier.TEXT and not _is_offer(spoiled):
        return spoiled.data
    if dice.random() > _FATAL:
        return None
    return dice.choice(
        [
            struct.pack(">BBHIQ", FrameKind.BLOB, 0, 0, channel, 2**63),
            struct.pack(">BBHIQ", FrameKind.SCREEN, 0, 0, channel, 0),
            struct.pack(">BBHIQ", 77, 0, 0, channel, 0),
            b"short",
            b"\0" * (BULK_MESSAGE_LIMIT + 17),
        ]
    )


def _is_offer(mutant: Mutant) -> bool:
    try:
        return mutant.carrier is Carrier.TEXT and isinstance(decode_bulk(mutant.data), OfferBlob)
    except ValueError:
        return False


async def send_whole(socket: ClientConnection, data: bytes) -> bool:
    """Send one file as it should be; says whether the agent has it."""
    sha256 = hashlib.sha256(data).hexdigest()
    await socket.send(OfferBlob(channel=1, sha256=sha256, size=len(data)).model_dump_json())
    assert isinstance(decode_bulk(await socket.recv()), BlobOffset)
    for frame in blob_frames(1, data):
        await socket.send(frame)
    async with asyncio.timeout(_ANSWER_SECONDS):
        while True:
            answer = decode_bulk(await socket.recv())
            if isinstance(answer, BlobStored | BlobRefused):
                return isinstance(answer, BlobStored)
