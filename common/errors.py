"""Every error that an operator can meet, with a stable code, and its form on the wire.

FlotillaError
├── InputError                  what was typed, pasted or chosen cannot be used
│   └── MediaError              a media file cannot be used
├── PreflightError              the batch as planned cannot start
├── NotFoundError               the thing named does not exist (any more)
├── ConflictError               it clashes with something that exists or runs
│   ├── DuplicateIntentError    the same content is already published or on its way
│   └── StaleFenceError         another desktop has taken the account over
├── IllegalTransitionError      a state cannot follow another (a defect, never shown as normal)
├── LinkError                   desktop and agent cannot talk
│   ├── AgentUnreachableError   nothing answers at the address
│   ├── NotAnAgentError         something answers, and it is not a Flotilla agent
│   ├── CertificateMismatchError  the agent is not the one that was paired
│   ├── TokenRefusedError       the agent does not accept this desktop's token
│   ├── PairingRefusedError     the one-time code is wrong, used or expired
│   └── ProtocolVersionError    the two sides share no protocol version
├── CoreUnreachableError        the core that a client needs does not answer or did not start
├── VaultError                  the vault is locked, or a secret cannot be opened
├── StoreError                  the store cannot be used (damaged, disk full)
│   └── StoreInUseError         another core already serves it
└── DriverError                 the platform, or the way to it, said no
    ├── CredentialsRefusedError     wrong password: never tried again by itself
    ├── SecondFactorRefusedError    wrong or missing one-time password
    ├── ChallengeRequiredError      the platform asks for a person
    ├── SessionExpiredError         the saved session is no longer accepted
    ├── ActionBlockedError          the platform blocks this kind of action for now
    ├── RateLimitedError            too many requests; wait
    ├── ContentRefusedError         the platform refused this content
    ├── ProxyFailedError            the proxy refused, dropped or does not answer
    ├── PlatformUnreachableError    the platform could not be reached; nothing was sent
    ├── AmbiguousEffectError        it may have happened; reconcile before anything else
    ├── OperationUnsupportedError   this driver cannot do it
    ├── RunnerLostError             the process that did the work ended
    └── OperationCancelledError     the operator stopped it in time
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from common.security.redaction import plain_text

_TEXT_CHARACTERS = 4096


def _shown(text: str) -> str:
    """Return a text of whoever reports an error as it may stand on a screen."""
    return plain_text(text[:_TEXT_CHARACTERS])


_Shown = Annotated[str, AfterValidator(_shown)]


class WireError(BaseModel):
    """An error as it crosses a wire or lies in a store: never with a secret in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: _Shown
    """Stable, for programs: `proxy_failed`."""
    message: _Shown
    """What happened, to what, in one sentence."""
    advice: _Shown = ""
    """What the operator can do next."""
    subject: _Shown = ""
    """What it happened to: a user name, a file, a line, an agent."""
    field: _Shown = ""
    """The field of the input, where there is one."""
    line: int | None = None
    """The line of the input, counted from 1, where there is one."""


class FlotillaError(Exception):
    """The root: an error that the operator can understand and act on."""

    code: ClassVar[str] = "error"
    default_advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        subject: str = "",
        field: str = "",
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice or self.default_advice
        self.subject = subject
        self.field = field
        self.line = line

    def to_wire(self) -> WireError:
        """Return the error as a value."""
        return WireError(
            code=self.code,
            message=self.message,
            advice=self.advice,
            subject=self.subject,
            field=self.field,
            line=self.line,
        )


class InputError(FlotillaError):
    """What was typed, pasted or chosen cannot be used."""

    code = "bad_input"


class MediaError(InputError):
    """A media file cannot be used."""

    code = "bad_media"
    default_advice = "Choose another file, or export it again as JPEG or MP4."


class PreflightError(FlotillaError):
    """The batch as planned cannot start."""

    code = "preflight"


class NotFoundError(FlotillaError):
    """The thing named does not exist, or no longer."""

    code = "not_found"


class ConflictError(FlotillaError):
    """It clashes with something that exists or runs."""

    code = "conflict"


class DuplicateIntentError(ConflictError):
    """The same content is already published on this account, or on its way."""

    code = "duplicate_intent"
    default_advice = 'Choose "post again" if a second copy is really wanted.'


class StaleFenceError(ConflictError):
    """Another desktop has taken the account over since."""

    code = "stale_fence"


class IllegalTransitionError(FlotillaError):
    """A state cannot follow another."""

    code = "illegal_transition"


class LinkError(FlotillaError):
    """Desktop and agent cannot talk."""

    code = "link"


