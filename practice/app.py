"""Builds the platform: its books, its rules, its two applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from practice.admin.api import AdminApi
from practice.admin.guard import AdminGuard
from practice.http.answers import RefusedError, answer_refusal, not_implemented
from practice.http.faults import FaultPlan
from practice.http.pipeline import Counters, Pipeline
from practice.private_api.routes import private_api_routes
from practice.publishing import Publisher
from practice.signing_in import SignIn
from practice.state.platform import PlatformState
from practice.web.create import CreatePost
from practice.web.pages import Pages
from practice.web.rendering import HERE, Renderer
from practice.web.sign_in import SignInPages


@dataclass(frozen=True, slots=True)
class Applications:
    """What the two ports serve."""

    public: ASGIApp
    admin: ASGIApp


def build(
    state: PlatformState, base_url: str, proxied_ports: Mapping[int, str], admin_token: str
) -> Applications:
    """Build both applications over one state.

    ``base_url`` is the public port's own address, for links inside answers.
    """
    faults, counters = FaultPlan(), Counters()
    routes = _public_routes(state, base_url)
    return Applications(
        public=Pipeline(routes, state, faults, proxied_ports, counters),
        admin=AdminGuard(AdminApi(state, faults, counters).app(), admin_token),
    )


def _public_routes(state: PlatformState, base_url: str) -> ASGIApp:
    sign_in, publisher, renderer = SignIn(state), Publisher(state), Renderer(state)
    pages = Pages(state, renderer)
    routes: list[BaseRoute] = [
        *private_api_routes(state, sign_in, publisher, base_url),
        Mount("/static", StaticFiles(directory=Path(HERE) / "static")),
        *SignInPages(state, sign_in, renderer).routes(),
        *CreatePost(state, publisher).routes(),
        *pages.routes(),
    ]

    async def missing(request: Request, error: Exception) -> Response:
        """A page for browsers, JSON for everything that calls an interface."""
        if "text/html" in request.headers.get("accept", ""):
            return await pages.missing(request, error)
        return await not_implemented(request)

    return Starlette(
        routes=routes,
        exception_handlers={RefusedError: answer_refusal, 404: missing, 405: missing},
    )
