"""The operations of the browser driver, over one open profile."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from playwright.async_api import Page

from agent.drivers.browser.composer import Composer
from agent.drivers.browser.errors import translated
from agent.drivers.browser.grid import OwnGrid, code_in
from agent.drivers.browser.pages import Pages
from agent.drivers.browser.sign_in import SignInPages
from agent.drivers.browser.vocabulary import Vocabulary
from agent.drivers.hooks import ItemHooks
from agent.drivers.posts import base_url, number_of, page_url, remote_id
from agent.drivers.sessions import seal_tag
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost
from common.errors import AmbiguousEffectError, DriverError
from common.operations import (
    Credentials,
    Identity,
    Operation,
    Post,
    PreparedPost,
    PublishedPost,
    Settlement,
    SignedIn,
    Whose,
)
from common.post_codes import code_of, number_in

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
        self._pages = Pages(page, words, base_url(account), account.username)
        self._way_in = SignInPages(self._pages)
        self._composer: Composer | None = None
        self._codes: list[str] | None = None
        """What the grid showed last; None before the first look."""

    async def sign_in(self, credentials: Credentials) -> SignedIn:
        """See `common.operations.SignsIn`."""
        self._hooks.cancel.check()
        await self._way_in.sign_in(credentials)
        return await self.verify_session()

    async def verify_session(self) -> SignedIn:
        """See `common.operations.VerifiesSession`."""
        self._hooks.cancel.check()
        await self._way_in.open_home()
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
        await self._way_in.open_home()
        self._hooks.log("debug", "The home page is open.")
        composer = Composer(self._page, self._words, self._account.username)
        await composer.fill(post, self._outbox)
        self._hooks.log("debug", "The post's form is filled in.")
        self._composer = composer
        return PreparedPost(post, resume, self._pages.platform_time)

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        """Click Share; see `common.operations.Publishes`."""
        if self._composer is None:
            raise DriverError("The post's form is not filled in.", subject=self._account.username)
        try:
            code = code_in(await self._composer.share())
            if not code:
                raise AmbiguousEffectError(
                    f"The page of {self._account.username} says that the post was shared, but not "
                    "where it is.",
                    subject=self._account.username,
                )
        except Exception:
            await self._pages.leave()  # nothing of it is still on its way when it is looked for
            raise
        shutil.rmtree(self._outbox, ignore_errors=True)
        number = remote_id(number_of(code), await self._user_id())
        return PublishedPost(number, page_url(self._account, code))

    async def take_baseline(self, *, fresh: bool = False) -> Baseline:
        """Read the profile's grid, always anew; see `common.operations.FindsPublished`."""
        self._hooks.cancel.check()
        codes = await self._read_grid()
        user_id = await self._user_id()
        return Baseline(
            post_ids=tuple(remote_id(number_of(code), user_id) for code in codes),
            platform_time=self._pages.platform_time,
            clock_ahead=self._pages.clock_ahead,
        )

    async def find_published(self, since: Baseline, *, fresh: bool = True) -> Sequence[ListedPost]:
        """Open what the grid shows and `since` does not; see `common.operations.FindsPublished`.

        Nothing stops it half way: it settles a doubt.
        """
        codes = await self._read_grid() if fresh or self._codes is None else self._codes
        user_id = await self._user_id()
        known = {code for code in codes if remote_id(number_of(code), user_id) in since.post_ids}
        return await self._grid(user_id).newer(
            codes, frozenset(known), since.platform_time, whole=fresh
        )

    async def whose_post(self, remote_id: str) -> Whose:
        """Open the post's page; see `common.operations.TellsWhosePost`."""
        return await self._grid(await self._user_id()).whose(code_of(int(number_in(remote_id))))

    async def _read_grid(self) -> list[str]:
        self._codes = await self._grid(await self._user_id()).codes()
        return self._codes

    def _grid(self, user_id: str) -> OwnGrid:
        account = self._account.model_copy(update={"user_id": user_id})
        return OwnGrid(self._pages, self._way_in, account)

    async def _user_id(self) -> str:
        cookies = await self._page.context.cookies(base_url(self._account))
        for cookie in cookies:
            if cookie.get("name") == _USER_ID_COOKIE:
                return str(cookie.get("value") or "")
        return self._account.user_id or ""
