"""The request bodies of the mobile client: signed JSON, and forms with JSON inside."""

from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.requests import Request

from practice.http.answers import RefusedError

_SIGNED = b"signed_body=SIGNATURE."


async def signed_json(request: Request) -> dict[str, Any]:
    """The JSON object in ``signed_body=SIGNATURE.<JSON>``.

    Raises:
        RefusedError: 400 when the body has another form.
    """
    body = await request.body()
    if not body.startswith(_SIGNED):
        raise RefusedError(400, "The request isn't signed.")
    return _object(unquote_plus(body[len(_SIGNED) :].decode("latin-1")))


async def bloks_params(request: Request) -> dict[str, Any]:
    """The JSON object in the form field ``params``; raises like ``signed_json``."""
    fields = await form_fields(request)
    return _object(fields.get("params", ""))


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form."""
    return dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))


def text_at(values: Any, *path: str) -> str:
    """The text at a path of keys; empty when it isn't there."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, str) else ""


def _object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError(400, "The request holds no JSON object.")
    return value
