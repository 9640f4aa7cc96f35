"""The account's own list of posts, asked for as seldom as will do, and whole where it matters.

Works in the thread of the client it belongs to. What a list proves is decided elsewhere.
"""

import time
from collections import deque
from collections.abc import Iterable

from agent.drivers.posts import is_older
from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.listing import (
    Page,
    is_no_such_post,
    read_one,
    read_owner,
    read_page,
)
from common.access import AccountAccess
from common.domain.content import Baseline, ListedPost
from common.errors import DriverError, SessionExpiredError
from common.operations import Whose
from common.post_codes import number_in

_PER_PAGE = 33
"""The largest page that the platform gives."""
_PAGES = 5
"""More pages than this are no list of what was published a moment ago."""
_GOOD_FOR_SECONDS = 600.0
_PINNED = 3
"""Posts that an account may put before its newest ones."""
_IDS_NEEDED = 20
"""Ids in a baseline that has a time: what is older than the time is known by that."""


class OwnFeed:
    """One account's list; knows what it showed last and what was confirmed since."""

    def __init__(self, client: AccountClient, account: AccountAccess) -> None:
        self._client = client
        self._account = account
        self._listed: tuple[ListedPost, ...] = ()
        self._listed_at: float | None = None
        self._confirmed: deque[str] = deque(maxlen=_IDS_NEEDED)

    def baseline(self) -> Baseline:
        """Return the newest posts as known, asking only where the last answer is old."""
        self._read_if_old()
        ids = (*reversed(self._confirmed), *(post.remote_id for post in self._listed))
        newest = tuple(dict.fromkeys(ids))
        now = self._client.wire.platform_time
        return Baseline(
            post_ids=newest[:_IDS_NEEDED] if now else newest,
            platform_time=now,
            clock_ahead=self._client.wire.clock_ahead,
        )

    def newer_as_known(self, since: Baseline) -> list[ListedPost]:
        """Return what the last answer showed that is newer than `since`."""
        self._read_if_old()
        return _newer(self._listed, since)

    def newer(self, since: Baseline) -> list[ListedPost]:
        """Ask for every post that is newer than `since`.

        Raises DriverError where an answer is not whole, or there are too many of them.
        """
        self.forget()
        found: list[ListedPost] = []
        listed = 0
        max_id = ""
        for _ in range(_PAGES):
            page = self._page(max_id)
            found += _newer(page.posts, since)
            listed += len(page.posts)
            if _reaches_back(page, listed, since):
                return [self._read_again(found[0])] if len(found) == 1 else found
            max_id = page.next_max_id
        raise DriverError(
            f"{self._account.username} has more newer posts than can be looked through.",
            advice="Look at the account's page.",
            subject=self._account.username,
        )

    def whose(self, remote_id: str) -> Whose:
        """Ask whose one post is; raises where the answer does not say it plainly."""
        number = number_in(remote_id)
        try:
            answer = self._client.private_request(f"media/{number}/info/")
        except Exception:
            if is_no_such_post(self._client.wire.last):
                return Whose.NOBODY
            raise
        owner = read_owner(answer, self._account, number)
        return Whose.OWN if owner == self._user_id() else Whose.OTHER

    def confirmed(self, remote_id: str) -> None:
        """Note that the account has this post now."""
        self._confirmed.append(remote_id)

    def forget(self) -> None:
        """Ask anew next time: the account has changed in ways that are not known here."""
        self._listed_at = None

    def _read_if_old(self) -> None:
        now = time.monotonic()
        if self._listed_at is None or now - self._listed_at > _GOOD_FOR_SECONDS:
            self._listed = self._page("").posts
            self._listed_at = now

    def _page(self, max_id: str) -> Page:
        params = {"count": str(_PER_PAGE), **({"max_id": max_id} if max_id else {})}
        answer = self._client.private_request(f"feed/user/{self._user_id()}/", params=params)
        return read_page(answer, self._account, self._user_id())

    def _read_again(self, post: ListedPost) -> ListedPost:
        """Ask for the one post by itself: it is about to be taken for the one that is sought."""
        answer = self._client.private_request(f"media/{number_in(post.remote_id)}/info/")
        again = read_one(answer, self._account, self._user_id())
        if again.remote_id != post.remote_id:
            raise DriverError(
                f"The platform showed another post of {self._account.username} than asked for.",
                subject=self._account.username,
            )
        return again

    def _user_id(self) -> str:
        user_id = str(self._client.user_id or "")
        if not user_id:
            raise SessionExpiredError(
                f"{self._account.username} is not signed in on this driver.",
                subject=self._account.username,
            )
        return user_id


def _newer(posts: Iterable[ListedPost], since: Baseline) -> list[ListedPost]:
    return [
        post
        for post in posts
        if not _is_known(post, since) and not is_older(post, since.platform_time)
    ]


def _reaches_back(page: Page, listed: int, since: Baseline) -> bool:
    """Say whether everything behind this page, the `listed` first posts, is older than `since`.

    Its last post tells, unless that one may be pinned: then it stands before newer ones.
    """
    if not page.next_max_id:
        return True
    if listed <= _PINNED or not page.posts:
        return False
    last = page.posts[-1]
    return is_older(last, since.platform_time) or _is_from_before(last, since)


def _is_from_before(post: ListedPost, since: Baseline) -> bool:
    """Say whether a known post was there at that time: a person may have looked at newer ones."""
    if since.platform_time is None or post.taken_at is None:
        return _is_known(post, since)
    return _is_known(post, since) and post.taken_at <= since.platform_time


def _is_known(post: ListedPost, since: Baseline) -> bool:
    return post.remote_id in since.post_ids
