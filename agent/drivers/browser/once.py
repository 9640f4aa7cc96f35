"""Lets the request that shares a post leave exactly once.

Chromium sends a request again by itself, a POST too, when a kept connection breaks before the
answer: ERR_CONNECTION_RESET, ERR_CONNECTION_CLOSED or ERR_EMPTY_RESPONSE on a reused socket
(net/http/http_network_transaction.cc, ShouldResendRequest). On a new connection it does not. So the
deciding request is held, idle connections are closed on Chromium's own page for that, and only
then does it go; a second one is not let through.
"""

from collections.abc import Callable

from playwright.async_api import BrowserContext, Error, Page, Request, Route

from common.errors import DriverError

_SOCKETS_PAGE = "chrome://net-internals/#sockets"
_CLOSE_IDLE = "#sockets-view-close-idle-button"
_PAGE_MS = 10_000


class SendOnce:
    """Guards the deciding request of one page, from `arm` until `disarm`."""

    def __init__(self, page: Page, decides: Callable[[Request], bool]) -> None:
        self._page = page
        self._decides = decides
        self._sockets: Page | None = None
        self.left = False
        """True once the deciding request was let go."""
        self.was_held_back = False
        """True once a deciding request was stopped."""

    async def open(self, username: str) -> None:
        """Open Chromium's page for its connections, while nothing is at stake yet.

        Raises DriverError where this Chromium has none: sharing could then publish twice.
        """
        try:
            self._sockets = await open_sockets_page(self._page.context)
        except Error:
            raise DriverError(
                f"This Chromium cannot close its connections, so the post of {username} might be "
                "sent twice and was not shared.",
                advice="Use a full Chromium or Chrome, named in CHROMIUM_PATH.",
                subject=username,
            ) from None
        await self._page.bring_to_front()

    async def arm(self) -> None:
        """Hold the deciding request from now on."""
        await self._page.route("**/*", self._handle)

    async def disarm(self) -> None:
        """Let the page go, and close what was opened."""
        await self._page.unroute_all(behavior="ignoreErrors")
        if self._sockets:
            await self._sockets.close()
            self._sockets = None

    async def _handle(self, route: Route) -> None:
        if not self._decides(route.request):
            await route.continue_()
        elif self.left or not await self._connections_closed():
            self.was_held_back = True
            await route.abort("aborted")
        else:
            self.left = True
            await route.continue_()

    async def _connections_closed(self) -> bool:
        if self._sockets is None:
            return False
        try:
            await self._sockets.locator(_CLOSE_IDLE).click(timeout=_PAGE_MS)
        except Error:
            return False
        return True


async def open_sockets_page(context: BrowserContext) -> Page:
    """Open Chromium's page for its connections in a tab of its own."""
    tab = await context.new_page()
    try:
        await tab.goto(_SOCKETS_PAGE, timeout=_PAGE_MS)
        await tab.locator(_CLOSE_IDLE).wait_for(timeout=_PAGE_MS)
    except Error:
        await tab.close()
        raise
    return tab
