"""Content: media, posts, the key that keeps one from being published twice, what a list shows."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class MediaKind(StrEnum):
    """What one file is."""

    PHOTO = "photo"
    VIDEO = "video"


class PostKind(StrEnum):
    """What one post is made of."""

    PHOTO = "photo"
    REEL = "reel"
    CAROUSEL = "carousel"


class Placement(StrEnum):
    """Where on the account a post appears."""

    FEED = "feed"
    REEL = "reel"


PLACEMENT_OF: dict[PostKind, Placement] = {
    PostKind.PHOTO: Placement.FEED,
    PostKind.CAROUSEL: Placement.FEED,
    PostKind.REEL: Placement.REEL,
}


def content_key(source_sha256s: Sequence[str], repeat: int = 0) -> str:
    """Return the key under which a post is published at most once per account and placement.

    Made from the source media alone: caption, rendition, driver and schedule are not in it, so
    that a corrected typo or a new encoder cannot publish the same media twice. `repeat` counts up
    only where the operator asked for another copy.
    """
    text = "\n".join([*source_sha256s, str(repeat)])
    return hashlib.sha256(text.encode()).hexdigest()


class Baseline(BaseModel):
    """What an account's own list of posts showed before a post was sent."""

    model_config = ConfigDict(frozen=True)

    post_ids: tuple[str, ...] = ()
    """Remote ids of the newest posts."""
    platform_time: float | None = None
    """The platform's clock just before the request, seconds since 1970; None where unknown."""
    is_estimate: bool = False
    """True where `platform_time` was told by a clock of ours, which may be wrong by much."""
    clock_ahead: float | None = Field(default=None, exclude=True)
    """By how many seconds the clock of the machine that asked was ahead of the platform's; None
    where unknown. Means nothing elsewhere or later: it is neither kept nor sent."""


class ListedPost(BaseModel):
    """One post as the account's own list shows it."""

    model_config = ConfigDict(frozen=True)

    remote_id: str
    url: str
    kind: PostKind | None = None
    """None where the list does not say."""
    caption: str | None = None
    """None where the list does not say."""
    taken_at: float | None = None
    """When it was published by the platform's clock, seconds since 1970; None if not shown."""


class NamedPost(BaseModel):
    """A post of which a person says that it is the one in doubt."""

    model_config = ConfigDict(frozen=True)

    remote_id: str
    url: str = ""
    by: str = ""
    """Who says so, to show."""

    @property
    def shown(self) -> str:
        """How to name it to an operator."""
        return self.url or self.remote_id
