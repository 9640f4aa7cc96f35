"""What is published: media, posts and the key that keeps a post from being published twice."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum


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
