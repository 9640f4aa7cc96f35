"""Routes of agents: list, pair, forget, drain, and which accounts they have."""

from fastapi import APIRouter
from starlette.responses import Response

from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.accounts import MoveAccounts, MoveResult
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Page
from desktop_app.core.app import CoreContext


def agents_router(core: CoreContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["agents"])

    @router.get(routes.AGENTS, response_model=Page[AgentRow])
    async def agents() -> Response:
        """Return all agents."""
        return answer(await core.views.agents(core.hub.revision))

    @router.post(routes.AGENTS_PAIR, response_model=AgentRow)
    async def pair(command: PairAgent) -> Response:
        """Pair by the line that `flotilla-agent pair` prints."""
        return answer(await core.fleet.pair(command.line.get_secret_value()))

    @router.post(routes.AGENTS_FORGET, response_model=Changed)
    async def forget(command: ForgetAgent) -> Response:
        """Forget a paired agent."""
        revision = await core.fleet.forget(command.id, force=command.force)
        return answer(Changed(revision=revision, ids=[command.id]))

    @router.post(routes.AGENTS_DRAIN, response_model=Changed)
    async def drain(command: DrainAgent) -> Response:
        """Give an agent nothing new, or let it have work again."""
        return answer(await core.moves.drain(command))

    @router.post(routes.ACCOUNTS_MOVE, response_model=MoveResult)
    async def move(command: MoveAccounts) -> Response:
        """Give accounts to another agent, at once or when the old one has ended what it holds."""
        return answer(await core.moves.move(command))

    return router
