"""Routes of attention cards."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.base import Page
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.core.app import CoreContext

Offset = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=10_000)]


def cards_router(core: CoreContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["cards"])

    @router.get(routes.CARDS, response_model=Page[CardRow])
    async def cards(*, resolved: bool = False, offset: Offset = 0, limit: Limit = 200) -> Response:
        """Return a slice of the open or the resolved attention cards, newest first."""
        revision = core.hub.revision
        found = core.views.cards(revision, resolved=resolved, offset=offset, limit=limit)
        return answer(await found)

    @router.post(routes.CARD_ACT, response_model=CardRow)
    async def act(card_id: str, command: ActOnCard) -> Response:
        """Answer an attention card."""
        return answer(await core.cards.act(card_id, command))

    return router
