"""Types of fields that come over a wire: numbers that every database holds, texts fit to be shown.

A peer may say anything. What these types let through can be stored by SQLite and PostgreSQL,
written as JSON, and put on a screen. They hold no meaning: that is the messages' own.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, JsonValue

from common.security.redaction import plain_text

_MOST = 2**53
"""JSON readers everywhere hold integers up to here exactly."""
_MOST_ATTEMPTS = 2**31 - 1
_LATEST = 32_503_680_000.0
"""The year 3000: later moments are no dates on every platform."""
_TEXT_CHARACTERS = 4096
_ID_CHARACTERS = 64
_ID = r"^[0-9A-Za-z_.:-]*$"
"""More than any id, epoch or digest of ours has."""


def shown_text(text: str) -> str:
    """Return a peer's text as it may stand on a screen."""
    # Most texts are as they should be, and events come by the thousand.
    if len(text) <= _TEXT_CHARACTERS and text.isprintable():
        return text
    return plain_text(text[:_TEXT_CHARACTERS])


def web_address(text: str) -> str:
    """Return an address of a page, or nothing where a text is none."""
    shown = shown_text(text)
    return shown if shown.startswith(("https://", "http://")) else ""


def moment(value: float | None) -> float | None:
    """Return a moment that a peer's clock may show, or None where it is none."""
    return value if value is not None and 0 <= value <= _LATEST else None


def _fraction(value: float) -> float:
    return min(max(value, 0.0), 1.0) if isfinite(value) else 0.0


def _writable(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object that JSON can be made of again, and that PostgreSQL can store.

    Raises ValueError for one of which no JSON can be made.
    """
    try:
        written = orjson.dumps(value)
    except TypeError as problem:
        raise ValueError("a number out of range, or nested too deeply") from problem
    return _without_zeros(value) if b"\\u0000" in written else value


def _without_zeros(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_zeros(name): _without_zeros(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_zeros(inner) for inner in value]
    return value


def _shown_json(value: Any) -> Any:
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, Mapping):
        return {shown_text(name): _shown_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown_json(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a number that is none")
    return value


def is_id_text(value: object) -> bool:
    """Say whether something that a peer sent can be one of our ids."""
    return (
        isinstance(value, str)
        and len(value) <= _ID_CHARACTERS
        and re.fullmatch(_ID, value) is not None
    )


Count = Annotated[int, Field(ge=0, le=_MOST)]
"""A number of things, an offset, a size in bytes, a place in a sequence."""
Attempt = Annotated[int, Field(ge=0, le=_MOST_ATTEMPTS)]
Channel = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
"""As much as a frame's header holds."""
Moment = Annotated[float, Field(ge=0, le=_LATEST, allow_inf_nan=False)]
"""Seconds since 1970."""
Fraction = Annotated[float, AfterValidator(_fraction)]
"""How far something is, 0 to 1."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
IdText = Annotated[str, Field(max_length=_ID_CHARACTERS, pattern=_ID)]
"""An id, an epoch, a digest."""
ShownText = Annotated[str, AfterValidator(shown_text)]
"""Text for a person: cut to a size that fits, without characters that mislead or command."""
WebAddress = Annotated[str, AfterValidator(web_address)]
"""An address that may be opened by a click; anything else is left empty."""
JsonBody = Annotated[dict[str, Any], AfterValidator(_writable)]
"""Any JSON object, as it came but for zero characters, which PostgreSQL cannot store."""
JsonResult = Annotated[dict[str, JsonValue], AfterValidator(_writable), AfterValidator(_shown_json)]
"""Any JSON object, with every text in it fit to be shown."""
