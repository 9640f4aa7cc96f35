"""Keeps one client per account alive between items, and gives drivers over them."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.drivers.hooks import ItemHooks
from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.driver import PrivateApiDriver
from agent.drivers.private_api.own_feed import OwnFeed
from agent.drivers.private_api.workers import Workers
from agent.drivers.sessions import open_session
from common.access import AccountAccess
from common.domain.accounts import DriverName

_CLIENTS_KEPT = 64


@dataclass(slots=True)
class _Kept:
    client: AccountClient
    feed: OwnFeed
    access: AccountAccess
    """What the client was made from."""


class PrivateApiHost:
    """All API accounts of one runner. At most one item per account is open at any time."""

    interruptible = False
    """A call in a thread cannot be interrupted; its cancel flag is looked at between requests."""

    def __init__(self, *, threads: int = 16, uploads_at_once: int = 4) -> None:
        self._workers = Workers(threads, uploads_at_once)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @asynccontextmanager
    async def open(
        self, account: AccountAccess, _folder: Path, hooks: ItemHooks
    ) -> AsyncIterator[PrivateApiDriver]:
        """Give the driver of `account` for one item."""
        kept = self._kept.pop(account.account_id, None)
        if kept is None or not _same_access(kept.access, account):
            if kept:
                kept.client.close()
            client = _make_client(account)
            kept = _Kept(client, OwnFeed(client, account), account)
        try:
            yield PrivateApiDriver(account, kept.client, kept.feed, self._workers, hooks)
        except BaseException:
            kept.client.close()  # it may be in any state
            raise
        self._keep(account.account_id, kept)

    def watch(self, account_id: str, channel: int, width: int) -> None:
        """There is no page to watch."""

    def stop_watching(self, account_id: str, channel: int) -> None:
        """There is no page to watch."""

    def screen_seen(self, channel: int) -> None:
        """There is no page to watch."""

    async def close(self) -> None:
        """Close every client."""
        for kept in self._kept.values():
            kept.client.close()
        self._kept.clear()
        self._workers.close()

    def _keep(self, account_id: str, kept: _Kept) -> None:
        self._kept[account_id] = kept
        while len(self._kept) > _CLIENTS_KEPT:
            _, oldest = self._kept.popitem(last=False)
            oldest.client.close()


def _make_client(account: AccountAccess) -> AccountClient:
    state = open_session(account, DriverName.PRIVATE_API)
    settings = state.get("settings") if state else None
    return AccountClient(account, settings if isinstance(settings, dict) else None)


def _same_access(before: AccountAccess, now: AccountAccess) -> bool:
    """Say whether a client made for `before` may act for `now`."""
    return (
        before.session == now.session
        and before.proxy == now.proxy
        and before.username == now.username
        and (before.platform, before.platform_url) == (now.platform, now.platform_url)
    )
