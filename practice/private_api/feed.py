"""Reading posts: the home feed, an account's own feed, and one post."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.private_api.access import signed_in
from practice.private_api.shapes import Shapes
from practice.state.platform import PlatformState

_PAGE = 12
_LARGEST_PAGE = 33
_HOME = 10


class FeedRoutes:
    """Listings and single posts."""

    def __init__(self, state: PlatformState, shapes: Shapes) -> None:
        self._state = state
        self._shapes = shapes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("/api/v1/feed/reels_tray/", self.reels_tray, methods=["POST"]),
            Route("/api/v1/feed/timeline/", self.timeline, methods=["POST"]),
            Route("/api/v1/feed/user/{user_id:int}/", self.user_feed, methods=["GET"]),
            Route("/api/v1/media/{media_id}/info/", self.media_info, methods=["GET"]),
        ]

    async def reels_tray(self, request: Request) -> Response:
        """The stories on top of the home feed; the platform has none yet."""
        signed_in(request)
        return JsonAnswer({"tray": [], "status": "ok"})

    async def timeline(self, request: Request) -> Response:
        """The home feed: the newest posts of everyone."""
        signed_in(request)
        posts = self._state.listings.newest(_HOME)
        items = [{"media_or_ad": self._shapes.media(post)} for post in posts]
        return JsonAnswer({"feed_items": items, "status": "ok"})

    async def user_feed(self, request: Request) -> Response:
        """One page of one account's posts, newest first."""
        signed_in(request)
        user_id: int = request.path_params["user_id"]
        if self._state.accounts.by_id(user_id) is None:
            raise RefusedError(404, "User not found")
        count = _number(request.query_params.get("count", "")) or _PAGE
        before = _number(request.query_params.get("max_id", "").partition("_")[0])
        posts, older = self._state.listings.page_of(user_id, min(count, _LARGEST_PAGE), before)
        return JsonAnswer(self._shapes.feed(posts, older))

    async def media_info(self, request: Request) -> Response:
        """One post by its number, with or without the owner's number behind it."""
        signed_in(request)
        pk = _number(request.path_params["media_id"].partition("_")[0])
        post = self._state.listings.by_pk(pk) if pk is not None else None
        if post is None:
            raise RefusedError(400, "Media not found or unavailable")
        return JsonAnswer({"items": [self._shapes.media(post)], "status": "ok"})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
