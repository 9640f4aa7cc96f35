"""The rules over the limits: what is wrong with a caption, a file or a post. Pure.

Each function returns problems instead of raising, so that a whole batch can be judged at once.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, PostKind
from common.items import MediaRef
from common.reconcile import Visibility

_HASHTAG = re.compile(r"(?<!\w)#\w+")
_MENTION = re.compile(r"(?<![\w@])@[\w.]+")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaptionLimits(_Section):
    """What a caption may hold."""

    characters: int
    hashtags: int
    hashtags_advised: int
    mentions: int


class PhotoLimits(_Section):
    """What a photo may be. Ratios are width divided by height."""

    bytes: int
    ratio_minimum: float
    ratio_maximum: float
    width_minimum: int


class ReelLimits(_Section):
    """What a reel may be."""

    bytes: int
    seconds_minimum: float
    seconds_maximum: float
    width_maximum: int


class CarouselLimits(_Section):
    """How many files a carousel takes."""

    files_minimum: int
    files_maximum: int


class Limits(_Section):
    """All limits of one platform."""

    read_on: str
    """The date on which they were read, ISO."""
    caption: CaptionLimits
    photo: PhotoLimits
    reel: ReelLimits
    carousel: CarouselLimits
    visibility: dict[Platform, dict[DriverName, Visibility]]
    """By platform and driver, how long an effect may stay unseen."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the platform would refuse, or that is better changed."""

    severity: Literal["error", "warning"]
    field: str
    """`caption` or `media`."""
    message: str
    subject: str = ""
    """The file it is about, where it is about one."""


def load_limits() -> Limits:
    """Read the limits that this release ships."""
    text = files("common.limits").joinpath("instagram.toml").read_text("utf-8")
    return Limits.model_validate(tomllib.loads(text))


def visibility_of(platform: Platform, driver: DriverName) -> Visibility:
    """Return how long an effect may stay unseen; the longest known where the driver has none."""
    known = load_limits().visibility[platform]
    return known.get(driver) or max(known.values(), key=lambda each: each.bound)


def check_caption(caption: str, limits: Limits) -> Iterable[Problem]:
    """Yield what is wrong with a caption."""
    rules = limits.caption
    length = len(caption)
    if length > rules.characters:
        yield _error("caption", f"The caption has {length} characters; {rules.characters} fit.")
    hashtags = len(_HASHTAG.findall(caption))
    if hashtags > rules.hashtags:
        yield _error(
            "caption", f"The caption has {hashtags} hashtags; {rules.hashtags} are allowed."
        )
    elif hashtags > rules.hashtags_advised:
        yield Problem(
            "warning",
            "caption",
            f"The caption has {hashtags} hashtags; the platform announced a limit of "
            f"{rules.hashtags_advised}.",
        )
    mentions = len(_MENTION.findall(caption))
    if mentions > rules.mentions:
        yield _error("caption", f"The caption mentions {mentions} accounts; {rules.mentions} fit.")


def check_media(kind: PostKind, media: Sequence[MediaRef], limits: Limits) -> Iterable[Problem]:
    """Yield what is wrong with the files of one post."""
    if kind is PostKind.CAROUSEL:
        yield from _check_count(len(media), limits.carousel)
    elif len(media) != 1:
        yield _error("media", f"A {kind} is made of one file, not {len(media)}.")
    for file in media:
        if file.kind is MediaKind.VIDEO:
            yield from _check_video(file, limits.reel)
        elif kind is PostKind.REEL:
            yield _error("media", f"{file.name} is a photo; a reel needs a video.", file.name)
        else:
            yield from _check_photo(file, limits.photo)


def _check_count(count: int, rules: CarouselLimits) -> Iterable[Problem]:
    if not rules.files_minimum <= count <= rules.files_maximum:
        yield _error(
            "media",
            f"A carousel has {rules.files_minimum} to {rules.files_maximum} files, not {count}.",
        )


def _check_photo(file: MediaRef, rules: PhotoLimits) -> Iterable[Problem]:
    if file.size > rules.bytes:
        yield _error("media", f"{file.name} is larger than {_mib(rules.bytes)}.", file.name)
    if file.width < rules.width_minimum:
        yield _error(
            "media", f"{file.name} is {file.width} wide; {rules.width_minimum} is the least.",
            file.name,
        )  # fmt: skip
    ratio = file.width / file.height
    if not rules.ratio_minimum - 0.005 <= ratio <= rules.ratio_maximum + 0.005:
        yield Problem(
            "warning",
            "media",
            f"{file.name} is {file.width} × {file.height}; the platform crops it to between 4:5 "
            "and 1.91:1.",
            file.name,
        )


def _check_video(file: MediaRef, rules: ReelLimits) -> Iterable[Problem]:
    if file.duration < rules.seconds_minimum:
        yield _error(
            "media",
            f"{file.name} lasts {file.duration:.1f} s; a reel lasts at least "
            f"{rules.seconds_minimum:.0f} s.",
            file.name,
        )
    if file.duration > rules.seconds_maximum:
        yield _error(
            "media",
            f"{file.name} lasts {file.duration:.0f} s; a reel lasts at most "
            f"{rules.seconds_maximum:.0f} s.",
            file.name,
        )
    if file.size > rules.bytes:
        yield _error("media", f"{file.name} is larger than {_mib(rules.bytes)}.", file.name)
    if file.width > rules.width_maximum:
        yield _error(
            "media", f"{file.name} is {file.width} wide; {rules.width_maximum} is the most.",
            file.name,
        )  # fmt: skip


def _error(field: str, message: str, subject: str = "") -> Problem:
    return Problem("error", field, message, subject)


def _mib(size: int) -> str:
    return f"{size / 1024**2:.0f} MiB"
