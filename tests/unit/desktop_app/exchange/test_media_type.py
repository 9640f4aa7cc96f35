"""What a file is by its first bytes, and names that say something else."""

from __future__ import annotations

import pytest

from common.domain.content import MediaKind
from common.errors import MediaError
from desktop_app.exchange.media_type import media_kind

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
MP4 = b"\0\0\0\x20ftypisom" + b"\0" * 20


def test_photos_and_videos() -> None:
    assert media_kind(JPEG, "dusk.JPG") is MediaKind.PHOTO
    assert media_kind(MP4, "surf.mp4") is MediaKind.VIDEO
    assert media_kind(b"\0\0\0\x08wide\0\0\0\0mdat", "old.mov") is MediaKind.VIDEO


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (JPEG, "dusk.mp4", "JPEG photo by its content"),
        (MP4, "surf.jpg", "MP4 or MOV video by its content"),
        (JPEG, "dusk", "JPEG photo by its content"),
        (b"\x89PNG\r\n\x1a\n", "dusk.png", "PNG"),
        (b"\x89PNG\r\n\x1a\n", "dusk.jpg", "PNG"),
        (b"\0\0\0\x20ftypheic", "dusk.heic", "HEIC"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "dusk.webp", "WebP"),
        (b"RIFF\0\0\0\0AVI LIST", "surf.avi", "AVI"),
        (b"\x1aE\xdf\xa3", "surf.webm", "WebM"),
        (b"GIF89a", "x.gif", "GIF"),
        (b"hello, world", "x.jpg", "neither a photo nor a video"),
        (b"", "x.jpg", "neither"),
    ],
)
def test_everything_else_is_refused_by_name(head: bytes, name: str, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        media_kind(head, name)
    assert caught.value.subject == name
    assert name in caught.value.message
    assert caught.value.advice
