"""Resumable uploads of photos and videos."""

from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.private_api.access import signed_in
from practice.private_api.forms import text_at
from practice.probe import UnreadableMediaError, photo_size, video_facts
from practice.publishing import Publisher
from practice.state.media import OffsetError, PartialUpload
from practice.state.platform import PlatformState
from practice.values import MediaItem


class RuploadRoutes:
    """Takes in bytes. Nothing is published here."""

    def __init__(self, state: PlatformState, publisher: Publisher) -> None:
        self._media = state.media
        self._publisher = publisher

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("/rupload_igphoto/{name}", self.photo, methods=["POST"]),
            Route("/rupload_igvideo/{name}", self.video_offset, methods=["GET"]),
            Route("/rupload_igvideo/{name}", self.video, methods=["POST"]),
            Route("/upload_settings/{composer_id}", self.settings, methods=["POST"]),
        ]

    async def photo(self, request: Request) -> Response:
        """A photo, or the cover of a video: it arrives in one piece."""
        account, _, context = signed_in(request)
        upload_id = _upload_id(request)
        content = await request.body()
        if len(content) != _entity_length(request):
            raise RefusedError(400, "The photo is incomplete.")
        try:
            width, height = photo_size(content)
        except UnreadableMediaError as error:
            raise RefusedError(400, str(error)) from None
        item = MediaItem("photo", self._media.put(content), width, height)
        self._publisher.receive(account, upload_id, item, context)
        return JsonAnswer({"upload_id": upload_id, "status": "ok"})

    async def settings(self, request: Request) -> Response:
        """What a client announces before it uploads a reel."""
        signed_in(request)
        await request.body()
        return JsonAnswer({"status": "ok"})

    async def video_offset(self, request: Request) -> Response:
        """How much of a video has arrived."""
        account, _, _ = signed_in(request)
        partial = self._media.partial(account.user_id, request.path_params["name"])
        return JsonAnswer({"offset": partial.received(), "status": "ok"})

    async def video(self, request: Request) -> Response:
        """A video or a piece of it, from the byte that the ``Offset`` header names."""
        account, _, context = signed_in(request)
        upload_id, length = _upload_id(request), _entity_length(request)
        partial = self._media.partial(account.user_id, request.path_params["name"])
        offset = _header_number(request, "offset")
        try:
            received = await partial.write(offset, request.stream())
        except OffsetError as error:
            raise RefusedError(400, str(error), offset=error.stands_at) from None
        except ClientDisconnect:
            return Response(status_code=400)
        if received < length:
            return JsonAnswer({"offset": received, "status": "ok"})
        item = self._finished(partial, received == length)
        self._publisher.receive(account, upload_id, item, context)
        return JsonAnswer({"upload_id": upload_id, "status": "ok"})

    def _finished(self, partial: PartialUpload, length_fits: bool) -> MediaItem:
        if not length_fits:
            partial.discard()
            raise RefusedError(400, "More bytes came than were announced.")
        try:
            with partial.path.open("rb") as file:
                width, height, duration = video_facts(file)
        except UnreadableMediaError as error:
            partial.discard()
            raise RefusedError(400, str(error)) from None
        return MediaItem("video", partial.finish(), width, height, duration)


def _upload_id(request: Request) -> str:
    """The upload id in the request's parameters header."""
    try:
        params: Any = orjson.loads(request.headers.get("x-instagram-rupload-params", ""))
    except orjson.JSONDecodeError:
        params = None
    upload_id = text_at(params, "upload_id")
    if not upload_id:
        raise RefusedError(400, "The upload has no id.")
    return upload_id


def _entity_length(request: Request) -> int:
    return _header_number(request, "x-entity-length")


def _header_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise RefusedError(400, f"The header {name} has to be a number.")
    return int(text)
