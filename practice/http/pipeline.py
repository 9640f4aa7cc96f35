"""The way of every request: who is it, what should go wrong, then the route, then the count."""

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from practice.http.body import RequestBody
from practice.http.caller import Caller, identify
from practice.http.faults import Fault, FaultPlan, Hit
from practice.state.platform import PlatformState
from practice.values import RequestContext

REQUEST_ID_HEADER = b"x-practice-request-id"
_PRIVATE_API = ("/api/", "/rupload_", "/graphql_www", "/upload_settings/")


@dataclass(slots=True)
class Counters:
    """What the metrics route tells."""

    requests: int = 0
    faults: int = 0
    late: int = 0
    """Requests whose sender was cut off and whose effect is still to come."""


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
        body = RequestBody(receive)
        answer = _tagged(send, body, caller.context.request_id)
        hit = self._faults.take(scope["path"], caller.account.username if caller.account else None)
        if hit is None:
            await self._routes(scope, body.receive, answer)
        else:
            await self._suffer(hit, caller, scope, body, answer)

    async def _suffer(
        self, hit: Hit, caller: Caller, scope: Scope, body: RequestBody, send: Send
    ) -> None:
        self._counters.faults += len(hit.faults)
        for fault in hit.faults:
            self._state.record_fault(fault.kind, scope["path"], caller.account, caller.context)
        scope["state"]["caller"] = self._modified(caller, hit)
        if (delay := hit.delay_of("delay_ms")) and not await self._held_up(delay, body):
            return
        answer = hit.answer
        if answer is None:
            await self._routes(scope, body.receive, send)
            return
        match answer.kind:
            case "refuse_status":
                await _refuse(answer, send)
            case "drop_before_apply":
                await _drop(scope, body)
            case "drop_after_apply":
                await self._routes(scope, body.receive, _discard)
                await _drop(scope, body)
            case "status_after_apply":
                await self._routes(scope, body.receive, _discard)
                await _refuse(answer, send)
            case "apply_late":
                await self._apply_late(answer.delay_ms, scope, body)

    def _modified(self, caller: Caller, hit: Hit) -> Caller:
        """The caller as the route will see it."""
        context = replace(caller.context, list_late_ms=hit.delay_of("list_late"))
        if hit.has("expire_session") and caller.session and caller.account:
            self._state.close_session(caller.session, caller.account, "session_revoked", context)
            return Caller(context)
        return replace(caller, context=context)

    async def _held_up(self, delay_ms: int, body: RequestBody) -> bool:
        """Take the request in and wait; whether there is still something to do."""
        resets = self._state.resets
        if not await body.take_in():
            return False
        await asyncio.sleep(delay_ms / 1000)
        return self._state.resets == resets

    async def _apply_late(self, delay_ms: int, scope: Scope, body: RequestBody) -> None:
        """Cut the connection and run the route later, in the server's own task of this request.

        A server that stops cancels its tasks. To this one that is an end like any other, for
        nobody waits for an answer any more.
        """
        if not await body.take_in():
            return
        self._counters.late += 1
        try:
            await _drop(scope, body)
            if await self._held_up(delay_ms, body):
                await self._routes(scope, body.receive, _discard)
        except asyncio.CancelledError:
            return
        finally:
            self._counters.late -= 1

    def _context_of(self, scope: Scope) -> RequestContext:
        port = scope["client"][1] if scope["client"] else 0
        user_agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        return RequestContext(
            request_id=f"{self._life}-{next(self._numbers)}",
            source="private_api" if scope["path"].startswith(_PRIVATE_API) else "web",
            proxy=self._proxied_ports.get(port),
            user_agent=user_agent.decode("latin-1") or None,
        )


def _tagged(send: Send, body: RequestBody, request_id: str) -> Send:
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


async def _drop(scope: Scope, body: RequestBody) -> None:
    """Cut the connection without an answer and wait until it is gone."""
    scope["state"]["connection"].abort()
    await body.sender_gone()


async def _discard(_: Message) -> None:
    """Swallow an answer."""
