"""How values and errors leave the API: as JSON, written once, with a fitting status."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from common.errors import (
    ConflictError,
    FlotillaError,
    InputError,
    LinkError,
    NotFoundError,
    PreflightError,
    StoreError,
    VaultError,
    WireError,
)

_STATUS: tuple[tuple[type[FlotillaError], int], ...] = (
    (InputError, 422),
    (PreflightError, 409),
    (NotFoundError, 404),
    (ConflictError, 409),
    (LinkError, 502),
    (VaultError, 503),
    (StoreError, 503),
)
_OTHER_STATUS = 500
_JSON = "application/json"

_log = logging.getLogger(__name__)


def answer(value: BaseModel) -> Response:
    """Write a value as it is; validating it a second time would cost more than reading it."""
    return Response(value.model_dump_json(), media_type=_JSON)


def add_error_answers(app: FastAPI) -> None:
    """Turn every error of a route into a `WireError` with a fitting status."""

    @app.exception_handler(FlotillaError)
    async def flotilla_error(_request: Request, error: FlotillaError) -> Response:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), _OTHER_STATUS)
        return _write(error.to_wire(), status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        # Never the input itself: it may hold a secret.
        field = ".".join(str(part) for part in first["loc"] if part not in {"body", "query"})
        refusal = InputError(f"The request does not fit: {field}: {first['msg']}.", field=field)
        return _write(refusal.to_wire(), 422)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        missing = NotFoundError(f"The core has no route {request.method} {request.url.path}.")
        return _write(missing.to_wire(), error.status_code)

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed.", request.method, request.url.path, exc_info=error)
        failed = FlotillaError(
            f"The core failed at this ({type(error).__name__}).", advice="Look at the core's log."
        )
        return _write(failed.to_wire(), _OTHER_STATUS)


def _write(error: WireError, status: int) -> Response:
    return Response(error.model_dump_json(), status, media_type=_JSON)
