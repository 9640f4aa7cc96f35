"""The pages for looking: home, profile, post, and the stored media they show."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from practice.probe import sniff_type
from practice.state.platform import PlatformState
from practice.web.guard import viewer_of
from practice.web.rendering import Renderer, avatar_svg
from practice.web.sign_in import WELCOME_COOKIE

_HOME_POSTS = 20
_GRID_POSTS = 60


class Pages:
    """Public pages, and the home page of who is signed in."""

    def __init__(self, state: PlatformState, renderer: Renderer) -> None:
        self._state = state
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """The routes of this area; the profile comes last, for it takes any name."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/create/", self.create, methods=["GET"]),
            Route("/p/{code}/", self.post, methods=["GET"]),
            Route("/media/{sha256}", self.media, methods=["GET"]),
            Route("/avatars/{username}.svg", self.avatar, methods=["GET"]),
            Route("/{username}/", self.profile, methods=["GET"]),
        ]

    async def home(self, request: Request) -> Response:
        """The feed, or the sign-in page for a stranger."""
        return self._home(request, compose=False)

    async def create(self, request: Request) -> Response:
        """The feed with the dialog for a new post already open."""
        return self._home(request, compose=True)

    async def profile(self, request: Request) -> Response:
        """An account with the grid of its posts."""
        account = self._state.accounts.by_name(request.path_params["username"])
        if account is None:
            raise HTTPException(404, "No account has that name.")
        posts, _ = self._state.listings.page_of(account.user_id, _GRID_POSTS)
        return self._renderer.page(
            "profile.html",
            viewer_of(request).account,
            owner=account,
            count=self._state.listings.count_of(account.user_id),
            posts=[self._renderer.post_view(post) for post in posts],
        )

    async def post(self, request: Request) -> Response:
        """One post; open to everyone."""
        post = self._state.listings.by_code(request.path_params["code"])
        if post is None:
            raise HTTPException(404, "There is no such post.")
        view = self._renderer.post_view(post)
        return self._renderer.page("post.html", viewer_of(request).account, post=view)

    async def media(self, request: Request) -> Response:
        """Stored bytes by their digest; parts of them when asked for a range."""
        path = self._state.media.find(request.path_params["sha256"])
        if path is None:
            raise HTTPException(404, "There is no such file.")
        with path.open("rb") as file:
            kind = sniff_type(file.read(16))
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "x-content-type-options": "nosniff",
        }
        return FileResponse(path, media_type=kind, headers=headers)

    async def avatar(self, request: Request) -> Response:
        """An account's picture."""
        svg = avatar_svg(request.path_params["username"])
        return Response(svg, media_type="image/svg+xml")

    async def missing(self, request: Request, error: Exception) -> Response:
        """The page for what isn't there."""
        reason = error.detail if isinstance(error, HTTPException) else "There is no such page."
        return self._renderer.page("missing.html", viewer_of(request).account, 404, reason=reason)

    def _home(self, request: Request, compose: bool) -> Response:
        viewer = viewer_of(request).account
        if viewer is None:
            return RedirectResponse("/accounts/login/", status_code=303)
        newest = self._state.listings.newest(_HOME_POSTS)
        posts = [self._renderer.post_view(post) for post in newest]
        welcome = WELCOME_COOKIE in request.cookies
        answer = self._renderer.page(
            "home.html", viewer, posts=posts, welcome=welcome, compose=compose
        )
        if welcome:
            answer.delete_cookie(WELCOME_COOKIE, httponly=True, samesite="lax")
        return answer
