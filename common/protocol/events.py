"""What an agent reports durably. Each event is a row of the agent's outbox.

An event is stored, sent, applied and acknowledged in order, exactly once per store. A kind that
this side does not know is kept raw and acknowledged, so that a newer agent never blocks.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from common.access import WireSecret
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import WireError


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ItemChanged(_Event):
    """An item's attempt went into a new state."""

    kind: Literal["item_changed"] = "item_changed"
    item_id: str
    attempt: int
    state: ItemState
    step: str = ""
    """What it is doing, or did last, in a few words."""
    error: WireError | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)
    """What a finished item found; its shape is the task type's own."""
    log_end: int = 0
    """Bytes of the attempt's log so far."""


class ActionChanged(_Event):
    """An external effect went into a new state; one line of the ledger."""

    kind: Literal["action_changed"] = "action_changed"
    action_id: str
    item_id: str
    attempt: int
    account_id: str
    operation: str
    state: ActionState
    driver: DriverName
    resume: dict[str, str] = Field(default_factory=dict)
    """Resume points: upload ids, container ids."""
    remote_id: str = ""
    remote_url: str = ""
    note: str = ""
    """Why it is in this state, where that is not obvious; what settled a doubt."""


class SessionSaved(_Event):
    """A sign-in state was saved. Sealed in the outbox, in clear only on the pinned link."""

    kind: Literal["session_saved"] = "session_saved"
    account_id: str
    driver: DriverName
    version: int
    session: WireSecret
    user_id: str
    username: str


class AccountObserved(_Event):
    """Something was learnt about an account."""

    kind: Literal["account_observed"] = "account_observed"
    account_id: str
    sign_in: SignInState
    driver: DriverName
    user_id: str = ""
    error: WireError | None = None


AgentEvent = Annotated[
    ItemChanged | ActionChanged | SessionSaved | AccountObserved, Field(discriminator="kind")
]
_ADAPTER: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)


class UnknownEvent(_Event):
    """An event of a kind, or in a shape, that this release does not know. Kept as it came."""

    kind: str
    body: dict[str, Any]


class OutboxRow(BaseModel):
    """One event with its place in the agent's outbox."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int
    at: float
    """When it happened by the agent's clock, seconds since 1970; for showing, not for order."""
    body: dict[str, Any]
    """The event; read it with `parse_event`."""


def parse_event(body: dict[str, Any]) -> AgentEvent | UnknownEvent:
    """Read an event; one that this release cannot read becomes an `UnknownEvent`."""
    try:
        return _ADAPTER.validate_python(body)
    except ValidationError:
        return UnknownEvent(kind=str(body.get("kind", "")), body=body)
