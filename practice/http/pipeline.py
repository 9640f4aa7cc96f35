"""The way of every request: who is it, what should go wrong, then the route, then the count."""

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from practice.http.caller import identify
from practice.http.faults import Fault, FaultPlan
from practice.state.platform import PlatformState
from practice.values import RequestContext

REQUEST_ID_HEADER = b"x-practice-request-id"
_PRIVATE_API = ("/api/", "/rupload_", "/graphql_www", "/upload_settings/")


@dataclass(slots=True)
class Counters:
    """What the metrics route tells."""

    requests: int = 0
    faults: int = 0


class Pipeline:
    """Wraps the routes of the platform's public port."""

    def __init__(
        self,
        routes: ASGIApp,
        state: PlatformState,
        faults: FaultPlan,
        proxied_ports: Mapping[int, str],
        counters: Counters,
    ) -> None:
        """``proxied_ports`` maps the proxy's open outgoing ports to the proxy name in use."""
        self._routes = routes
        self._state = state
        self._faults = faults
        self._proxied_ports = proxied_ports
        self._counters = counters
        self._life = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        self._counters.requests += 1
        caller = identify(scope["headers"], self._context_of(scope), self._state)
        scope["state"]["caller"] = caller
        body = _RequestBody(receive)
        answer = _tagged(send, body, caller.context.request_id)
        fault = self._faults.take(
            scope["path"], caller.account.username if caller.account else None
        )
        if fault is None:
            await self._routes(scope, body.receive, answer)
        else:
            self._counters.faults += 1
            await self._suffer(fault, scope, body.receive, answer)

    async def _suffer(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case "delay_ms":
                await asyncio.sleep(fault.delay_ms / 1000)
                await self._routes(scope, receive, send)
            case "refuse_status":
                await _refuse(fault, send)
            case "drop_before_apply":
                await _drop(scope, receive)
            case "drop_after_apply":
                await self._routes(scope, receive, _discard)
                await _drop(scope, receive)

    def _context_of(self, scope: Scope) -> RequestContext:
        port = scope["client"][1] if scope["client"] else 0
        user_agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        return RequestContext(
            request_id=f"{self._life}-{next(self._numbers)}",
            source="private_api" if scope["path"].startswith(_PRIVATE_API) else "web",
            proxy=self._proxied_ports.get(port),
            user_agent=user_agent.decode("latin-1") or None,
        )


class _RequestBody:
    """A request's body on its way in, which knows whether it has arrived whole."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Take in what is left, so that an early answer doesn't cut off a sender mid-way."""
        while not self._ended:
            await self.receive()


def _tagged(send: Send, body: _RequestBody, request_id: str) -> Send:
    """``send`` that waits for the request's end and adds the request's id to the headers."""
    header = (REQUEST_ID_HEADER, request_id.encode())

    async def tagged(message: Message) -> None:
        if message["type"] == "http.response.start":
            await body.drain()
            message["headers"] = [*message["headers"], header]
        await send(message)

    return tagged


async def _refuse(fault: Fault, send: Send) -> None:
    if isinstance(fault.body, str):
        body, kind = fault.body.encode(), b"text/plain; charset=utf-8"
    else:
        refusal = {"message": "fault", "status": "fail"} if fault.body is None else fault.body
        body, kind = orjson.dumps(refusal), b"application/json"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drop(scope: Scope, receive: Receive) -> None:
    """Cut the connection without an answer and wait until it is gone."""
    scope["state"]["connection"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _discard(_: Message) -> None:
    """Swallow an answer."""
