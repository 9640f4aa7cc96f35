"""Reading the platform's answers, whichever driver got them. Pure."""

import json
from email.utils import parsedate_to_datetime
from typing import Any


def json_object(text: str) -> dict[str, Any] | None:
    """Return `text` as a JSON object, or None where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def seconds_of(date: str | None) -> float | None:
    """Return the time in a Date header, seconds since 1970; None where there is none."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
