"""The whole private API."""

from starlette.routing import Route

from practice.private_api.account import AccountRoutes
from practice.private_api.configure import ConfigureRoutes
from practice.private_api.feed import FeedRoutes
from practice.private_api.legacy_sign_in import LegacySignInRoutes
from practice.private_api.preflight import PreflightRoutes
from practice.private_api.rupload import RuploadRoutes
from practice.private_api.shapes import Shapes
from practice.private_api.sign_in import SignInRoutes
from practice.publishing import Publisher
from practice.signing_in import SignIn
from practice.state.platform import PlatformState


def private_api_routes(
    state: PlatformState, sign_in: SignIn, publisher: Publisher, base_url: str
) -> list[Route]:
    """Every route of the private API, the busiest first."""
    shapes = Shapes(base_url)
    return [
        *RuploadRoutes(state, publisher).routes(),
        *ConfigureRoutes(publisher, shapes).routes(),
        *FeedRoutes(state, shapes).routes(),
        *AccountRoutes(state, shapes).routes(),
        *PreflightRoutes(state).routes(),
        *SignInRoutes(state, sign_in).routes(),
        *LegacySignInRoutes(state, sign_in, shapes).routes(),
    ]
