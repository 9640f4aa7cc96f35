"""The door of the admin API: a token, a local address, and never a web page."""

import hmac
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from practice.http.answers import JsonAnswer

_LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}


class AdminGuard:
    """Lets a request through to ``routes`` when it carries the token and no Origin."""

    def __init__(self, routes: ASGIApp, token: str) -> None:
        self._routes = routes
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        problem = self._problem(dict(scope["headers"])) if scope["type"] == "http" else None
        if problem is None:
            await self._routes(scope, receive, send)
            return
        status, message = problem
        answer = JsonAnswer({"message": message, "status": "fail"}, status_code=status)
        await answer(scope, receive, send)

    def _problem(self, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        if b"origin" in headers:
            return 403, "The admin API takes no requests from web pages."
        host = urlsplit("//" + headers.get(b"host", b"").decode("latin-1")).hostname
        if host not in _LOCAL_NAMES:
            return 403, "The admin API is called by its loopback address only."
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._expected):
            return 401, "Send the admin token from the ready file as a bearer token."
        return None
