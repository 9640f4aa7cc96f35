"""Reads a proxy's address as people write it: one line with scheme, credentials, host and port."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from common.errors import InputError

SCHEMES = ("http", "https", "socks5")
_SHAPE = "Write it as http://host:port or http://user:password@host:port (or https, socks5)."


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """One proxy, taken apart."""

    url: str
    """Scheme, host and port."""
    username: str = ""
    password: SecretStr | None = None


def parse_proxy_url(text: str) -> ProxyAddress:
    """Read a proxy's address; raises InputError that never repeats what was typed."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _bad("The proxy's address cannot be read.") from None
    if parts.scheme not in SCHEMES:
        raise _bad("The proxy's address does not begin with http://, https:// or socks5://.")
    if not host or any(character.isspace() for character in host):
        raise _bad("The proxy's address names no host.")
    if not port:
        raise _bad("The proxy's address names no port.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _bad("The proxy's address goes on behind the port.")
    shown = f"[{host}]" if ":" in host else host
    password = SecretStr(unquote(parts.password)) if parts.password else None
    return ProxyAddress(f"{parts.scheme}://{shown}:{port}", unquote(parts.username or ""), password)


def _bad(message: str) -> InputError:
    return InputError(message, advice=_SHAPE, field="proxy")
