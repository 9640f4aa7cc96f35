"""Identifiers: what they look like. They are made where something is created, and never guessed."""

import re

from ulid import ULID

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def new_id() -> str:
    """Return a fresh ULID: 26 characters that sort by the time they were made."""
    return str(ULID())


def made_at(text: str) -> float | None:
    """Return when a ULID was made, seconds since 1970 by its maker's clock; None if it is none."""
    return ULID.from_str(text).timestamp if is_id(text) else None


def is_id(text: str) -> bool:
    """Say whether `text` is a ULID as `new_id` makes them."""
    return bool(_ULID.fullmatch(text))


def is_sha256(text: str) -> bool:
    """Say whether `text` is a lower-case hexadecimal SHA-256, the name of every blob."""
    return bool(_SHA256.fullmatch(text))
