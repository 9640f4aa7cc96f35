"""What repositories take and give where a contract value would say too little. No secrets."""

from dataclasses import dataclass, field

from pydantic import JsonValue

from common.domain.accounts import DriverName, Platform
from common.domain.content import Placement, PostKind
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import WireError
from common.protocol.messages import AgentCard, Cursor


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRecord:
    """One account as planning and dispatch see it."""

    id: str
    platform: Platform
    platform_url: str
    username: str
    full_name: str
    user_id: str
    tags: tuple[str, ...]
    driver: DriverName | None
    proxy_id: str | None
    agent_id: str | None
    moving_to: str | None = None
    """The agent that it goes to once the present one holds nothing of it any more."""
    fence: int
    has_password: bool
    has_totp: bool
    sessions: frozenset[DriverName]
    """Drivers with a saved session."""
    sign_in: SignInState
    held: bool
    hold_reason: str = ""
    held_by_platform: bool = False
    """True for a hold that a verified sign-in lifts by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentRecord:
    """One paired agent, without its token."""

    id: str
    name: str
    host: str
    port: int
    certificate: str
    """PEM."""
    scope: str
    card: AgentCard | None
    """What it last said of itself; None before the first link."""
    cursor: Cursor
    """An empty epoch before the first link."""
    paired_at: float
    last_seen: float | None
    generation: int = 0
    """The store's generation in which it was compared last with what is known here."""
    is_draining: bool = False

    @property
    def is_ours(self) -> bool:
        """Say whether it works for this store, and does not only let it watch."""
        return self.scope == "control"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A run about to be stored."""

    id: str
    name: str
    task: str
    parameters: dict[str, JsonValue]
    targets: dict[str, JsonValue]
    created_at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class IntentClaim:
    """The wish to publish certain media on an account, in one item."""

    account_id: str
    username: str
    """To name the account in a refusal."""
    item_id: str
    content_key: str
    placement: Placement
    kind: PostKind
    caption: str
    media: tuple[str, ...]
    """SHA-256 of each file, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntentRecord:
    """The right to publish certain media on an account, as settling sees it."""

    id: str
    account_id: str
    item_id: str
    state: ActionState
    media: tuple[str, ...]
    """SHA-256 of each file, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewItem:
    """An item about to be stored, in the order of the run."""

    id: str
    account_id: str
    username: str
    agent_id: str | None
    title: str
    driver: DriverName
    driver_reason: str
    parameters: dict[str, JsonValue] = field(default_factory=dict)
    claim: IntentClaim | None = None
    """What it publishes, where it publishes."""
    not_before: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemRecord:
    """One item as dispatch sees it."""

    id: str
    run_id: str
    account_id: str
    username: str
    agent_id: str | None
    state: ItemState
    attempt: int
    driver: DriverName
    intent_id: str | None
    action: ActionState | None
    """State of the intent that this item holds."""
    accepted: bool
    """True once the agent has journaled this attempt."""
    wanted: str | None
    log_end: int
    offered: bool = False
    """True once the agent was asked to take it: it may have it although it did not say so."""

    @property
    def is_away(self) -> bool:
        """Say whether an agent has it, or may have it: nothing about it is decided here alone."""
        return self.agent_id is not None and (self.accepted or self.offered)


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """All accounts in numbers."""

    total: int
    held: int
    practice: int
    by_sign_in: dict[SignInState, int]


def error_of(stored: dict[str, object] | None) -> WireError | None:
    """Read an error as it lies in a table."""
    return WireError.model_validate(stored) if stored else None


def error_to_store(error: WireError | None) -> dict[str, object] | None:
    """Write an error as it lies in a table."""
    return error.model_dump(mode="json", exclude_defaults=True) if error else None
