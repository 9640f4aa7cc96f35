"""Keeps practice accounts on this machine: what they may be given as an address. Pure."""

import ipaddress
from urllib.parse import urlsplit

from common.access import AccountAccess
from common.domain.accounts import Platform
from common.errors import InputError


def is_loopback(host: str | None) -> bool:
    """Say whether `host`, a name or an address, can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def require_confined(account: AccountAccess) -> None:
    """Raise InputError where a practice account could reach another machine.

    An account of the real platform must not name a practice platform either.
    """
    if account.platform is Platform.PRACTICE:
        _require_loopback(account, account.platform_url, "practice platform")
        if account.proxy:
            _require_loopback(account, account.proxy.url, "proxy")
    elif account.platform_url:
        raise InputError(
            f"{account.username} is no practice account, yet names a practice platform.",
            subject=account.username,
            field="platform_url",
        )


def _require_loopback(account: AccountAccess, url: str, what: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and is_loopback(parts.hostname):
        return
    raise InputError(
        f"The {what} of {account.username} is not on this machine.",
        advice="Practice accounts use http:// addresses on 127.0.0.1 only.",
        subject=account.username,
        field="platform_url" if what == "practice platform" else "proxy",
    )
