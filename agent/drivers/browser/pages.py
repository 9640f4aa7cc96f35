"""One page of a browser on the platform: goes to its addresses and waits for what they show.

What a page means for an account is in `sign_in.py`, `composer.py` and `grid.py`.
"""

import asyncio
import contextlib
import time

from playwright.async_api import Error, Frame, Locator, Page, Response

from agent.drivers.answers import seconds_of
from agent.drivers.browser.errors import require_reached, unknown_page
from agent.drivers.browser.vocabulary import Vocabulary
from common.errors import DriverError

_PAGE_MS = 30_000
_NETWORK = "net::ERR_"
_FAILURE_SHOWN_SECONDS = 5.0


class Pages:
    """The way from page to page."""

    def __init__(self, page: Page, words: Vocabulary, base: str, username: str) -> None:
        self.page = page
        self.words = words
        self.username = username
        self._base = base
        self.platform_time: float | None = None
        """The platform's clock by its newest page, seconds since 1970; None before the first."""
        self.clock_ahead: float | None = None
        """By how many seconds this machine's clock was ahead of it when that came."""

    async def go(self, path: str, doing: str) -> int:
        """Open a page and return its HTTP status; raises what stands in the way."""
        statuses: list[int] = []

        def note(response: Response) -> None:
            if response.request.is_navigation_request():
                statuses.append(response.status)

        self.page.on("response", note)
        try:
            response = await self._goto(f"{self._base}{path}")
        finally:
            self.page.remove_listener("response", note)
            # A proxy's refusal has no page, so it ends as an error that does not name it.
            require_reached(self.username, statuses)
        self.require_no_challenge(doing)
        if response is None:
            raise DriverError(f"The browser of {self.username} opened no page.")
        if now := seconds_of(response.headers.get("date")):
            self.platform_time, self.clock_ahead = now, time.time() - now
        return response.status

    async def _goto(self, address: str) -> Response | None:
        """Open a page; where that fails, wait until the browser shows so before it is raised.

        Its own page about the failure would otherwise come in the way of the next one.
        """
        shown = asyncio.Event()

        def note(frame: Frame) -> None:
            if frame.parent_frame is None:
                shown.set()

        self.page.on("framenavigated", note)
        try:
            return await self.page.goto(address, timeout=_PAGE_MS, wait_until="domcontentloaded")
        except Error as error:
            if _NETWORK in error.message:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FAILURE_SHOWN_SECONDS):
                        await shown.wait()
            raise
        finally:
            self.page.remove_listener("framenavigated", note)

    async def leave(self) -> None:
        """Leave the page for an empty one: whatever it was still sending ends here."""
        with contextlib.suppress(Error):
            await self._goto("about:blank")

    async def first_of(self, *names: str, doing: str) -> str:
        """Wait until one of the named elements is visible and say which."""
        found = {name: self.find(name).filter(visible=True) for name in names}
        any_of: Locator | None = None
        for locator in found.values():
            any_of = locator if any_of is None else any_of.or_(locator)
        if any_of is not None:
            await any_of.first.wait_for(timeout=_PAGE_MS)
        self.require_no_challenge(doing)
        for name, locator in found.items():
            if await locator.count():
                return name
        raise unknown_page(self.username, doing)

    def find(self, name: str, **values: str) -> Locator:
        """Return the element called `name` of this page."""
        return self.words.find(self.page, name, **values)

    def require_no_challenge(self, doing: str) -> None:
        """Raise ChallengeRequiredError where the platform asks for a person."""
        if any(path in self.page.url for path in self.words.routes.challenge):
            raise unknown_page(self.username, doing)
