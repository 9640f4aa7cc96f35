"""The cover of a video: its first frame as JPEG, made once per video by ffmpeg."""

import asyncio
import contextlib
from pathlib import Path
from uuid import uuid4

import ffmpeg
import imageio_ffmpeg

from common.errors import MediaError

_SECONDS = 30.0
_WIDEST = 1080


async def ensure_cover(video: Path, sha256: str, folder: Path) -> Path:
    """Return the cover of `video`; it is kept in `folder` under the video's SHA-256.

    Raises MediaError where ffmpeg cannot read a first frame in time.
    """
    cover = folder / f"{sha256}.jpg"
    if cover.exists():
        return cover
    folder.mkdir(parents=True, exist_ok=True)
    # A name of its own for each call: many accounts may need the same cover at the same time.
    partial = folder / f"{sha256}.{uuid4().hex}.partial.jpg"
    try:
        await _run(first_frame_command(video, partial))
        if not partial.exists() or partial.stat().st_size == 0:
            raise MediaError("The video has no frame that could be its cover.")
        if not cover.exists():
            partial.replace(cover)
    finally:
        partial.unlink(missing_ok=True)
    return cover


def first_frame_command(video: Path, output: Path) -> list[str]:
    """Return ffmpeg's arguments: local MP4 or MOV files only, nothing read from a console."""
    stream = ffmpeg.input(str(video), f="mov", protocol_whitelist="file,pipe")
    stream = ffmpeg.filter(stream.video, "scale", f"min({_WIDEST},iw)", -2)
    stream = ffmpeg.output(stream, str(output), vframes=1, **{"q:v": 3})
    stream = stream.global_args("-nostdin", "-hide_banner", "-loglevel", "error")
    command: list[str] = ffmpeg.compile(
        stream, cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True
    )
    return command


async def _run(command: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            _, complaint = await process.communicate()
    except TimeoutError:
        raise MediaError(f"ffmpeg made no cover within {_SECONDS:.0f} seconds.") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        reason = lines[-1].replace(command[-2], "").strip()[:200] if lines else "no reason given"
        raise MediaError(f"The video cannot be read: {reason}")
