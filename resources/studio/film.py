"""Writing photos and reels: JPEG under a size limit, and H.264 with AAC through ffmpeg."""

import io
import subprocess
import tempfile
import wave
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO, cast

import imageio_ffmpeg
from PIL import Image

from resources.studio.sound import RATE, Tune, play

FRAMES_PER_SECOND = 30
ENCODING_DEADLINE = 300.0  # seconds for one reel, once the last frame is handed over
SOUND_RATE = 96_000  # bits per second
BUFFER_SECONDS = 1.0  # how far ahead the encoder may spend its bits


def write_photo(picture: Image.Image, file: Path, limit: int = 240_000) -> None:
    """Save a JPEG of at most `limit` bytes, as good as that allows.

    Raises:
        ValueError: even the lowest acceptable quality is larger.
    """
    for quality in range(92, 60, -3):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= limit:
            file.write_bytes(buffer.getvalue())
            return
    raise ValueError(f"{file.name} does not fit in {limit} bytes; use less grain")


def write_reel(
    frames: Iterable[Image.Image], seconds: float, tune: Tune, file: Path, limit: int = 690_000
) -> None:
    """Encode `frames` and `seconds` of the tune as an mp4 that any player starts at once.

    The picture is as good as `limit` bytes for the whole file allow, and no better than looks good.

    Raises:
        RuntimeError: ffmpeg refused; the message holds its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder, "sound.wav")
        _write_sound(tune, seconds, sound)
        iterator = iter(frames)
        first = next(iterator)
        log = Path(folder, "log.txt")
        with (
            log.open("wb") as messages,
            subprocess.Popen(
                _command(first.size, sound, file, _rate(limit, seconds)),
                stdin=subprocess.PIPE,
                stderr=messages,
            ) as ffmpeg,
        ):
            pipe = cast("IO[bytes]", ffmpeg.stdin)
            for frame in chain([first], iterator):
                pipe.write(frame.tobytes())
            pipe.close()
            status = ffmpeg.wait(ENCODING_DEADLINE)
        if status:
            raise RuntimeError(f"ffmpeg could not write {file.name}: {log.read_text()[-500:]}")


def _write_sound(tune: Tune, seconds: float, file: Path) -> None:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(play(tune, seconds).tobytes())


def _rate(limit: int, seconds: float) -> int:
    """Highest video bits per second that keep a file of this length, with sound, under `limit`."""
    return int((limit * 8 - SOUND_RATE * 1.06 * seconds) / (seconds + BUFFER_SECONDS))


def _command(size: tuple[int, int], sound: Path, file: Path, rate: int) -> list[str]:
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-y", "-hide_banner", "-loglevel", "error"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}"),
        *("-r", str(FRAMES_PER_SECOND), "-i", "-", "-i", str(sound)),
        *("-c:v", "libx264", "-preset", "slow", "-crf", "23", "-threads", "1"),
        *("-maxrate", str(rate), "-bufsize", str(int(rate * BUFFER_SECONDS))),
        *("-profile:v", "high", "-level", "4.0", "-pix_fmt", "yuv420p", "-g", "60"),
        *("-vf", "scale=out_color_matrix=bt709:out_range=tv"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-c:a", "aac", "-b:a", str(SOUND_RATE), "-shortest"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-map_metadata", "-1", "-movflags", "+faststart", str(file)),
    ]
