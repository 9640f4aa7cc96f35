"""The pipe between agent and runner: length-prefixed messages, JSON or one picture.

Header, big-endian: length of the body (4 bytes), kind (1 byte). A picture's body begins with its
channel (4 bytes); the rest is a JPEG.
"""

import asyncio
import struct
from dataclasses import dataclass

_HEADER = struct.Struct(">IB")
_CHANNEL = struct.Struct(">I")
_JSON = 0
_SCREEN = 1
BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of one message at most; more means that the other side has gone wrong."""


@dataclass(frozen=True, slots=True)
class ScreenFrame:
    """One picture of a page, as the browser made it."""

    channel: int
    jpeg: bytes


def pack_json(body: str) -> bytes:
    """Frame a JSON message."""
    data = body.encode()
    return _HEADER.pack(len(data), _JSON) + data


def pack_screen(frame: ScreenFrame) -> bytes:
    """Frame a picture."""
    size = _CHANNEL.size + len(frame.jpeg)
    return _HEADER.pack(size, _SCREEN) + _CHANNEL.pack(frame.channel) + frame.jpeg


async def read(reader: asyncio.StreamReader) -> bytes | ScreenFrame | None:
    """Read the next message: JSON bytes, or a picture; None once the other side has closed.

    Raises ValueError where the stream is not what a peer of ours writes.
    """
    try:
        header = await reader.readexactly(_HEADER.size)
        size, kind = _HEADER.unpack(header)
        if size > BODY_LIMIT or kind not in (_JSON, _SCREEN):
            raise ValueError("unreadable pipe message")
        body = await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return None
    if kind == _JSON:
        return body
    (channel,) = _CHANNEL.unpack_from(body)
    return ScreenFrame(channel, body[_CHANNEL.size :])
