"""What a runner asks of the drivers it holds."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from agent.drivers.hooks import ItemHooks
from common.access import AccountAccess


class DriverHost(Protocol):
    """Owns what a kind of driver shares between items: clients and threads, or browsers."""

    interruptible: bool
    """True where the task of an item may be cancelled at any await outside of `sending`."""

    def open(
        self, account: AccountAccess, folder: Path, hooks: ItemHooks
    ) -> AbstractAsyncContextManager[object]:
        """Give the driver of `account` for one item; `folder` is the account's own."""
        ...

    def watch(self, account_id: str, channel: int, width: int) -> None:
        """Send frames of the account's page on `channel` from now on, if it has a page."""
        ...

    def stop_watching(self, account_id: str, channel: int) -> None:
        """Send no more frames on `channel`."""
        ...

    def screen_seen(self, channel: int) -> None:
        """The next frame of `channel` may come."""
        ...

    async def close(self) -> None:
        """Close everything, within a few seconds."""
        ...
