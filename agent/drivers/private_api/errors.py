"""What an answer, or the lack of one, means: the border between the library and `common.errors`.

Decided by the recorded exchange (status and JSON) first and by the library's exception last,
because the library merges the answers of earlier requests into its exceptions. Pure.
"""

from enum import StrEnum
from typing import Any

from instagrapi.exceptions import (
    AccountSuspended,
    ChallengeError,
    ChallengeRequired,
    LoginRequired,
    TwoFactorRequired,
)

from agent.drivers.private_api.client import OlderSignInOfferedError, PasswordAlreadySubmittedError
from agent.drivers.private_api.exchange import Cut, Exchange
from common.errors import (
    ActionBlockedError,
    AmbiguousEffectError,
    ChallengeRequiredError,
    ContentRefusedError,
    CredentialsRefusedError,
    DriverError,
    FlotillaError,
    OperationCancelledError,
    OperationUnsupportedError,
    PlatformUnreachableError,
    ProxyFailedError,
    RateLimitedError,
    SecondFactorRefusedError,
    SessionExpiredError,
)
from common.security.redaction import plain_text

_SAID_LIMIT = 200
"""Characters of the platform's own words that are passed on."""
_DECIDING_SIGN_IN = "send_login_request/"
"""Where the password goes: a success that signs nobody in is a refusal."""
_REFUSALS = frozenset({400, 401, 403})
"""Statuses with which the platform says no before it does anything, given a reason in JSON."""


class Stake(StrEnum):
    """What a call is about, and so what a missing answer means."""

    SIGN_IN = "sign_in"
    READ = "read"
    LOOK = "look"
    """A read that settles a doubt: an operator's stop waits for it."""
    UPLOAD = "upload"
    """Bytes, nothing visible: may be repeated."""
    EFFECT = "effect"
    """The one request that makes something happen: never repeated without proof."""


def classify(
    username: str, stake: Stake, error: Exception, last: Exchange | None, cut: Cut | None
) -> FlotillaError:
    """Return the error that the operator is to see for `error`.

    `last` is the last exchange of the call, `cut` what cut it short, if anything did.
    """
    if isinstance(error, FlotillaError):
        return error
    if cut is not None and (last is None or last.cut is not None):
        return _from_cut(username, stake, cut, last)
    if isinstance(error, (OlderSignInOfferedError, PasswordAlreadySubmittedError)):
        return CredentialsRefusedError(
            f"The platform did not accept the user name and password of {username}.",
            subject=username,
        )
    if last is None or last.status is None:
        return _unexpected(username, error, last)
    return _from_answer(username, stake, error, last)


def refusal_kind(status: int, text: str, body: dict[str, Any] | None) -> type[DriverError] | None:
    """Say which refusal an answer is, or None where it proves none.

    A refusal is proof that nothing was done. 429 and every 5xx prove nothing.
    """
    if status == 404 and text == "Not Found":
        return ChallengeRequiredError
    if status not in _REFUSALS or body is None:
        return None
    message = str(body.get("message") or "")
    known = _kind_by_type(str(body.get("error_type") or ""), body) or _kind_by_message(message)
    if known:
        return known
    if status == 401:
        return SessionExpiredError
    return ContentRefusedError if status == 400 and message else None


def _kind_by_type(error_type: str, body: dict[str, Any]) -> type[DriverError] | None:
    if body.get("challenge"):
        return ChallengeRequiredError
    if body.get("two_factor_info"):
        return SecondFactorRefusedError
    return _BY_TYPE.get(error_type)


_BY_TYPE: dict[str, type[DriverError]] = {
    "bad_password": CredentialsRefusedError,
    "invalid_user": CredentialsRefusedError,
    "two_factor_required": SecondFactorRefusedError,
    "sms_code_validation_code_invalid": SecondFactorRefusedError,
    "rate_limit_error": RateLimitedError,
    "sentry_block": ActionBlockedError,
    "needs_upgrade": OperationUnsupportedError,
    "checkpoint_challenge_required": ChallengeRequiredError,
}
_BY_MESSAGE: tuple[tuple[str, type[DriverError]], ...] = (
    ("challenge_required", ChallengeRequiredError),
    ("checkpoint_required", ChallengeRequiredError),
    ("login_required", SessionExpiredError),
    ("feedback_required", ActionBlockedError),
    ("please wait a few minutes", RateLimitedError),
    ("check the security code", SecondFactorRefusedError),
    ("the username you entered", CredentialsRefusedError),
)


def _kind_by_message(message: str) -> type[DriverError] | None:
    low = message.lower()
    return next((kind for words, kind in _BY_MESSAGE if words in low), None)


