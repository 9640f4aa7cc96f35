"""The signed-in account itself, other accounts, and signing out."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.private_api.access import signed_in
from practice.private_api.shapes import Shapes
from practice.state.platform import PlatformState
from practice.values import Account


class AccountRoutes:
    """Reads about accounts."""

    def __init__(self, state: PlatformState, shapes: Shapes) -> None:
        self._state = state
        self._shapes = shapes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        users = "/api/v1/users"
        return [
            Route("/api/v1/accounts/current_user/", self.current_user, methods=["GET"]),
            Route("/api/v1/accounts/logout/", self.sign_out, methods=["POST"]),
            Route(f"{users}/{{user_id:int}}/info/", self.user_by_id, methods=["GET"]),
            Route(f"{users}/{{username}}/usernameinfo/", self.user_by_name, methods=["GET"]),
        ]

    async def current_user(self, request: Request) -> Response:
        """The account of the session."""
        account, _, _ = signed_in(request)
        return JsonAnswer({"user": self._shapes.account(account), "status": "ok"})

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        account, session, context = signed_in(request)
        self._state.close_session(session, account, "signed_out", context)
        return JsonAnswer({"status": "ok"})

    async def user_by_id(self, request: Request) -> Response:
        """Another account by number."""
        signed_in(request)
        return self._user(self._state.accounts.by_id(request.path_params["user_id"]))

    async def user_by_name(self, request: Request) -> Response:
        """Another account by name."""
        signed_in(request)
        return self._user(self._state.accounts.by_name(request.path_params["username"]))

    def _user(self, account: Account | None) -> Response:
        if account is None:
            raise RefusedError(404, "User not found")
        count = self._state.listings.count_of(account.user_id)
        return JsonAnswer({"user": self._shapes.user(account, count), "status": "ok"})
