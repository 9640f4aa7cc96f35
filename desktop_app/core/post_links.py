"""Reads the link to a post that a person gives: an address of the account's platform, or an id."""

import re
from urllib.parse import urlsplit

from common.domain.accounts import Platform
from common.errors import InputError
from common.post_codes import code_of, number_of, remote_id
from desktop_app.store.accounts import post_url
from desktop_app.store.records import AccountRecord

_HOSTS = frozenset({"instagram.com", "www.instagram.com", "m.instagram.com"})
_PATH = re.compile(r"/(?:[\w.]+/)?(?:p|reel|reels|tv)/([A-Za-z0-9_-]{5,20})/?")
_ID = re.compile(r"(\d{5,25})(?:_(\d{1,25}))?")
_ADVICE = "Open the post on the platform and copy its address, or give the post's id."


def read_post_link(text: str, account: AccountRecord) -> tuple[str, str]:
    """Return a post's id, as drivers report it, and its address.

    Raises InputError where that is no post, or one of another platform or account.
    """
    text = text.strip()
    if not text:
        raise InputError("Say which post it is.", field="link", advice=_ADVICE)
    if plain := _ID.fullmatch(text):
        number, owner = int(plain[1]), plain[2]
        if owner and account.user_id and owner != account.user_id:
            raise InputError(
                f"That post is not one of @{account.username}.", field="link", advice=_ADVICE
            )
    else:
        number, owner = _number_in(text, account), None
    user_id = account.user_id or owner
    return remote_id(number, user_id), post_url(account, code_of(number))


def _number_in(text: str, account: AccountRecord) -> int:
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_link() from None
    path = _PATH.fullmatch(parts.path)
    if path is None or parts.scheme not in {"http", "https"}:
        raise _no_link()
    if account.platform is Platform.PRACTICE:
        ours = urlsplit(account.platform_url)
        is_ours = (host, port) == (ours.hostname, ours.port)
    else:
        is_ours = host in _HOSTS
    if not is_ours:
        raise InputError(
            f"That address is not on the platform of @{account.username}.",
            field="link",
            advice=_ADVICE,
        )
    return number_of(path[1])


def _no_link() -> InputError:
    return InputError("That is not the address of a post.", field="link", advice=_ADVICE)
