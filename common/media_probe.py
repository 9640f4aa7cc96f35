"""Reads what ffmpeg says of a file (`ffmpeg -i FILE`). Pure: text in, values out."""

import re
from dataclasses import dataclass

_DURATION = re.compile(r"^\s*Duration:\s*(\d+):(\d+):(\d+(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(r"^\s*Stream #\S+.*?: (Video|Audio): (\w+)(.*)$", re.MULTILINE)
_SIZE = re.compile(r"[,\s](\d{2,5})x(\d{2,5})(?=[,\s]|$)")
_RATE = re.compile(r"([\d.]+) fps")
_ROTATION = re.compile(r"Display Matrix: rotation of (-?[\d.]+) degrees")
_PICTURE = "(attached pic)"


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a file holds."""

    duration: float
    """Seconds; 0 where ffmpeg names none, as for a picture."""
    width: int
    """Pixels as shown, that is, after rotation; 0 without a picture."""
    height: int
    """Pixels as shown, that is, after rotation; 0 without a picture."""
    video_codec: str = ""
    audio_codec: str = ""
    """Empty where there is no sound."""
    frame_rate: float = 0.0
    """Frames per second; 0 where unknown."""


def parse_ffmpeg_text(text: str) -> MediaFacts | None:
    """Return what `text` says of the input, or None where ffmpeg could not read it."""
    text = text.split("\nOutput #0", 1)[0]
    streams = [match for match in _STREAM.finditer(text) if _PICTURE not in match[3]]
    if not streams:
        return None
    video = next((match for match in streams if match[1] == "Video"), None)
    audio = next((match for match in streams if match[1] == "Audio"), None)
    width, height = _size(video[3], text) if video else (0, 0)
    rate = _RATE.search(video[3]) if video else None
    return MediaFacts(
        duration=_duration(text),
        width=width,
        height=height,
        video_codec=video[2] if video else "",
        audio_codec=audio[2] if audio else "",
        frame_rate=float(rate[1]) if rate else 0.0,
    )


def _duration(text: str) -> float:
    found = _DURATION.search(text)
    if not found:
        return 0.0
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _size(stream: str, text: str) -> tuple[int, int]:
    found = _SIZE.search(stream)
    if not found:
        return 0, 0
    width, height = int(found[1]), int(found[2])
    rotation = _ROTATION.search(text)
    if rotation and round(float(rotation[1])) % 180 == 90:
        return height, width
    return width, height
