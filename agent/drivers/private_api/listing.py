"""Reads the account's own list of posts, strictly: what is not as expected raises. Pure.

The library's own list calls answer an error, or one malformed post, with an empty list. Here an
empty list means that the platform said so.
"""

from dataclasses import dataclass
from typing import Any

from agent.drivers.posts import page_url, remote_id
from agent.drivers.private_api.exchange import Exchange
from common.access import AccountAccess
from common.domain.content import ListedPost, PostKind
from common.errors import DriverError

_KINDS = {1: PostKind.PHOTO, 2: PostKind.REEL, 8: PostKind.CAROUSEL}
"""By the platform's number for what a post is; every video is a reel."""

_NO_SUCH = frozenset({400, 404})
_NO_SUCH_WORDS = ("media not found", "media is unavailable", "media has been deleted")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, newest first but for pinned posts, which come before all others."""

    posts: tuple[ListedPost, ...]
    next_max_id: str = ""
    """Where the next page begins; empty at the end of the list."""


def read_page(answer: Any, account: AccountAccess, user_id: str) -> Page:
    """Return one page of the posts of `user_id`; raises DriverError on anything else."""
    items = _items_of(answer, account)
    next_max_id = answer.get("next_max_id")
    if answer.get("more_available") and not next_max_id:
        raise _odd(account, "more posts, but not where")
    posts = tuple(_post(item, account, user_id) for item in items)
    return Page(posts, str(next_max_id or ""))


def read_one(answer: Any, account: AccountAccess, user_id: str) -> ListedPost:
    """Return the one post of an answer about one post; raises DriverError on anything else."""
    items = _items_of(answer, account)
    if len(items) != 1:
        raise _odd(account, f"{len(items)} posts instead of one")
    return _post(items[0], account, user_id)


def read_owner(answer: Any, account: AccountAccess, number: str) -> str:
    """Return the user id of whom post `number` belongs to, out of an answer about that one post.

    Raises DriverError where the answer is about anything else, or does not say it.
    """
    items = _items_of(answer, account)
    item = items[0] if len(items) == 1 else None
    if not isinstance(item, dict) or str(item.get("pk")) != number:
        raise _odd(account, "another post than was asked for")
    user = item.get("user")
    owner = str(user.get("pk") or "") if isinstance(user, dict) else ""
    if not owner.isdigit():
        raise _odd(account, "a post without its owner")
    return owner


def is_no_such_post(exchange: Exchange | None) -> bool:
    """Say whether the platform answered in plain words that it has no such post."""
    if exchange is None or exchange.status not in _NO_SUCH:
        return False
    message = str((exchange.body or {}).get("message") or "").lower()
    return any(words in message for words in _NO_SUCH_WORDS)


def _items_of(answer: Any, account: AccountAccess) -> list[Any]:
    if not isinstance(answer, dict) or answer.get("status") != "ok":
        raise _odd(account, "an answer without status ok")
    items = answer.get("items")
    if not isinstance(items, list):
        raise _odd(account, "an answer without a list of posts")
    return items


def _post(item: Any, account: AccountAccess, user_id: str) -> ListedPost:
    if not isinstance(item, dict):
        raise _odd(account, "a post that is none")
    number, code, taken_at = item.get("pk"), item.get("code"), item.get("taken_at")
    media_type, media_id = item.get("media_type"), item.get("id")
    if not isinstance(number, str | int) or not str(number).isdigit():
        raise _odd(account, "a post without a number")
    if not isinstance(media_id, str) or media_id.partition("_")[0] != str(number):
        raise _odd(account, "a post without its id")
    if not isinstance(code, str) or not code:
        raise _odd(account, "a post without a page")
    if isinstance(taken_at, bool) or not isinstance(taken_at, int) or taken_at <= 0:
        raise _odd(account, "a post without a time")
    if isinstance(media_type, bool) or not isinstance(media_type, int):
        raise _odd(account, "a post that does not say what it is")
    return ListedPost(
        remote_id=remote_id(number, user_id),
        url=page_url(account, code),
        kind=_KINDS.get(media_type),
        caption=_caption(item, account),
        taken_at=float(taken_at),
    )


def _caption(item: dict[str, Any], account: AccountAccess) -> str | None:
    """Return the caption; None where the answer does not speak of one at all."""
    if "caption" not in item:
        return None
    caption = item["caption"]
    if caption is None:
        return ""
    text = caption.get("text") if isinstance(caption, dict) else None
    if not isinstance(text, str):
        raise _odd(account, "a caption that is none")
    return text


def _odd(account: AccountAccess, what: str) -> DriverError:
    return DriverError(
        f"The platform's list of the posts of {account.username} cannot be read: {what}.",
        advice="Look at the account's page; if it happens again, read the item's log.",
        subject=account.username,
    )