def _from_cut(username: str, stake: Stake, cut: Cut, last: Exchange | None) -> FlotillaError:
    why = last.detail if last else ""
    match cut:
        case Cut.CANCELLED:
            return OperationCancelledError(
                "Stopped by the operator before it had an effect.", subject=username
            )
        case Cut.PROXY:
            return ProxyFailedError(
                f"{username} could not leave through its proxy: {why}.", subject=username
            )
        case Cut.NOT_SENT:
            return PlatformUnreachableError(
                f"The platform could not be reached for {username}: {why}.", subject=username
            )
        case Cut.FORBIDDEN:
            return DriverError(
                f"A request for {username} was stopped: {why}.",
                advice="This is a defect of the driver; please report it.",
                subject=username,
            )
        case Cut.NO_ANSWER:
            return _no_answer(username, stake, why)


def _no_answer(username: str, stake: Stake, why: str) -> FlotillaError:
    if stake is Stake.EFFECT:
        return AmbiguousEffectError(
            f"The platform did not confirm the post of {username}: {why}. It may be there.",
            subject=username,
        )
    tail = "" if stake is Stake.LOOK else " Nothing was published."
    return PlatformUnreachableError(
        f"The platform did not answer {username}: {why}.{tail}", subject=username
    )


def _from_answer(username: str, stake: Stake, error: Exception, last: Exchange) -> FlotillaError:
    status = last.status or 0
    kind = refusal_kind(status, last.text, last.body)
    if stake is Stake.EFFECT and status not in _REFUSALS:
        kind = None  # a bare 404 mostly hides a challenge, which is no proof that nothing was done
    if kind is ContentRefusedError and stake in (Stake.SIGN_IN, Stake.READ, Stake.LOOK):
        kind = None
    if kind:
        return kind(_refused_sentence(username, kind, last), subject=username)
    if stake is Stake.EFFECT:
        return AmbiguousEffectError(
            f"The platform answered the post of {username} with {_answer(last)}, which does not "
            "say whether it is there.",
            subject=username,
        )
    by_class = _kind_by_class(error)
    if by_class:
        return by_class(_refused_sentence(username, by_class, last), subject=username)
    if stake is Stake.SIGN_IN and last.path.endswith(_DECIDING_SIGN_IN) and status == 200:
        return CredentialsRefusedError(
            f"The platform took the user name and password of {username} and did not sign in.",
            subject=username,
        )
    if status == 429:
        return RateLimitedError(
            f"The platform asks {username} to slow down ({_answer(last)}).", subject=username
        )
    return _unexpected(username, error, last)


def _kind_by_class(error: Exception) -> type[DriverError] | None:
    """Read the library's exception, for refusals that come as a success with a page in it."""
    return next((kind for classes, kind in _BY_CLASS if isinstance(error, classes)), None)


_BY_CLASS: tuple[tuple[tuple[type[Exception], ...], type[DriverError]], ...] = (
    ((TwoFactorRequired,), SecondFactorRefusedError),
    ((ChallengeRequired, ChallengeError, AccountSuspended), ChallengeRequiredError),
    ((LoginRequired,), SessionExpiredError),
)


def _refused_sentence(username: str, kind: type[DriverError], last: Exchange) -> str:
    said = _said(last)
    tail = f" It says: {said}" if said else ""
    return _SENTENCES[kind].format(username=username) + tail


_SENTENCES: dict[type[DriverError], str] = {
    CredentialsRefusedError: "The platform did not accept the user name and password of "
    "{username}.",
    SecondFactorRefusedError: "The platform did not accept the one-time password of {username}.",
    ChallengeRequiredError: "The platform asks for a person at the account {username}.",
    SessionExpiredError: "The platform no longer accepts the session of {username}.",
    ActionBlockedError: "The platform blocks this for {username}.",
    RateLimitedError: "The platform asks {username} to slow down.",
    ContentRefusedError: "The platform refused the post of {username}.",
    OperationUnsupportedError: "The platform asks for a newer client than the one that acts for "
    "{username}.",
}


def _unexpected(username: str, error: Exception, last: Exchange | None) -> DriverError:
    where = f" at {last.path}" if last else ""
    what = _answer(last) if last and last.status else type(error).__name__
    return DriverError(
        f"Something unexpected happened for {username}{where}: {what}.",
        advice="Retry the item; if it happens again, read its log.",
        subject=username,
    )


def _answer(last: Exchange) -> str:
    said = _said(last)
    return f"{last.status}, “{said}”" if said else f"{last.status}"


def _said(last: Exchange) -> str:
    body = last.body or {}
    words = str(body.get("feedback_message") or body.get("message") or "")
    return plain_text(words).strip()[:_SAID_LIMIT]
