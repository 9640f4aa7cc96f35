"""Tells by its first bytes what a media file is, and whether its name says the same. Pure."""

from pathlib import PurePath

from common.domain.content import MediaKind
from common.errors import MediaError

HEAD_BYTES = 64
"""As many first bytes as the judgement needs."""
_ENDINGS = {
    MediaKind.PHOTO: frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
    MediaKind.VIDEO: frozenset({".mp4", ".m4v", ".mov", ".qt"}),
}
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
_FOREIGN = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"OggS", "an Ogg file"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
)
_PHOTO_ADVICE = "Export it as JPEG and add that."
_VIDEO_ADVICE = "Export it as MP4 (H.264 with AAC) and add that."
_ADVICE = "Add photos as JPEG, and videos as MP4 or MOV."


def media_kind(head: bytes, name: str) -> MediaKind:
    """Return what a file is by its first bytes; raises MediaError that names the file.

    A file whose name says something else than its content is refused as well.
    """
    kind = _kind_of_content(head, name)
    ending = PurePath(name).suffix.lower()
    if ending not in _ENDINGS[kind]:
        right = ".jpg" if kind is MediaKind.PHOTO else ".mp4"
        what = "a JPEG photo" if kind is MediaKind.PHOTO else "an MP4 or MOV video"
        raise MediaError(
            f"{name} is {what} by its content, but its name does not say so.",
            advice=f"If that is what it is, rename it so that it ends in {right}.",
            subject=name,
        )
    return kind


def _kind_of_content(head: bytes, name: str) -> MediaKind:
    if head.startswith(b"\xff\xd8\xff"):
        return MediaKind.PHOTO
    if head[4:8] == b"ftyp":
        if head[8:12] in _PICTURE_BRANDS:
            raise _refused(name, "a HEIC or AVIF picture", _PHOTO_ADVICE)
        return MediaKind.VIDEO
    if head[4:8] in {b"moov", b"mdat", b"wide", b"free"}:
        return MediaKind.VIDEO
    if head.startswith(b"RIFF"):
        if head[8:12] == b"WEBP":
            raise _refused(name, "a WebP picture", _PHOTO_ADVICE)
        raise _refused(name, "an AVI or WAV file", _VIDEO_ADVICE)
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            advice = _PHOTO_ADVICE if "picture" in what else _VIDEO_ADVICE
            raise _refused(name, what, advice if "archive" not in what else _ADVICE)
    raise MediaError(f"{name} is neither a photo nor a video.", advice=_ADVICE, subject=name)


def _refused(name: str, what: str, advice: str) -> MediaError:
    return MediaError(
        f"{name} is {what}, which the platform does not take.", advice=advice, subject=name
    )
