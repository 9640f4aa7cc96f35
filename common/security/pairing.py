"""The pairing line and the identities in it.

`flotilla://host:port/<agent-id>#<one-time code>`: where the agent listens, the SHA-256 of its
certificate, and a code that can be traded once for a token.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from common.access import WireSecret
from common.errors import InputError

SCHEME = "flotilla"
CODE_LIFETIME_SECONDS = 15 * 60
CODE_TRIES = 5
PAIR_PATH = "/v1/pair"
_AGENT_ID = re.compile(r"^[a-z2-7]{52}$")
_CODE = re.compile(r"^[A-Za-z0-9_-]{22}$")
_SHAPE = "A pairing line looks like flotilla://host:port/agent-id#code."
_AGAIN = "Copy the whole line that `flotilla-agent pair` printed."


class PairRequest(BaseModel):
    """What a desktop sends to trade the one-time code for a token. POST to `PAIR_PATH`."""

    model_config = ConfigDict(frozen=True)

    code: WireSecret
    store_id: str
    """The store that will own the agent."""
    desktop_name: str
    """Shown at the agent, so that a person can tell the desktops apart."""


class PairResponse(BaseModel):
    """The token, given out once; the agent keeps only its SHA-256."""

    model_config = ConfigDict(frozen=True)

    token: WireSecret
    scope: str
    """`control` for the owning store, `read` for others."""
    agent_id: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class PairingLine:
    """A parsed pairing line."""

    host: str
    port: int
    agent_id: str
    code: str

    def __str__(self) -> str:
        """Return the line to paste. It holds the one-time code: print it, do not log it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEME}://{host}:{self.port}/{self.agent_id}#{self.code}"

    def __repr__(self) -> str:
        return f"PairingLine({self.host}:{self.port}, {self.agent_id[:8]}…)"


def parse_pairing_line(text: str) -> PairingLine:
    """Read a pairing line; raises InputError that says which part is wrong."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        raise InputError(_SHAPE, field="pairing line", advice=_AGAIN) from None
    if url.scheme != SCHEME or not url.hostname:
        raise InputError(_SHAPE, field="pairing line", advice=_AGAIN)
    if not port:
        raise InputError("The pairing line names no port.", field="port", advice=_AGAIN)
    agent_id = url.path.strip("/")
    if not _AGENT_ID.match(agent_id):
        raise InputError(
            "The agent id in the pairing line is incomplete.", field="agent id", advice=_AGAIN
        )
    if not _CODE.match(url.fragment):
        raise InputError(
            "The one-time code in the pairing line is incomplete.", field="code", advice=_AGAIN
        )
    return PairingLine(url.hostname, port, agent_id, url.fragment)


def agent_id_of(certificate_der: bytes) -> str:
    """Return the agent id: base32 of the certificate's SHA-256, lower case, unpadded."""
    digest = hashlib.sha256(certificate_der).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()


def new_code() -> str:
    """Return a one-time code of 128 random bits."""
    return secrets.token_urlsafe(16)


def new_token() -> str:
    """Return a bearer token of 256 random bits."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return what an agent keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same_digest(one: str, other: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one, other)
