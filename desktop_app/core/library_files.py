"""The library's files: takes one in, looks into it, makes its small picture. Blocking: in threads.

A file is copied first and judged by the copy, so that what was checked is what is kept.
"""

import errno
import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from PIL import Image, ImageOps, UnidentifiedImageError

from common.domain.content import MediaKind
from common.domain.ids import new_id
from common.errors import MediaError
from common.infra.paths import sync_folder, write_private_file
from common.media_probe import parse_ffmpeg_text
from desktop_app.contract.media import MediaRow
from desktop_app.exchange.media_type import HEAD_BYTES, media_kind
from desktop_app.store.folder import StoreFolder

THUMBNAIL_PIXELS = 320
FFMPEG_SECONDS = 30.0
MOST_PIXELS = 100_000_000
"""Larger photos are not decoded: they would take gigabytes."""
_CHUNK = 1024 * 1024
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen in a file."""

    width: int
    height: int
    duration: float
    thumbnail: bytes


def take_in(folder: StoreFolder, source: Path, title: str, at: float) -> MediaRow:
    """Copy a file into the library, durable and under its SHA-256; return its row.

    The same bytes again change nothing. Raises MediaError that names the file.
    """
    partial = folder.media / f"{new_id()}.partial"
    try:
        sha256, size = _copy(source, partial)
        kind = _kind(partial, source.name)
        look = _look_at_photo if kind is MediaKind.PHOTO else _look_at_video
        seen = look(partial, source.name)
        _keep(folder, partial, sha256, seen.thumbnail)
    except OSError as problem:
        raise _not_kept(folder, source, problem) from None
    finally:
        partial.unlink(missing_ok=True)
    return MediaRow(
        sha256=sha256,
        name=source.name,
        title=title or source.stem,
        kind=kind,
        size=size,
        width=seen.width,
        height=seen.height,
        duration=seen.duration,
        added_at=at,
    )


def drop(folder: StoreFolder, sha256: str) -> None:
    """Remove a file of the library and its small picture."""
    folder.media_file(sha256).unlink(missing_ok=True)
    folder.thumbnail_file(sha256).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as output:
        for block in _blocks(source):
            digest.update(block)
            size += len(block)
            output.write(block)
        output.flush()
        os.fsync(output.fileno())
    if size == 0:
        raise MediaError(f"{source.name} is empty.", subject=str(source))
    return digest.hexdigest(), size


def _blocks(source: Path) -> Iterator[bytes]:
    """Read a file in blocks; whatever goes wrong on its side is told as its own problem."""
    if source.is_dir():
        raise MediaError(
            f"{source.name} is a folder.", advice="Choose the files in it.", subject=str(source)
        )
    if not source.is_file():
        raise MediaError(
            f"{source.name} is not there.", advice="Choose the file again.", subject=str(source)
        )
    try:
        with source.open("rb") as file:
            while block := file.read(_CHUNK):
                yield block
    except OSError as problem:
        raise MediaError(
            f"{source.name} cannot be read: {_reason(problem)}.",
            advice="Check that you may read the file.",
            subject=str(source),
        ) from None


def _kind(file: Path, name: str) -> MediaKind:
    with file.open("rb") as opened:
        return media_kind(opened.read(HEAD_BYTES), name)


def _look_at_photo(file: Path, name: str) -> _Look:
    try:
        with Image.open(file, formats=["JPEG"]) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise MediaError(f"{name} has more than 100 million pixels.", subject=name)
            turned = photo.getexif().get(0x0112, 1) in {5, 6, 7, 8}
            width, height = photo.size[::-1] if turned else photo.size
            photo.draft("RGB", (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            photo.load()
            return _Look(width, height, 0.0, _small(photo))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise MediaError(
            f"{name} is a damaged JPEG.", advice="Export it again.", subject=name
        ) from None


def _small(photo: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    output = io.BytesIO()
    upright.save(output, "JPEG", quality=82)
    return output.getvalue()


def _look_at_video(file: Path, name: str) -> _Look:
    """Decode the first frame; ffmpeg tells about the whole file on the way."""
    try:
        done = subprocess.run(
            first_frame_command(file), capture_output=True, timeout=FFMPEG_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise MediaError(
            f"{name} could not be read in {FFMPEG_SECONDS:.0f} seconds.", subject=name
        ) from None
    facts = parse_ffmpeg_text(done.stderr.decode(errors="replace"))
    if facts is None or not facts.width or done.returncode != 0 or not done.stdout:
        raise MediaError(
            f"{name} is a damaged video, or has no picture in it.",
            advice="Export it again as MP4 (H.264 with AAC).",
            subject=name,
        )
    return _Look(facts.width, facts.height, facts.duration, done.stdout)


def first_frame_command(file: Path) -> list[str]:
    """Return ffmpeg's arguments: one local MP4 or MOV in, one small JPEG to standard output."""
    scale = f"scale={THUMBNAIL_PIXELS}:{THUMBNAIL_PIXELS}:force_original_aspect_ratio=decrease"
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-threads", "1"),
        *("-protocol_whitelist", "file", "-f", "mov", "-i", str(file.absolute())),
        *("-map", "0:v:0", "-frames:v", "1", "-vf", scale, "-q:v", "4"),
        *("-c:v", "mjpeg", "-f", "image2pipe", "pipe:1"),
    ]


def _keep(folder: StoreFolder, partial: Path, sha256: str, thumbnail: bytes) -> None:
    """Give a copied file its name. The picture comes first: a file without one is never there."""
    write_private_file(folder.thumbnail_file(sha256), thumbnail)
    partial.chmod(0o600)
    partial.replace(folder.media_file(sha256))
    sync_folder(folder.media)


def _not_kept(folder: StoreFolder, source: Path, problem: OSError) -> MediaError:
    """Say why a file is not in the library; on a full disk, how much room it wants."""
    why, advice = f"{_reason(problem)}.", "Look at the folder, and add the file again."
    if problem.errno in _NO_ROOM:
        wanted, left = source.stat().st_size, shutil.disk_usage(folder.media).free
        why = f"it takes {_mib(wanted)}, and the disk has {_mib(left)} left."
        advice = f"Make room on the disk of {folder.root}, then add the file again."
    return MediaError(
        f"{source.name} could not be copied into the library: {why}",
        advice=advice,
        subject=str(source),
    )


def _mib(size: int) -> str:
    return f"{size / 1024**2:.1f} MiB"


def _reason(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__
