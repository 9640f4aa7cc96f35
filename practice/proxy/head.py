"""The head of a proxy request: reading it, judging it, and rewriting it for the platform."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOP_BY_HOP = {b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive"}
_LOCAL_NAMES = {"127.0.0.1", "localhost"}


class HeadError(ValueError):
    """The bytes aren't the head of an HTTP request to a proxy."""


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers."""

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    """Name and value, as sent."""

    @property
    def is_tunnel(self) -> bool:
        """Whether a tunnel is asked for, and not a single request."""
        return self.method == "CONNECT"

    def leads_to(self, port: int) -> bool:
        """Whether the target is this machine's own ``port``."""
        try:
            parts = urlsplit(f"//{self.target}" if self.is_tunnel else self.target)
            scheme_fits = parts.scheme == ("" if self.is_tunnel else "http")
            return scheme_fits and parts.hostname in _LOCAL_NAMES and (parts.port or 80) == port
        except ValueError:
            return False

    def credentials(self) -> tuple[str, str] | None:
        """User name and password of Basic authentication, if they were sent."""
        for name, value in self.headers:
            if name.lower() == b"proxy-authorization":
                scheme, _, encoded = value.strip().partition(b" ")
                if scheme.lower() != b"basic":
                    return None
                try:
                    text = base64.b64decode(encoded, validate=True).decode()
                except (binascii.Error, UnicodeDecodeError):
                    return None
                username, _, password = text.partition(":")
                return (username, password) if username else None
        return None

    def for_origin(self) -> bytes:
        """The head as the platform should get it: its own path, and one request only."""
        parts = urlsplit(self.target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [pair for pair in self.headers if pair[0].lower() not in _HOP_BY_HOP]
        lines = [f"{self.method} {path} HTTP/1.1".encode("latin-1")]
        lines += [name + b": " + value for name, value in (*kept, (b"Connection", b"close"))]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def parse_head(data: bytes) -> Head:
    """Read a head that ends with an empty line.

    Raises:
        HeadError: when it isn't one.
    """
    first, *rest = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise HeadError("The request line isn't HTTP/1.1.")
    headers = []
    for line in rest:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise HeadError("A header line has no name.")
        headers.append((name, value.strip()))
    return Head(words[0], words[1], tuple(headers))
