"""What the benchmarks publish, and who publishes it."""

import io
import secrets
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_WIDTH, _HEIGHT = 1080, 1350
_START_OF_IMAGE = b"\xff\xd8"
_COMMENT = 0xFFFE


def accounts(count: int) -> list[dict[str, Any]]:
    """Return practice accounts with passwords of their own."""
    return [
        {"username": f"bench.{number:04d}", "password": secrets.token_urlsafe(12)}
        for number in range(count)
    ]


def photos(folder: Path, count: int) -> list[Path]:
    """Write `count` photos of a usual size, each with bytes of its own, and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = _picture()
    paths = []
    for number in range(count):
        note = secrets.token_bytes(8)
        # A comment segment makes the file another one without encoding it again.
        segment = struct.pack(">HH", _COMMENT, len(note) + 2) + note
        path = folder / f"photo-{number:05d}.jpg"
        path.write_bytes(_START_OF_IMAGE + segment + picture[len(_START_OF_IMAGE) :])
        paths.append(path)
    return paths


def _picture() -> bytes:
    """Return a JPEG with the detail of an ordinary photo, so that decoding costs what it does."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    waves = np.sin(x / 37.0) * np.cos(y / 53.0) + np.sin((x + 2 * y) / 91.0)
    grain = np.random.default_rng(7).normal(0, 0.12, waves.shape)
    tone = np.clip((waves + grain + 2) / 4, 0, 1)
    pixels = np.stack([tone * 220, tone * 170 + 40, 120 - tone * 60], axis=-1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=82)
    return out.getvalue()
