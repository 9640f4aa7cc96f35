"""What a file's own header says about it. Nothing is decoded: headers only, never pixels."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from practice.values import MediaKind

_IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_LARGEST_INDEX = 32 * 1024 * 1024
"""Bytes of a video's index that are read at most; real ones are well below 1 MiB."""


class UnreadableMediaError(ValueError):
    """The bytes aren't a photo or video that the platform takes."""


def sniff_type(head: bytes) -> str:
    """The content type of stored media, from its first 16 bytes."""
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


def kind_of(head: bytes) -> MediaKind:
    """Whether these first bytes open a photo or a video.

    Raises:
        UnreadableMediaError: when they open neither.
    """
    found = sniff_type(head)
    if found == "application/octet-stream":
        raise UnreadableMediaError("The file is neither a JPEG, PNG, WebP nor an MP4.")
    return "video" if found == "video/mp4" else "photo"


def photo_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        UnreadableMediaError: when the bytes aren't a JPEG, PNG or WebP image.
    """
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_IMAGE_TYPES)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise UnreadableMediaError("The photo isn't a JPEG, PNG or WebP image.") from None


def video_facts(file: BinaryIO) -> tuple[int, int, float]:
    """Width and height in pixels and duration in seconds of an MP4 file.

    Raises:
        UnreadableMediaError: when it has no MP4 header or no index of a picture track.
    """
    try:
        index = _index_of(file)
        duration = _duration(index)
        for kind, start, end in _boxes(index, 0, len(index)):
            if kind == b"trak" and (size := _picture_size(index, start, end)):
                return (*size, duration)
    except (struct.error, IndexError):
        raise UnreadableMediaError("The video's index is damaged.") from None
    raise UnreadableMediaError("The video has no picture track.")


def _index_of(file: BinaryIO) -> bytes:
    """The content of the ``moov`` box of a file whose boxes are all there to their end."""
    file.seek(0, io.SEEK_END)
    end = file.tell()
    file.seek(0)
    if file.read(12)[4:8] != b"ftyp":
        raise UnreadableMediaError("The video isn't an MP4 file.")
    position, index = 0, None
    while position + 8 <= end:
        file.seek(position)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = end - position
        if size < header or position + size > end:
            raise UnreadableMediaError("The video file is cut off.")
        if kind == b"moov" and size <= _LARGEST_INDEX:
            index = file.read(size - header)
        position += size
    if index is None:
        raise UnreadableMediaError("The video has no index, so it can't be played.")
    return index


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, content start and content end of each box between two positions."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield kind, start + 8, start + size
        start += size


def _duration(index: bytes) -> float:
    for kind, start, _ in _boxes(index, 0, len(index)):
        if kind == b"mvhd":
            long = index[start] == 1
            layout, offset = (">IQ", 20) if long else (">II", 12)
            scale, units = struct.unpack_from(layout, index, start + offset)
            return float(units / scale) if scale else 0.0
    return 0.0


def _picture_size(index: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Size of a track from its header; none for a track without picture, such as sound."""
    for kind, _, header_end in _boxes(index, start, end):
        if kind == b"tkhd":
            width, height = struct.unpack_from(">II", index, header_end - 8)
            size = (width >> 16, height >> 16)
            return size if all(size) else None
    return None
