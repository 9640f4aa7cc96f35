"""The way through the sign-in pages, from the form to a page that only the account sees."""

import time

from playwright.async_api import Locator

from agent.drivers.browser.errors import sign_in_refusal, translated, unknown_page
from agent.drivers.browser.pages import Pages
from agent.drivers.one_time import one_time_password
from common.errors import SecondFactorRefusedError, SessionExpiredError
from common.operations import Credentials

_DISMISS_MS = 1_500
_SIGNING_IN = "signing in"
_OPENING_HOME = "opening the home page"


class SignInPages:
    """One page of a browser on its way in."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._username = pages.username

    async def sign_in(self, credentials: Credentials) -> None:
        """Fill the form, once, and the code where it is asked for."""
        with translated(self._username, _SIGNING_IN):
            await self._pages.page.context.clear_cookies()
            await self._pages.go(self._pages.words.routes.sign_in, _SIGNING_IN)
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
        with translated(self._username, _OPENING_HOME):
            await self._pages.go(self._pages.words.routes.home, _OPENING_HOME)
            await self.require_own_view(_OPENING_HOME)

    async def require_own_view(self, doing: str) -> None:
        """Make sure that the page in front shows what the account sees, and nobody else.

        Raises SessionExpiredError where the platform shows a stranger's view, or somebody else's.
        """
        shown = await self._pages.first_of(
            "new_post_button", "username_field", "sign_in_link", "any_dialog", doing=doing
        )
        if shown in ("username_field", "sign_in_link"):
            raise self._expired("The platform no longer accepts the session of")
        await self.dismiss()
        if not await self._pages.find("own_profile", username=self._username).count():
            raise self._expired("The browser profile is signed in as somebody else than")

    async def dismiss(self) -> None:
        """Close the question that follows a sign-in; any other dialog is left to a person."""
        dialog = self._find("any_dialog").filter(visible=True)
        if not await dialog.count():
            return
        button = self._find("dismiss_button").filter(visible=True)
        if not await button.count():
            raise unknown_page(self._username, _OPENING_HOME)
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
        shown = await self._pages.first_of(
            "new_post_button", "alert", "any_dialog", *also, doing=_SIGNING_IN
        )
        if shown == "alert":
            said = await self._find("alert").filter(visible=True).first.inner_text()
            raise sign_in_refusal(self._username, self._pages.words.meaning_of(said), said)
        return shown

    def _find(self, name: str) -> Locator:
        return self._pages.find(name)

    def _expired(self, what: str) -> SessionExpiredError:
        return SessionExpiredError(f"{what} {self._username}.", subject=self._username)
