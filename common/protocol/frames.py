"""Binary frames: a 16-byte header and bytes. Only screens and media travel so, never as text.

Header, big-endian: kind (1 byte), flags (1), reserved (2), channel (4), offset (8).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct(">BBHIQ")
HEADER_BYTES = _HEADER.size
CONTROL_CHUNK = 16 * 1024
"""Payload bytes of one frame on the control link."""
BULK_CHUNK = 256 * 1024
"""Payload bytes of one frame on the bulk link."""
BULK_MESSAGE_LIMIT = 512 * 1024
_CLOSE = 0x01
_MAX_OFFSET = 1 << 62


class FrameKind(IntEnum):
    """What the bytes belong to."""

    SCREEN = 1
    BLOB = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a stream of bytes."""

    kind: FrameKind
    channel: int
    offset: int
    payload: bytes
    close: bool = False
    """True on the last piece."""

    def encode(self) -> bytes:
        """Return the frame as it goes over the wire."""
        flags = _CLOSE if self.close else 0
        return _HEADER.pack(self.kind, flags, 0, self.channel, self.offset) + self.payload


def decode_frame(data: bytes) -> Frame:
    """Read a frame; raises ValueError where the header is short or says nothing known."""
    if len(data) < HEADER_BYTES:
        raise ValueError("frame shorter than its header")
    kind, flags, _reserved, channel, offset = _HEADER.unpack_from(data)
    if offset > _MAX_OFFSET:
        raise ValueError("frame offset out of range")
    return Frame(FrameKind(kind), channel, offset, data[HEADER_BYTES:], bool(flags & _CLOSE))


def cut(kind: FrameKind, channel: int, data: bytes, chunk: int) -> Iterator[Frame]:
    """Cut `data` into frames of at most `chunk` payload bytes; the last one closes."""
    starts = range(0, max(len(data), 1), chunk)
    for start in starts:
        piece = data[start : start + chunk]
        yield Frame(kind, channel, start, piece, start + chunk >= len(data))


class Assembler:
    """Puts the frames of one channel together again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, frame: Frame) -> bytes | None:
        """Take the next frame; return the whole once it is complete.

        Raises ValueError where a piece is missing, or the whole is larger than the limit.
        """
        if frame.offset == 0:
            self._parts, self._size = [], 0
        if frame.offset != self._size:
            raise ValueError(f"frame at {frame.offset}, expected {self._size}")
        self._size += len(frame.payload)
        if self._size > self._limit:
            raise ValueError(f"more than {self._limit} bytes in one picture")
        self._parts.append(frame.payload)
        if not frame.close:
            return None
        whole = b"".join(self._parts)
        self._parts, self._size = [], 0
        return whole
