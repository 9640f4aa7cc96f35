"""The routes: pairing, health, metrics, and the two links. Who may use them: `guard.py`."""

import time
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import SecretStr, ValidationError

from agent.server.bulk import BulkLink
from agent.server.context import AgentContext
from agent.server.control import ControlLink
from agent.server.guard import client_address, grant_of
from agent.server.metrics import Metrics
from agent.server.pairing import redeem_code
from common.errors import InputError, PairingRefusedError
from common.protocol.messages import BULK_PATH, CONTROL_PATH, SUBPROTOCOL
from common.security.pairing import PAIR_PATH, PairRequest, PairResponse, token_digest
from common.version import VERSION

_PAIR_BYTES = 4096


def build_app(context: AgentContext) -> FastAPI:
    """Return the application behind the guard."""
    app = FastAPI(title="Flotilla agent", version=VERSION, docs_url=None, openapi_url=None)
    metrics = Metrics(context)

    @app.get("/api/v1/health/simple")
    async def health_simple() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/v1/health")
    async def health() -> dict[str, Any]:
        return _health(context)

    @app.get("/api/v1/metrics")
    async def metrics_text() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.post(PAIR_PATH)
    async def pair(request: Request) -> Response:
        return await _pair(context, request)

    @app.websocket(CONTROL_PATH)
    async def control(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol=SUBPROTOCOL)
        await ControlLink(websocket, grant_of(websocket.scope), context).serve()

    @app.websocket(BULK_PATH)
    async def bulk(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol=SUBPROTOCOL)
        await BulkLink(websocket, context).serve()

    return app


def _health(context: AgentContext) -> dict[str, Any]:
    facts = context.facts
    return {
        "status": "ok",
        "version": VERSION,
        "agent_id": facts.agent_id,
        "name": facts.name,
        "boot_id": facts.boot_id,
        "epoch": context.outbox.epoch,
        "uptime_seconds": round(time.time() - facts.started_at, 1),
        "drivers": list(facts.drivers),
        "tasks": list(facts.tasks),
        "browser_slots": facts.browser_slots,
        **asdict(context.health()),
    }


async def _pair(context: AgentContext, request: Request) -> Response:
    try:
        asked = PairRequest.model_validate_json(await _small_body(request))
    except (ValidationError, ValueError):
        error = InputError("The pairing request cannot be read.", field="body")
        return JSONResponse(error.to_wire().model_dump(), status_code=400)
    code = asked.code.get_secret_value()
    try:
        opened = redeem_code(context.facts.data, code, time.time())
    except PairingRefusedError as refusal:
        context.failures.failed(client_address(request.scope), token_digest(code))
        return JSONResponse(refusal.to_wire().model_dump(), status_code=403)
    issued = await context.tokens.issue(
        asked.store_id, asked.desktop_name, take_over=opened.take_over
    )
    answer = PairResponse(
        token=SecretStr(issued.token),
        scope=issued.grant.scope,
        agent_id=context.facts.agent_id,
        agent_name=context.facts.name,
    )
    return Response(answer.model_dump_json(), media_type="application/json")


async def _small_body(request: Request) -> bytes:
    """Read a body of a few kilobytes; raises ValueError for a larger one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _PAIR_BYTES:
            raise ValueError("body too large")
    return body
