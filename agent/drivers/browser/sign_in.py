"""The way through the sign-in pages, from the form to a page that only the account sees."""

import time

from playwright.async_api import Locator, Page, Response

from agent.drivers.browser.errors import (
    require_reached,
    sign_in_refusal,
    translated,
    unknown_page,
)
from agent.drivers.browser.vocabulary import Vocabulary
from agent.drivers.one_time import one_time_password
from common.errors import SecondFactorRefusedError, SessionExpiredError
from common.operations import Credentials

_PAGE_MS = 30_000
_DISMISS_MS = 1_500


class SignInPages:
    """One page of a browser on its way in."""

    def __init__(self, page: Page, words: Vocabulary, base: str, username: str) -> None:
        self._page = page
        self._words = words
        self._base = base
        self._username = username

    async def sign_in(self, credentials: Credentials) -> None:
        """Fill the form, once, and the code where it is asked for."""
        with translated(self._username, "signing in"):
            await self._page.context.clear_cookies()
            await self._go(self._words.routes.sign_in)
            await self._find("username_field").fill(credentials.username)
            await self._find("password_field").fill(credentials.password.get_secret_value())
            await self._find("sign_in_button").click()
            if await self._outcome("code_field") == "code_field":
                await self._give_code(credentials)
            await self.dismiss()

    async def open_home(self) -> None:
        """Open the home page as the account.

        Raises SessionExpiredError where the platform shows the sign-in form, or somebody else.
        """
        with translated(self._username, "opening the home page"):
            await self._go(self._words.routes.home)
            shown = await self._first_of("new_post_button", "username_field", "any_dialog")
            if shown == "username_field":
                raise self._expired("The platform no longer accepts the session of")
            await self.dismiss()
            await self._require_own_page()

    async def dismiss(self) -> None:
        """Close the question that follows a sign-in; any other dialog is left to a person."""
        dialog = self._find("any_dialog").filter(visible=True)
        if not await dialog.count():
            return
        button = self._find("dismiss_button").filter(visible=True)
        if not await button.count():
            raise unknown_page(self._username, "opening the home page")
        await button.first.click(timeout=_DISMISS_MS)
        await dialog.first.wait_for(state="hidden", timeout=_DISMISS_MS)

    async def _give_code(self, credentials: Credentials) -> None:
        if credentials.totp_seed is None:
            raise SecondFactorRefusedError(
                f"The platform asks {self._username} for a one-time password, and no TOTP seed "
                "is stored.",
                subject=self._username,
                field="totp_seed",
            )
        code = one_time_password(credentials.username, credentials.totp_seed, time.time())
        await self._find("code_field").fill(code)
        await self._find("code_button").click()
        await self._outcome()

    async def _outcome(self, *also: str) -> str:
        """Wait for what a submitted form leads to; raises what an alert means."""
        shown = await self._first_of("new_post_button", "alert", "any_dialog", *also)
        if shown == "alert":
            said = await self._find("alert").filter(visible=True).first.inner_text()
            raise sign_in_refusal(self._username, self._words.meaning_of(said), said)
        return shown

    async def _first_of(self, *names: str) -> str:
        """Wait until one of the named elements is visible and say which."""
        found = {name: self._find(name).filter(visible=True) for name in names}
        any_of: Locator | None = None
        for locator in found.values():
            any_of = locator if any_of is None else any_of.or_(locator)
        if any_of is not None:
            await any_of.first.wait_for(timeout=_PAGE_MS)
        self._require_no_challenge()
        for name, locator in found.items():
            if await locator.count():
                return name
        raise unknown_page(self._username, "signing in")

    async def _go(self, path: str) -> None:
        statuses: list[int] = []

        def note(response: Response) -> None:
            if response.request.is_navigation_request():
                statuses.append(response.status)

        self._page.on("response", note)
        try:
            await self._page.goto(
                f"{self._base}{path}", timeout=_PAGE_MS, wait_until="domcontentloaded"
            )
        finally:
            self._page.remove_listener("response", note)
            # A proxy's refusal has no page, so it ends as an error that does not name it.
            require_reached(self._username, statuses)
        self._require_no_challenge()

    def _require_no_challenge(self) -> None:
        if any(path in self._page.url for path in self._words.routes.challenge):
            raise unknown_page(self._username, "signing in")

    async def _require_own_page(self) -> None:
        own = self._words.find(self._page, "own_profile", username=self._username)
        if not await own.count():
            raise self._expired("The browser profile is signed in as somebody else than")

    def _find(self, name: str) -> Locator:
        return self._words.find(self._page, name)

    def _expired(self, what: str) -> SessionExpiredError:
        return SessionExpiredError(f"{what} {self._username}.", subject=self._username)
