"""Routes of the media library."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from common.domain.content import MediaKind
from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.core.media import MediaService

LIMIT_MAXIMUM = 10_000
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def media_router(service: MediaService) -> APIRouter:
    """Return the routes of the media library over its service."""
    router = APIRouter(tags=["media"])

    @router.get(routes.MEDIA, response_model=Page[MediaRow])
    async def list_media(
        search: str = "",
        kind: MediaKind | None = None,
        sort: str = "-added_at",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0, le=LIMIT_MAXIMUM)] = LIMIT_MAXIMUM,
    ) -> Response:
        page = await service.page(
            search=search,
            kind=kind.value if kind else "",
            sort=sort.removeprefix("-") or "added_at",
            descending=sort.startswith("-"),
            offset=offset,
            limit=limit,
        )
        return answer(page)

    @router.post(routes.MEDIA_IMPORT)
    async def import_media(command: ImportMedia) -> MediaImported:
        return await service.import_files(command)

    @router.post(routes.MEDIA_DELETE)
    async def delete_media(command: DeleteMedia) -> Changed:
        return await service.delete(command)

    @router.get(routes.MEDIA_THUMBNAIL, response_class=FileResponse)
    async def thumbnail(sha256: str) -> FileResponse:
        file = service.thumbnail_file(sha256)
        return FileResponse(file, media_type="image/jpeg", headers=_FOR_EVER)

    return router
