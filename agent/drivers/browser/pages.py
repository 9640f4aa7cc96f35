"""One page of a browser on the platform: goes to its addresses and waits for what they show.

What a page means for an account is in `sign_in.py`, `composer.py` and `grid.py`.
"""

import contextlib

from playwright.async_api import Error, Locator, Page, Response

from agent.drivers.answers import seconds_of
from agent.drivers.browser.errors import require_reached, unknown_page
from agent.drivers.browser.vocabulary import Vocabulary
from common.errors import DriverError

_PAGE_MS = 30_000


class Pages:
    """The way from page to page."""

    def __init__(self, page: Page, words: Vocabulary, base: str, username: str) -> None:
        self.page = page
        self.words = words
        self.username = username
        self._base = base
        self.platform_time: float | None = None
        """The platform's clock by its newest page, seconds since 1970; None before the first."""

    async def go(self, path: str, doing: str) -> int:
        """Open a page and return its HTTP status; raises what stands in the way."""
        statuses: list[int] = []

        def note(response: Response) -> None:
            if response.request.is_navigation_request():
                statuses.append(response.status)

        self.page.on("response", note)
        try:
            response = await self.page.goto(
                f"{self._base}{path}", timeout=_PAGE_MS, wait_until="domcontentloaded"
            )
        finally:
            self.page.remove_listener("response", note)
            # A proxy's refusal has no page, so it ends as an error that does not name it.
            require_reached(self.username, statuses)
        self.require_no_challenge(doing)
        if response is None:
            raise DriverError(f"The browser of {self.username} opened no page.")
        self.platform_time = seconds_of(response.headers.get("date")) or self.platform_time
        return response.status

    async def leave(self) -> None:
        """Leave the page for an empty one: whatever it was still sending ends here."""
        with contextlib.suppress(Error):
            await self.page.goto("about:blank", timeout=_PAGE_MS)

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
