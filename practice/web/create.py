"""Taking in a new post from the page's dialog."""

import itertools
import time

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.probe import UnreadableMediaError, kind_of, photo_size, video_facts
from practice.publishing import Publisher, PublishError
from practice.state.platform import PlatformState
from practice.values import MediaItem, ProductType
from practice.web.guard import refuse_other_sites, viewer_of


class CreatePost:
    """One request carries files and caption, and makes the post."""

    def __init__(self, state: PlatformState, publisher: Publisher) -> None:
        self._state = state
        self._publisher = publisher
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        """The route of this area."""
        return [Route("/create/", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Store the files, publish them, and name the new post's page."""
        refuse_other_sites(request)
        caller = viewer_of(request)
        if caller.account is None:
            raise RefusedError(403, "Sign in first.")
        async with request.form(max_files=10) as form:
            items = [await self._stored(file) for file in _files(form)]
            caption = _caption(form)
        upload_ids = [self._upload_id() for _ in items]
        for upload_id, item in zip(upload_ids, items, strict=True):
            self._publisher.receive(caller.account, upload_id, item, caller.context)
        try:
            post = self._publisher.publish(
                caller.account,
                tuple(items),
                tuple(upload_ids),
                caption,
                _product(items),
                caller.context,
            )
        except PublishError as error:
            raise RefusedError(400, str(error)) from None
        return JsonAnswer({"code": post.code, "url": f"/p/{post.code}/", "status": "ok"})

    async def _stored(self, file: UploadFile) -> MediaItem:
        content = await file.read()
        try:
            if kind_of(content[:16]) == "photo":
                width, height = photo_size(content)
                return MediaItem("photo", self._state.media.put(content), width, height)
            await file.seek(0)
            width, height, duration = video_facts(file.file)
            return MediaItem("video", self._state.media.put(content), width, height, duration)
        except UnreadableMediaError as error:
            raise RefusedError(400, f"{file.filename}: {error}") from None

    def _upload_id(self) -> str:
        return f"{int(time.time() * 1000)}{next(self._numbers):04d}"


def _files(form: FormData) -> list[UploadFile]:
    files = [value for value in form.getlist("files") if isinstance(value, UploadFile)]
    if not files:
        raise RefusedError(400, "Choose at least one photo or video.")
    return files


def _caption(form: FormData) -> str:
    """The caption as it was typed; browsers send every line break in a form as CR LF."""
    value = form.get("caption")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _product(items: list[MediaItem]) -> ProductType:
    """The kind of post that these files make: a single video is always a reel here."""
    if len(items) > 1:
        return "carousel_container"
    return "clips" if items[0].kind == "video" else "feed"
