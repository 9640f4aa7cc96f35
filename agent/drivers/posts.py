"""How a driver names a post and its page. Pure."""

from common.access import AccountAccess
from common.domain.accounts import Platform
from common.domain.content import ListedPost
from common.post_codes import number_of, remote_id
from common.reconcile import DOUBT_SLACK_SECONDS

__all__ = ["base_url", "is_older", "number_of", "page_url", "remote_id"]

_PUBLIC_URL = "https://www.instagram.com"


def base_url(account: AccountAccess) -> str:
    """Return the address of the account's platform for people and browsers."""
    if account.platform is Platform.PRACTICE:
        return account.platform_url.rstrip("/")
    return _PUBLIC_URL


def page_url(account: AccountAccess, code: str) -> str:
    """Return the address of a post's page."""
    return f"{base_url(account)}/p/{code}/"


def is_older(post: ListedPost, since: float | None) -> bool:
    """Say whether a post is older than `since`, by more than any clock may be wrong."""
    if since is None or post.taken_at is None:
        return False
    return post.taken_at < since - DOUBT_SLACK_SECONDS
