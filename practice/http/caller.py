"""Who is calling: the session behind a request's token, and the way the request came."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

import orjson
from starlette.requests import HTTPConnection

from practice.state.platform import PlatformState
from practice.values import Account, RequestContext, Session

SESSION_COOKIE = "sessionid"
_BEARER = b"Bearer IGT:2:"


@dataclass(frozen=True, slots=True)
class Caller:
    """A request's sender. ``session`` and ``account`` are None together: not signed in."""

    context: RequestContext
    session: Session | None = None
    account: Account | None = None


def caller_of(connection: HTTPConnection) -> Caller:
    """The caller that the pipeline found for this request."""
    caller = connection.scope["state"]["caller"]
    if not isinstance(caller, Caller):
        raise TypeError("The request didn't pass the pipeline.")
    return caller


def identify(
    headers: Iterable[tuple[bytes, bytes]], context: RequestContext, state: PlatformState
) -> Caller:
    """Find the session named by a request's headers, if it is open."""
    token, claimed_id = _token_of(headers)
    session = state.sessions.find(token) if token else None
    if session is None or claimed_id not in (None, str(session.user_id)):
        return Caller(context)
    account = state.accounts.by_id(session.user_id)
    return Caller(context, session, account) if account else Caller(context)


def _token_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str | None]:
    """Session token and, where the header says so, the user id it claims to be for."""
    cookie_token: str | None = None
    for name, value in headers:
        if name == b"authorization" and value.startswith(_BEARER):
            return _token_of_bearer(value.removeprefix(_BEARER))
        if name == b"cookie":
            cookie_token = cookie_value(value.decode("latin-1"), SESSION_COOKIE) or cookie_token
    return cookie_token, None


def cookie_value(header: str, name: str) -> str | None:
    """One cookie out of a Cookie header."""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def _token_of_bearer(encoded: bytes) -> tuple[str | None, str | None]:
    try:
        claim = orjson.loads(base64.b64decode(encoded, validate=True))
        return str(claim["sessionid"]), str(claim["ds_user_id"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError):
        return None, None


def bearer_for(account: Account, token: str) -> str:
    """The header value that a client is told to send from now on."""
    claim = {
        "ds_user_id": str(account.user_id),
        "sessionid": token,
        "should_use_header_over_cookies": True,
    }
    return (_BEARER + base64.b64encode(orjson.dumps(claim))).decode()
