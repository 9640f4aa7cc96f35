"""The operations of the browser driver, over one open profile."""

import json
import shutil
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from playwright.async_api import Page

from agent.drivers.browser.composer import Composer, require_known
from agent.drivers.browser.errors import translated
from agent.drivers.browser.sign_in import SignInPages
from agent.drivers.browser.vocabulary import Vocabulary
from agent.drivers.hooks import ItemHooks
from agent.drivers.posts import base_url, number_of, page_url, remote_id
from agent.drivers.sessions import seal_tag
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.errors import DriverError
from common.operations import (
    Credentials,
    Identity,
    Operation,
    Post,
    PreparedPost,
    PublishedPost,
    Settlement,
    SignedIn,
)

_USER_ID_COOKIE = "ds_user_id"
_OUTBOX = "outbox"


class BrowserDriver:
    """One account's operations for one item."""

    name = DriverName.BROWSER
    settlements: ClassVar = {Operation.PUBLISH: Settlement.PROBE}

    def __init__(
        self, account: AccountAccess, page: Page, words: Vocabulary, folder: Path, hooks: ItemHooks
    ) -> None:
        self._account = account
        self._page = page
        self._words = words
        self._outbox = folder / _OUTBOX
        self._hooks = hooks
        self._pages = SignInPages(page, words, base_url(account), account.username)
        self._composer: Composer | None = None

    async def sign_in(self, credentials: Credentials) -> SignedIn:
        """See `common.operations.SignsIn`."""
        self._hooks.cancel.check()
        await self._pages.sign_in(credentials)
        return await self.verify_session()

    async def verify_session(self) -> SignedIn:
        """See `common.operations.VerifiesSession`."""
        self._hooks.cancel.check()
        await self._pages.open_home()
        with translated(self._account.username, "reading the session"):
            state = await self._page.context.storage_state()
        user_id = await self._user_id()
        marker = {
            "user_id": user_id,
            "username": self._account.username,
            "storage_state": json.loads(json.dumps(state)),
        }
        identity = Identity(user_id, self._account.username)
        return SignedIn(identity, seal_tag(self._account, self.name, marker))

    def plan_publish(self, post: Post) -> dict[str, str]:
        """A form has no resume points; see `common.operations.Publishes`."""
        return {}

    async def prepare_publish(self, post: Post, resume: dict[str, str]) -> PreparedPost:
        """Fill the dialog up to the caption; see `common.operations.Publishes`."""
        self._hooks.cancel.check()
        await self._pages.open_home()
        self._hooks.log("debug", "The home page is open.")
        composer = Composer(self._page, self._words, self._account.username)
        await composer.fill(post, self._outbox)
        self._hooks.log("debug", "The post's form is filled in.")
        self._composer = composer
        return PreparedPost(post, resume)

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        """Click Share; see `common.operations.Publishes`."""
        if self._composer is None:
            raise DriverError("The post's form is not filled in.", subject=self._account.username)
        address = require_known(self._account.username, await self._composer.share())
        shutil.rmtree(self._outbox, ignore_errors=True)
        code = _code_in(address)
        if not code:
            return PublishedPost("", address)
        return PublishedPost(
            remote_id(number_of(code), await self._user_id()), page_url(self._account, code)
        )

    async def _user_id(self) -> str:
        cookies = await self._page.context.cookies(base_url(self._account))
        for cookie in cookies:
            if cookie.get("name") == _USER_ID_COOKIE:
                return str(cookie.get("value") or "")
        return self._account.user_id or ""


def _code_in(address: str) -> str:
    """Return the short code in a post's address, or nothing."""
    parts = [part for part in urlsplit(address).path.split("/") if part]
    return parts[1] if len(parts) == 2 and parts[0] in ("p", "reel") else ""
