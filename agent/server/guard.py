"""Who may come in at all: checked before any route, for HTTP and WebSockets alike.

Everything is refused unless it is one of the open routes or carries a token. A browser page can
never come in: it sends an Origin, or a name as Host that is not ours.
"""

import ipaddress
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.server.tokens import Grant, Tokens
from common.errors import FlotillaError, LinkError, ProtocolVersionError, TokenRefusedError
from common.protocol.messages import BULK_PATH, SUBPROTOCOL
from common.security.pairing import PAIR_PATH, token_digest

OPEN_PATHS = frozenset({PAIR_PATH, "/api/v1/health/simple"})
_FAILURES = 5
_FAILURE_SECONDS = 60.0
_ADDRESSES = 1000


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    guess: str


class FailureLimit:
    """Counts refused attempts per address.

    The same wrong guess again counts once: a desktop whose token was withdrawn goes on knocking
    with it, and must not keep its operator from pairing anew.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, deque[_Failure]] = {}

    def failed(self, address: str, guess: str) -> None:
        """Note a refused attempt; `guess` is the digest of what was tried."""
        if address not in self._failures and len(self._failures) >= _ADDRESSES:
            self._failures.pop(next(iter(self._failures)))
        failures = self._failures.setdefault(address, deque(maxlen=_FAILURES))
        if all(failure.guess != guess for failure in failures):
            failures.append(_Failure(self._clock(), guess))

    def is_over(self, address: str) -> bool:
        """Say whether an address has failed too often in the last minute."""
        failures = self._failures.get(address)
        if not failures:
            return False
        oldest_counted = self._clock() - _FAILURE_SECONDS
        return len(failures) == _FAILURES and failures[0].at > oldest_counted


class Guard:
    """The outermost ASGI layer of the door."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        failures: FailureLimit,
        *,
        own_names: Collection[str],
        settled: Callable[[tuple[str, int]], None],
    ) -> None:
        """`own_names` may stand in Host beside addresses.

        `settled` hears of each connection that was let in, or is being closed.
        """
        self._app = app
        self._tokens = tokens
        self._failures = failures
        self._own_names = frozenset(name.lower() for name in own_names)
        self._settled = settled
        self.is_closed = False
        """True while the agent stops: nothing new is let in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through to the application, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._judge(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, error = refusal
        await _answer(scope, receive, send, status, error)
        if scope["type"] == "websocket" and scope["client"]:
            self._settled(tuple(scope["client"]))

    def _judge(self, scope: Scope) -> tuple[int, FlotillaError] | None:
        headers = Headers(scope=scope)
        address = client_address(scope)
        if self.is_closed:
            return 503, LinkError("The agent is stopping.", advice="Try again in a minute.")
        if "origin" in headers:
            return 403, LinkError("Requests from web pages are refused.")
        if not self._is_own_name(headers.get("host", "")):
            return 403, LinkError(
                "The agent is not known under the name in this request.",
                field="host",
                advice="Dial it by address, or add the name to `public_host` in agent.toml.",
            )
        if scope["path"] not in OPEN_PATHS:
            return self._judge_token(scope, headers, address)
        if scope["path"] == PAIR_PATH and self._failures.is_over(address):
            return _too_many()
        return None

    def _judge_token(
        self, scope: Scope, headers: Headers, address: str
    ) -> tuple[int, FlotillaError] | None:
        token = _bearer(headers)
        grant = self._tokens.find(token)
        if grant is None:
            # A right token passes even then: only guesses are slowed down.
            if self._failures.is_over(address):
                return _too_many()
            self._failures.failed(address, token_digest(token))
            return 401, TokenRefusedError("The agent does not accept this token.")
        if scope["path"] == BULK_PATH and grant.scope != "control":
            return 403, TokenRefusedError("This token may watch, and not send files.")
        if scope["type"] == "websocket" and SUBPROTOCOL not in scope["subprotocols"]:
            return 400, ProtocolVersionError(
                f"The agent speaks {SUBPROTOCOL}, which the request does not offer."
            )
        scope.setdefault("state", {})["grant"] = grant
        if scope["client"]:
            self._settled(tuple(scope["client"]))
        return None

    def _is_own_name(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name in self._own_names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def grant_of(scope: Scope) -> Grant:
    """Return whose request this is; only behind the guard, on a route that is not open."""
    grant: Any = scope["state"]["grant"]
    if not isinstance(grant, Grant):
        raise TypeError("the request did not pass the guard")
    return grant


def client_address(scope: Scope) -> str:
    """Return the caller's address."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _bearer(headers: Headers) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _too_many() -> tuple[int, FlotillaError]:
    return 429, LinkError(
        "Too many refused attempts from this address.", advice="Wait a minute, then try again."
    )


async def _answer(
    scope: Scope, receive: Receive, send: Send, status: int, error: FlotillaError
) -> None:
    response = JSONResponse(error.to_wire().model_dump(), status_code=status)
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    await receive()
    await send(
        {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "websocket.http.response.body", "body": bytes(response.body)})
