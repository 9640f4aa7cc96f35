"""Publishing what was uploaded: photo, feed video, reel and album."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.private_api.access import signed_in
from practice.private_api.forms import signed_json, text_at
from practice.private_api.shapes import Shapes
from practice.publishing import Publisher, PublishError
from practice.values import Account, MediaItem, ProductType


class ConfigureRoutes:
    """Each call makes a post, also when it repeats an earlier one."""

    def __init__(self, publisher: Publisher, shapes: Shapes) -> None:
        self._publisher = publisher
        self._shapes = shapes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        media = "/api/v1/media"
        return [
            Route(f"{media}/configure/", self.single, methods=["POST"]),
            Route(f"{media}/configure_to_clips/", self.reel, methods=["POST"]),
            Route(f"{media}/configure_sidecar/", self.album, methods=["POST"]),
        ]

    async def single(self, request: Request) -> Response:
        """A photo, or with ``video=1`` a video, in the feed."""
        data = await signed_json(request)
        upload_id = text_at(data, "upload_id")
        return await self._publish(request, data, [upload_id], "feed")

    async def reel(self, request: Request) -> Response:
        """A reel."""
        data = await signed_json(request)
        return await self._publish(request, data, [text_at(data, "upload_id")], "clips")

    async def album(self, request: Request) -> Response:
        """An album of photos and videos, in the order of its children."""
        data = await signed_json(request)
        children = data.get("children_metadata")
        if not isinstance(children, list):
            raise RefusedError(400, "The album names no children.")
        upload_ids = [text_at(child, "upload_id") for child in children]
        return await self._publish(request, data, upload_ids, "carousel_container")

    async def _publish(
        self, request: Request, data: dict[str, Any], upload_ids: list[str], product: ProductType
    ) -> Response:
        account, _, context = signed_in(request)
        is_video = product == "clips" or request.query_params.get("video") == "1"
        try:
            items = [self._item(account, each, product, is_video) for each in upload_ids]
            caption = text_at(data, "caption")
            post = self._publisher.publish(
                account, tuple(items), tuple(upload_ids), caption, product, context
            )
        except PublishError as error:
            raise RefusedError(400, str(error)) from None
        return JsonAnswer({"media": self._shapes.media(post), "status": "ok"})

    def _item(
        self, account: Account, upload_id: str, product: ProductType, is_video: bool
    ) -> MediaItem:
        if product == "carousel_container":
            return self._publisher.uploaded_any(account, upload_id)
        if is_video:
            return self._publisher.uploaded_video(account, upload_id)
        return self._publisher.uploaded_photo(account, upload_id)
