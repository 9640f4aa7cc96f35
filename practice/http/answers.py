"""JSON answers, and the refusal that a route raises instead of returning one."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class JsonAnswer(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return orjson.dumps(content)


class RefusedError(Exception):
    """A route's decision not to do what was asked, as the client is told it."""

    def __init__(self, status: int, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Mapping[str, Any] = {"message": message, "status": "fail", **fields}


async def answer_refusal(_: Request, refusal: Exception) -> Response:
    """Turn a ``RefusedError`` into its response."""
    if not isinstance(refusal, RefusedError):
        raise refusal
    return JsonAnswer(refusal.body, status_code=refusal.status)


async def not_implemented(_: Request) -> Response:
    """The answer to every route that the platform doesn't have."""
    return JsonAnswer({"message": "not implemented", "status": "fail"}, status_code=404)