class AgentUnreachableError(LinkError):
    """Nothing answers at the agent's address."""

    code = "agent_unreachable"
    default_advice = "Check that the worker machine is on and that the agent service runs there."


class NotAnAgentError(LinkError):
    """Something answers at the address, and it is not a Flotilla agent."""

    code = "not_an_agent"
    default_advice = "Check the address and the port in the pairing line."


class CertificateMismatchError(LinkError):
    """The machine that answers does not hold the paired agent's key."""

    code = "certificate_mismatch"
    default_advice = (
        "If the agent was installed anew, pair it again with a fresh line from "
        "`flotilla-agent pair`. If not, somebody may be in between: do not pair."
    )


class TokenRefusedError(LinkError):
    """The agent does not accept this desktop's token."""

    code = "token_refused"
    default_advice = "Pair again with a fresh line from `flotilla-agent pair`."


class PairingRefusedError(LinkError):
    """The one-time code is wrong, used or expired."""

    code = "pairing_refused"
    default_advice = "Run `flotilla-agent pair` on the worker machine and paste the new line."


class ProtocolVersionError(LinkError):
    """The two sides share no protocol version."""

    code = "protocol_version"
    default_advice = "Update the older side: desktop and agent must share a protocol version."


class CoreUnreachableError(FlotillaError):
    """The core that a client needs does not answer, or did not start."""

    code = "core_unreachable"
    default_advice = "Open Flotilla again, or run `flotilla doctor` to see what is wrong."


class VaultError(FlotillaError):
    """The vault is locked, or a secret cannot be opened."""

    code = "vault"


class StoreError(FlotillaError):
    """The store cannot be used: in use, damaged, or the disk is full."""

    code = "store"


class StoreInUseError(StoreError):
    """Another core already serves the store."""

    code = "store_in_use"


class DriverError(FlotillaError):
    """The platform, or the way to it, said no. Raised at the border of a driver, once."""

    code = "driver"


class CredentialsRefusedError(DriverError):
    """Wrong password. Never tried again by itself."""

    code = "credentials_refused"
    default_advice = "Correct the password of this account, then retry the item."


class SecondFactorRefusedError(DriverError):
    """Wrong or missing one-time password."""

    code = "second_factor_refused"
    default_advice = (
        "Check the account's TOTP seed, and the clock of the worker machine, then retry the item."
    )


class ChallengeRequiredError(DriverError):
    """The platform asks for a person."""

    code = "challenge_required"
    default_advice = "Answer the challenge yourself, then retry the item."


class SessionExpiredError(DriverError):
    """The saved session is no longer accepted."""

    code = "session_expired"
    default_advice = "Run a bulk login for this account."


class ActionBlockedError(DriverError):
    """The platform blocks this kind of action for now."""

    code = "action_blocked"
    default_advice = "Leave this account alone for at least a day."


class RateLimitedError(DriverError):
    """Too many requests."""

    code = "rate_limited"
    default_advice = "Wait before the next attempt, and lower this account's pace."


class ContentRefusedError(DriverError):
    """The platform refused this content."""

    code = "content_refused"


class ProxyFailedError(DriverError):
    """The proxy refused, dropped the connection, or does not answer."""

    code = "proxy_failed"
    default_advice = "Check the proxy's address, user name and password, or give another one."


class PlatformUnreachableError(DriverError):
    """The platform could not be reached, and nothing was sent."""

    code = "platform_unreachable"
    default_advice = "Check the worker machine's network, then retry the item."


class AmbiguousEffectError(DriverError):
    """The effect may have happened."""

    code = "ambiguous_effect"
    default_advice = "Look at the account's page before you decide."


class OperationUnsupportedError(DriverError):
    """This driver cannot do it."""

    code = "operation_unsupported"


class RunnerLostError(DriverError):
    """The process that did the work ended before it could finish."""

    code = "runner_lost"
    default_advice = "Retry the item; if it happens again, look at the agent's log."


class OperationCancelledError(DriverError):
    """The operator stopped it in time: it had no effect."""

    code = "cancelled"


def _tree(root: type[FlotillaError]) -> dict[str, type[FlotillaError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_tree(child))
    return found


_BY_CODE = _tree(FlotillaError)


def from_wire(error: WireError) -> FlotillaError:
    """Rebuild the same class on this side; an unknown code becomes a plain `FlotillaError`."""
    cls = _BY_CODE.get(error.code, FlotillaError)
    return cls(
        error.message,
        advice=error.advice,
        subject=error.subject,
        field=error.field,
        line=error.line,
    )
