"""How the platform names a post: number, short code, page. Pure."""

from common.access import AccountAccess
from common.domain.accounts import Platform

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PUBLIC_URL = "https://www.instagram.com"


def number_of(code: str) -> int:
    """Return the post's number from the short code in its address; ValueError if it is none."""
    number = 0
    for letter in code:
        number = number * 64 + _ALPHABET.index(letter)
    return number


def remote_id(number: int | str, user_id: str | None) -> str:
    """Return a post's id as every driver reports it: number and owner, where he is known."""
    return f"{number}_{user_id}" if user_id else str(number)


def base_url(account: AccountAccess) -> str:
    """Return the address of the account's platform for people and browsers."""
    if account.platform is Platform.PRACTICE:
        return account.platform_url.rstrip("/")
    return _PUBLIC_URL


def page_url(account: AccountAccess, code: str) -> str:
    """Return the address of a post's page."""
    return f"{base_url(account)}/p/{code}/"
