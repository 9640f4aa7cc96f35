"""Reading the platform's answers, whichever driver got them. Pure."""

import json
from typing import Any


def json_object(text: str) -> dict[str, Any] | None:
    """Return `text` as a JSON object, or None where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
