"""Routes of proxies."""

from fastapi import APIRouter

from desktop_app.contract import routes
from desktop_app.contract.accounts import ProxyRow
from desktop_app.contract.base import Page
from desktop_app.core.proxies import ProxyService


def proxies_router(service: ProxyService) -> APIRouter:
    """Return the routes of proxies over their service."""
    router = APIRouter(tags=["proxies"])

    @router.get(routes.PROXIES)
    async def list_proxies() -> Page[ProxyRow]:
        return await service.page()

    return router
