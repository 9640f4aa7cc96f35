"""Lets only our own clients in: the right token, no `Origin`, and a host name of this machine.

A page in a browser on this machine can reach a loopback port; it can neither know the token nor
hide its origin, and a foreign host name tells that a name was bent to this address.
"""

import hmac

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from common.errors import WireError
from desktop_app.core.app import Presence

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Guard:
    """ASGI middleware around the whole API."""

    def __init__(self, app: ASGIApp, token: str, presence: Presence) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._presence = presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or let the request through."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if refusal := self._refusal(Headers(scope=scope)):
            await refusal(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        self._presence.request_began()
        try:
            await self._app(scope, receive, send)
        finally:
            self._presence.request_ended()

    def _refusal(self, headers: Headers) -> Response | None:
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if "origin" in headers or host not in _LOCAL_HOSTS:
            return _refuse(403, "The core takes no requests from web pages or other machines.")
        given = headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            return _refuse(401, "The core does not know this token.")
        return None


def _refuse(status: int, message: str) -> Response:
    error = WireError(code="token_refused", message=message, advice="Read core.json again.")
    return Response(error.model_dump_json(), status, media_type="application/json")
