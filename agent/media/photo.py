"""Photos as the platform takes them: JPEG, RGB, upright, within a ratio and a size.

A file that already is one is passed on byte for byte; everything else is made into one.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from common.errors import MediaError

_QUALITY = 92


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """What a photo may be. Ratios are width divided by height."""

    ratio_minimum: float
    ratio_maximum: float
    size_maximum: tuple[int, int]
    """Widest width and highest height, pixels."""


FEED = PhotoRules(4 / 5, 1.91, (1080, 1350))
COVER = PhotoRules(9 / 16, 1.91, (1080, 1920))
_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True)
class ReadyPhoto:
    """A JPEG to upload."""

    data: bytes
    width: int
    height: int


def make_ready(path: Path, rules: PhotoRules) -> ReadyPhoto:
    """Return the photo at `path` as JPEG within `rules`; it is cropped in the middle if need be.

    Raises MediaError where the file is no picture.
    """
    try:
        with Image.open(path) as image:
            if _is_ready(image, rules):
                return ReadyPhoto(path.read_bytes(), *image.size)
            return _made(image, rules)
    except (OSError, Image.DecompressionBombError, ValueError) as error:
        raise MediaError(f"A photo cannot be read: {type(error).__name__}.") from error


def _is_ready(image: Image.Image, rules: PhotoRules) -> bool:
    width, height = image.size
    ratio = width / height
    return (
        image.format == "JPEG"
        and image.mode == "RGB"
        and "exif" not in image.info
        and rules.ratio_minimum - _TOLERANCE <= ratio <= rules.ratio_maximum + _TOLERANCE
        and width <= rules.size_maximum[0]
        and height <= rules.size_maximum[1]
    )


def _made(image: Image.Image, rules: PhotoRules) -> ReadyPhoto:
    upright = ImageOps.exif_transpose(image)
    cropped = _crop(_flatten(upright), rules)
    cropped.thumbnail(rules.size_maximum, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    cropped.save(out, "JPEG", quality=_QUALITY, optimize=False)
    return ReadyPhoto(out.getvalue(), *cropped.size)


def _flatten(image: Image.Image) -> Image.Image:
    """Return the image in RGB, on white where it was transparent."""
    if image.mode == "RGB":
        return image
    layered = image.convert("RGBA")
    flat = Image.new("RGB", layered.size, (255, 255, 255))
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat


def _crop(image: Image.Image, rules: PhotoRules) -> Image.Image:
    width, height = image.size
    ratio = width / height
    if ratio < rules.ratio_minimum:
        target = (width, round(width / rules.ratio_minimum))
    elif ratio > rules.ratio_maximum:
        target = (round(height * rules.ratio_maximum), height)
    else:
        return image
    left, top = (width - target[0]) // 2, (height - target[1]) // 2
    return image.crop((left, top, left + target[0], top + target[1]))
