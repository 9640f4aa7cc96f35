"""What Playwright's errors and a page's answers mean: the driver's border to `common.errors`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from common.errors import (
    ActionBlockedError,
    AmbiguousEffectError,
    ChallengeRequiredError,
    ContentRefusedError,
    CredentialsRefusedError,
    DriverError,
    FlotillaError,
    PlatformUnreachableError,
    ProxyFailedError,
    RateLimitedError,
    SecondFactorRefusedError,
    SessionExpiredError,
)
from common.security.redaction import plain_text

_PROXY = (
    "ERR_PROXY_",
    "ERR_TUNNEL_CONNECTION_FAILED",
    "ERR_INVALID_AUTH_CREDENTIALS",
    "ERR_MANDATORY_PROXY_CONFIGURATION_FAILED",
    "ERR_UNEXPECTED_PROXY_AUTH",
    "ERR_SOCKS_",
)
_NOT_SENT = (
    "ERR_CONNECTION_REFUSED",
    "ERR_NAME_NOT_RESOLVED",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_CERT_",
)
"""Failures that come before a request leaves, and at no other time."""
_UNREACHABLE = (*_NOT_SENT, "ERR_ADDRESS_UNREACHABLE", "ERR_SSL_")
"""Failures that mostly come before a request leaves. An open connection may end with them, too."""
_SAID_LIMIT = 200
_PROXY_REFUSED = 407
_BY_CODE: dict[str, type[DriverError]] = {
    kind.code: kind
    for kind in (
        ActionBlockedError,
        CredentialsRefusedError,
        RateLimitedError,
        SecondFactorRefusedError,
    )
}


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    """How the request that makes a post visible ended, as the browser saw it."""

    status: int | None = None
    message: str = ""
    """The platform's own words, where the answer was JSON."""
    failure: str = ""
    """Chromium's name for why there is no answer."""


@contextmanager
def translated(username: str, doing: str) -> Iterator[None]:
    """Turn Playwright's errors into ours; for everything but the deciding request."""
    try:
        yield
    except PlaywrightTimeoutError:
        raise DriverError(
            f"The page of {username} did not get ready in time while {doing}.",
            advice="Look at the account's screen, then retry the item.",
            subject=username,
        ) from None
    except Error as error:
        raise _from_network(username, error.message, doing) or DriverError(
            f"The browser of {username} failed while {doing}.",
            advice="Retry the item; if it happens again, read the agent's log.",
            subject=username,
        ) from None


@contextmanager
def translated_effect(username: str) -> Iterator[None]:
    """Turn everything that goes wrong around the deciding request into doubt."""
    try:
        yield
    except Error:
        raise AmbiguousEffectError(
            f"The page of {username} did not say whether the post was shared.", subject=username
        ) from None


def require_reached(username: str, statuses: Sequence[int]) -> None:
    """Raise ProxyFailedError where one of a page's statuses is the proxy's refusal."""
    if _PROXY_REFUSED in statuses:
        raise ProxyFailedError(
            f"The proxy of {username} refused the user name or password.", subject=username
        )


def sign_in_refusal(username: str, code: str, said: str) -> DriverError:
    """Return what an alert on a sign-in page means."""
    words = plain_text(said).strip()[:_SAID_LIMIT]
    kind = _BY_CODE.get(code)
    if kind is None:
        return ChallengeRequiredError(
            f"The sign-in page of {username} says something that this release does not know: "
            f"{words}",
            subject=username,
        )
    return kind(f"The platform did not sign {username} in. It says: {words}", subject=username)


def unknown_page(username: str, doing: str) -> ChallengeRequiredError:
    """Return the error for a page that only a person can go on with."""
    return ChallengeRequiredError(
        f"The page of {username} asks for a person while {doing}.", subject=username
    )


def publish_refusal(username: str, said: str, answer: PublishAnswer) -> FlotillaError:
    """Return what an alert after sharing means: a refusal only where the answer proves one."""
    words = plain_text(said).strip()[:_SAID_LIMIT]
    if answer.failure:
        not_sent = _from_network(username, answer.failure, "sharing", only_provable=True)
        if not_sent:
            return not_sent
    if answer.status == 400 and answer.message:
        return ContentRefusedError(
            f"The platform refused the post of {username}. It says: {words}", subject=username
        )
    if answer.status in (401, 403) and answer.message:
        return SessionExpiredError(
            f"The platform no longer accepts the session of {username}.", subject=username
        )
    return AmbiguousEffectError(
        f"The page of {username} shows an error after sharing, which does not say whether the "
        f"post is there: {words}",
        subject=username,
    )


def _from_network(
    username: str, message: str, doing: str, *, only_provable: bool = False
) -> FlotillaError | None:
    if any(mark in message for mark in _PROXY):
        return ProxyFailedError(
            f"The proxy of {username} refused or does not answer.", subject=username
        )
    if any(mark in message for mark in (_NOT_SENT if only_provable else _UNREACHABLE)):
        return PlatformUnreachableError(
            f"The platform could not be reached for {username}.", subject=username
        )
    if only_provable or "net::ERR_" not in message:
        return None
    return PlatformUnreachableError(
        f"The connection of {username} to the platform broke off while {doing}.", subject=username
    )
