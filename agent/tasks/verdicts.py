"""What an error proves about an external effect. Pure; the driver has chosen the error.

Conservative on purpose: what is not listed here proves nothing, and the effect is in doubt.
"""

from common.domain.states import ActionState
from common.errors import (
    ChallengeRequiredError,
    CredentialsRefusedError,
    FlotillaError,
    InputError,
    OperationUnsupportedError,
    SessionExpiredError,
)

_ABSENT = (ActionState.PROVEN_ABSENT, "the platform refused it")
_NEVER_SENT = (ActionState.PREPARED, "the request never left")
_SETTLED: dict[str, tuple[ActionState, str]] = {
    # An answer with status 400, 401 or 403 and a reason in JSON: the platform looks at who asks
    # and at what is asked before it does anything. Drivers raise none of these for a deciding
    # request that was answered otherwise; 429, 408, every 5xx and a page instead of JSON are
    # ambiguous, because a proxy or a worker behind the platform's door may have gone on.
    "content_refused": _ABSENT,
    "session_expired": _ABSENT,
    "challenge_required": _ABSENT,
    "action_blocked": _ABSENT,
    "rate_limited": _ABSENT,
    "credentials_refused": _ABSENT,
    "second_factor_refused": _ABSENT,
    "operation_unsupported": _ABSENT,
    # No connection, no tunnel, no finished handshake: not one byte of the request has left.
    "proxy_failed": _NEVER_SENT,
    "platform_unreachable": _NEVER_SENT,
    "cancelled": _NEVER_SENT,
}
_NO_WAY_TO_LOOK = (
    ChallengeRequiredError,
    CredentialsRefusedError,
    InputError,
    OperationUnsupportedError,
    SessionExpiredError,
)


def settled_by(error: FlotillaError | None) -> tuple[ActionState, str]:
    """Say where an effect in `sending` goes after `error`; None is an error nobody foresaw."""
    return _SETTLED.get(error.code if error else "", (ActionState.IN_DOUBT, ""))


def ends_looking(error: FlotillaError) -> bool:
    """Say whether no further look can work before a person has done something."""
    return isinstance(error, _NO_WAY_TO_LOOK)
