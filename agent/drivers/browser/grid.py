"""The account's own posts as its pages show them: the grid of the profile, and each post's page.

A page that is not as expected raises: an empty list means that the page says so, to the account
itself. What a list proves is decided elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from playwright.async_api import Locator

from agent.drivers.browser.errors import translated
from agent.drivers.browser.pages import Pages
from agent.drivers.browser.sign_in import SignInPages
from agent.drivers.posts import is_older, number_of, page_url, remote_id
from common.access import AccountAccess
from common.domain.content import ListedPost, PostKind
from common.errors import DriverError
from common.operations import Whose

_READING = "reading the account's posts"
_SHOWN_MS = 15_000
_PINNED = 3
"""Posts that an account may put before its newest ones."""
_SHOWN = 12
"""Posts that a grid shows at first, at least, where the account has as many."""
_OPENED = 12
"""Posts that one look opens: each takes a page."""
_OK = 200
_NO_PAGE = frozenset({404, 410})


class OwnGrid:
    """One account's posts, read by its own browser."""

    def __init__(self, pages: Pages, way_in: SignInPages, account: AccountAccess) -> None:
        self._pages = pages
        self._way_in = way_in
        self._account = account

    async def codes(self) -> list[str]:
        """Return the short codes of the newest posts, newest first but for pinned ones.

        Raises SessionExpiredError where the page is not shown to the account itself, and
        DriverError where it is not as expected.
        """
        username, pages = self._account.username, self._pages
        with translated(username, _READING):
            await self._open(pages.words.routes.profile.format(username=username))
            await self._way_in.require_own_view(_READING)
            name = pages.find("profile_name", username=username)
            await name.first.wait_for(timeout=_SHOWN_MS)
            if await pages.first_of("post_grid", "no_posts", doing=_READING) == "no_posts":
                return []
            links = pages.words.find(pages.find("post_grid"), "post_link")
            addresses: list[str] = await links.evaluate_all("all => all.map(one => one.href)")
        codes = [code_in(address) for address in addresses]
        if not codes or not all(codes):
            raise self._odd("the grid of posts")
        return list(dict.fromkeys(codes))

    async def newer(
        self,
        codes: Sequence[str],
        known: frozenset[str],
        since: float | None,
        *,
        whole: bool,
    ) -> list[ListedPost]:
        """Open the posts of `codes` that are not among `known`, and not older than `since`.

        Raises DriverError where they are more than can be opened and the `whole` list is wanted.
        """
        found: list[ListedPost] = []
        reaches_back = len(codes) < _SHOWN or any(code in known for code in codes[_PINNED:])
        unknown = [(place, code) for place, code in enumerate(codes) if code not in known]
        for opened, (place, code) in enumerate(unknown):
            if opened == _OPENED:
                if whole:
                    raise self._odd("the grid, which has more newer posts than can be opened,")
                break
            post = await self._read(code)
            if not is_older(post, since):
                found.append(post)
            elif place >= _PINNED:
                return found  # what comes behind it is older still
        if whole and not reaches_back:
            raise self._odd("the grid, which ends before the older posts,")
        return found

    async def whose(self, code: str) -> Whose:
        """Say whose the post is that has this page; raises where the page does not say it."""
        pages, account = self._pages, self._account
        with translated(account.username, _READING):
            path = pages.words.routes.post.format(code=code)
            status = await pages.go(path, _READING)
            if status != _OK and status not in _NO_PAGE:
                raise self._odd(f"the page {path}, answered with {status},")
            await self._way_in.require_own_view(_READING)
            if status in _NO_PAGE:
                return Whose.NOBODY
            body = pages.find("post_body").filter(visible=True).first
            await body.wait_for(timeout=_SHOWN_MS)
            own = pages.words.find(body, "own_profile", username=account.username)
            return Whose.OWN if await own.count() else Whose.OTHER

    async def _read(self, code: str) -> ListedPost:
        pages, account = self._pages, self._account
        with translated(account.username, _READING):
            await self._open(pages.words.routes.post.format(code=code))
            body = pages.find("post_body").filter(visible=True).first
            await body.wait_for(timeout=_SHOWN_MS)
            own = pages.words.find(body, "own_profile", username=account.username)
            time = pages.words.find(body, "post_time").first
            moment = await time.get_attribute("datetime", timeout=_SHOWN_MS)
            if not await own.count():
                raise self._odd("a post, which names another account,")
            kind, caption = await self._kind(body), await self._caption(body)
        return ListedPost(
            remote_id=remote_id(number_of(code), account.user_id),
            url=page_url(account, code),
            kind=kind,
            caption=caption,
            taken_at=self._seconds(moment),
        )

    async def _open(self, path: str) -> None:
        status = await self._pages.go(path, _READING)
        if status != _OK:
            raise self._odd(f"the page {path}, answered with {status},")

    async def _kind(self, body: Locator) -> PostKind | None:
        words = self._pages.words
        if not words.has("post_kind"):
            return None
        said = (await words.find(body, "post_kind").inner_text(timeout=_SHOWN_MS)).strip()
        if said not in words.kinds:
            raise self._odd("the kind of a post")
        return words.kinds[said]

    async def _caption(self, body: Locator) -> str | None:
        words = self._pages.words
        caption = words.find(body, "post_caption")
        if await caption.count():
            return await caption.first.inner_text(timeout=_SHOWN_MS)
        if not words.has("no_caption"):
            return None
        if not await words.find(body, "no_caption").count():
            raise self._odd("the caption of a post")
        return ""

    def _seconds(self, moment: str | None) -> float:
        try:
            read = datetime.fromisoformat(moment or "")
        except ValueError:
            raise self._odd("the time of a post") from None
        if read.tzinfo is None:
            raise self._odd("the time of a post, which has no zone,")
        return read.timestamp()

    def _odd(self, what: str) -> DriverError:
        return DriverError(
            f"{what[0].upper()}{what[1:]} of {self._account.username} is not as expected.",
            advice="Look at the account's screen; the page may have changed.",
            subject=self._account.username,
        )


def code_in(address: str) -> str:
    """Return the short code in a post's address, or nothing."""
    parts = [part for part in urlsplit(address).path.split("/") if part]
    return parts[-1] if len(parts) >= 2 and parts[-2] in ("p", "reel") else ""
