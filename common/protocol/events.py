"""What an agent reports durably. Each event is a row of the agent's outbox.

An event is stored, sent, applied and acknowledged in order, exactly once per store. A kind that
this side does not know is kept raw and acknowledged, so that a newer agent never blocks.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.access import WireSecret
from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import WireError
from common.protocol.fields import (
    Attempt,
    Count,
    IdText,
    JsonBody,
    JsonResult,
    Moment,
    ShownText,
    WebAddress,
    moment,
    shown_text,
    web_address,
)

SIGHTED_LIMIT = 10
"""Posts that an event shows at most; captions are cut to fit."""


def _shown_post(post: ListedPost) -> ListedPost:
    return ListedPost(
        remote_id=shown_text(post.remote_id),
        url=web_address(post.url),
        kind=post.kind,
        caption=None if post.caption is None else shown_text(post.caption),
        taken_at=moment(post.taken_at),
    )


def _shown_baseline(baseline: Baseline) -> Baseline:
    return Baseline(
        post_ids=tuple(map(shown_text, baseline.post_ids)),
        platform_time=moment(baseline.platform_time),
        is_estimate=baseline.is_estimate,
    )


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ItemChanged(_Event):
    """An item's attempt went into a new state."""

    kind: Literal["item_changed"] = "item_changed"
    item_id: IdText
    attempt: Attempt
    state: ItemState
    step: ShownText = ""
    """What it is doing, or did last, in a few words."""
    error: WireError | None = None
    result: JsonResult = Field(default_factory=dict)
    """What a finished item found; its shape is the task type's own."""
    log_end: Count = 0
    """Bytes of the attempt's log so far."""


class ActionChanged(_Event):
    """An external effect went into a new state; one line of the ledger."""

    kind: Literal["action_changed"] = "action_changed"
    action_id: IdText
    item_id: IdText
    attempt: Attempt
    account_id: IdText
    operation: ShownText
    state: ActionState
    driver: DriverName
    resume: dict[ShownText, ShownText] = Field(default_factory=dict)
    """Resume points: upload ids, container ids."""
    remote_id: ShownText = ""
    remote_url: WebAddress = ""
    note: ShownText = ""
    """Why it is in this state, where that is not obvious; what settled a doubt."""
    baseline: Annotated[Baseline, AfterValidator(_shown_baseline)] | None = None
    """With `sending`, `in_doubt` and `proven_absent`: what the account's list showed before, and
    what a person has said to be another one."""
    sighted: list[Annotated[ListedPost, AfterValidator(_shown_post)]] = Field(
        default_factory=list, max_length=SIGHTED_LIMIT
    )
    """With a verdict on a doubt: the posts that a look showed and that may be the one."""
    by: ShownText = ""
    """Who settled it, where that was a person."""


class SessionSaved(_Event):
    """A sign-in state was saved. Sealed in the outbox, in clear only on the pinned link."""

    kind: Literal["session_saved"] = "session_saved"
    account_id: IdText
    driver: DriverName
    version: Attempt
    session: WireSecret
    user_id: ShownText
    username: ShownText


class AccountObserved(_Event):
    """Something was learnt about an account."""

    kind: Literal["account_observed"] = "account_observed"
    account_id: IdText
    sign_in: SignInState
    driver: DriverName
    user_id: ShownText = ""
    error: WireError | None = None


AgentEvent = Annotated[
    ItemChanged | ActionChanged | SessionSaved | AccountObserved, Field(discriminator="kind")
]
_ADAPTER: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
_LIST_ADAPTER: TypeAdapter[list[AgentEvent]] = TypeAdapter(list[AgentEvent])
_KIND_CHARACTERS = 64


class UnknownEvent(_Event):
    """An event of a kind, or in a shape, that this release does not know. Kept as it came."""

    kind: str
    body: dict[str, Any]


class OutboxRow(BaseModel):
    """One event with its place in the agent's outbox."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: Count
    at: Moment
    """When it happened by the agent's clock, seconds since 1970; for showing, not for order."""
    body: JsonBody
    """The event; read it with `parse_event`."""


def parse_event(body: dict[str, Any]) -> AgentEvent | UnknownEvent:
    """Read an event; one that this release cannot read becomes an `UnknownEvent`."""
    try:
        return _ADAPTER.validate_python(body)
    except ValidationError:
        return UnknownEvent(kind=str(body.get("kind", ""))[:_KIND_CHARACTERS], body=body)


def parse_events(bodies: list[dict[str, Any]]) -> Sequence[AgentEvent | UnknownEvent]:
    """Read events as `parse_event` does each: all at once, where none of them is unknown."""
    try:
        return _LIST_ADAPTER.validate_python(bodies)
    except ValidationError:
        return [parse_event(body) for body in bodies]
