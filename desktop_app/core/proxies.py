"""Proxies as clients see them."""

from desktop_app.contract.accounts import ProxyRow
from desktop_app.contract.base import Page
from desktop_app.core.changes import ChangeHub
from desktop_app.store import proxies
from desktop_app.store.store import Store


class ProxyService:
    """What a client may do with proxies; they come into being with the accounts that use them."""

    def __init__(self, store: Store, hub: ChangeHub) -> None:
        self._store = store
        self._hub = hub

    async def page(self) -> Page[ProxyRow]:
        """Return all proxies."""
        revision = self._hub.revision
        rows = await self._store.read(proxies.rows)
        return Page(rows=rows, total=len(rows), offset=0, revision=revision)
