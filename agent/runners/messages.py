"""What the agent and a runner say to each other over the pipe: one closed union per direction."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from common.access import WireSecret
from common.domain.content import Baseline, ListedPost, NamedPost
from common.domain.states import ActionState, ItemState
from common.errors import WireError
from common.items import ItemSpec


class RunnerKind(StrEnum):
    """What a runner holds: many API sessions, or a few browsers."""

    API = "api"
    BROWSER = "browser"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class ActionRecord(_Message):
    """What the journal knows of an item's external effect from before."""

    action_id: str
    state: ActionState
    resume: dict[str, str] = Field(default_factory=dict)
    remote_id: str = ""
    remote_url: str = ""
    baseline: Baseline | None = None
    named: NamedPost | None = None
    """The post that a person says it is, to be checked before anything else is done."""
    settled_ids: list[str] = Field(default_factory=list)
    """Remote ids of the account's newest posts that settle other intents already."""
    accepted_at: float | None = None
    """When the agent first took the effect over, by its own clock, seconds since 1970: nothing of
    it can be older."""


class StartItem(_Message):
    """Run one item. At most one per account is running at any time."""

    t: Literal["start_item"] = "start_item"
    item: ItemSpec
    files: dict[str, str]
    """Path of each blob on this machine, by SHA-256."""
    account_dir: str
    """A folder of this account's own, for the browser profile; the runner may write in it."""
    action: ActionRecord | None = None


class CancelItem(_Message):
    """Stop an item, unless its effect is already being sent."""

    t: Literal["cancel_item"] = "cancel_item"
    item_id: str


class StepAnswer(_Message):
    """The step is on disk and the runner may go on, or it must not."""

    t: Literal["step_answer"] = "step_answer"
    step_id: int
    error: WireError | None = None


class WatchScreen(_Message):
    """Send frames of this account's page on `channel`, now and whenever its browser opens."""

    t: Literal["watch_screen"] = "watch_screen"
    account_id: str
    channel: int
    width: int
    """Widest frame wanted, pixels."""


class StopScreen(_Message):
    """Send no more frames on `channel`."""

    t: Literal["stop_screen"] = "stop_screen"
    account_id: str
    channel: int


class ScreenSeen(_Message):
    """The last frame of `channel` has left; the next may come."""

    t: Literal["screen_seen"] = "screen_seen"
    channel: int


class StopRunner(_Message):
    """Finish what is being sent, cancel the rest, close everything and exit."""

    t: Literal["stop_runner"] = "stop_runner"


class RunnerReady(_Message):
    """The runner is up and takes items."""

    t: Literal["runner_ready"] = "runner_ready"
    pid: int


class ItemLog(_Message):
    """One line of an item's log, already without the secrets of its account."""

    t: Literal["item_log"] = "item_log"
    item_id: str
    at: float
    level: Literal["debug", "info", "warning", "error"]
    text: str


class ItemProgress(_Message):
    """What an item is doing now."""

    t: Literal["item_progress"] = "item_progress"
    item_id: str
    step: str
    fraction: float | None = None


class ActionStep(_Message):
    """An external effect is about to go, or went, into a state. Answered once it is on disk.

    `sending` must be answered before the deciding request leaves.
    """

    t: Literal["action_step"] = "action_step"
    step_id: int
    item_id: str
    action_id: str
    state: ActionState
    resume: dict[str, str] = Field(default_factory=dict)
    remote_id: str = ""
    remote_url: str = ""
    note: str = ""
    baseline: Baseline | None = None
    sighted: list[ListedPost] = Field(default_factory=list)


class SessionFound(_Message):
    """A driver has a new sign-in state to keep."""

    t: Literal["session_found"] = "session_found"
    item_id: str
    session: WireSecret
    user_id: str
    username: str


class ItemEnded(_Message):
    """An item's attempt is over in this runner."""

    t: Literal["item_ended"] = "item_ended"
    item_id: str
    state: ItemState
    """done, failed, cancelled, skipped, or needs_operator where an effect is in doubt or the
    platform asks for a person."""
    step: str = ""
    error: WireError | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)


ToRunner = Annotated[
    StartItem | CancelItem | StepAnswer | WatchScreen | StopScreen | ScreenSeen | StopRunner,
    Field(discriminator="t"),
]
FromRunner = Annotated[
    RunnerReady | ItemLog | ItemProgress | ActionStep | SessionFound | ItemEnded,
    Field(discriminator="t"),
]
TO_RUNNER: TypeAdapter[ToRunner] = TypeAdapter(ToRunner)
FROM_RUNNER: TypeAdapter[FromRunner] = TypeAdapter(FromRunner)
