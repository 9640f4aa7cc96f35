"""Puts the local API together."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from common.version import VERSION
from desktop_app.api.accounts import accounts_router
from desktop_app.api.agents import agents_router
from desktop_app.api.answers import add_error_answers
from desktop_app.api.cards import cards_router
from desktop_app.api.guard import Guard
from desktop_app.api.media import media_router
from desktop_app.api.proxies import proxies_router
from desktop_app.api.runs import runs_router
from desktop_app.api.sockets import sockets_router
from desktop_app.api.system import system_router
from desktop_app.core.app import CoreContext


def make_api(core: CoreContext, token: str) -> ASGIApp:
    """Return the API of a core, open to whoever shows `token`."""
    app = FastAPI(title="Flotilla core", version=VERSION, docs_url=None, redoc_url=None)
    add_error_answers(app)
    for router in (
        system_router(core),
        accounts_router(core.accounts),
        cards_router(core),
        proxies_router(core.proxies),
        agents_router(core),
        media_router(core.media),
        runs_router(core),
        sockets_router(core),
    ):
        app.include_router(router)
    return Guard(app, token, core.presence)
