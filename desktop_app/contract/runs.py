"""Tasks, runs, items and their ledger as clients see them."""

from typing import Any, Literal

from pydantic import JsonValue

from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost, PostKind
from common.domain.states import ActionState, ItemState, RunState
from common.errors import WireError
from desktop_app.contract.base import Command, Value


class Targets(Command):
    """Which accounts: those named and those with any of the tags. Empty means none."""

    account_ids: list[str] = []
    usernames: list[str] = []
    tags: list[str] = []


class RunTask(Command):
    """Start a run. Checked as a whole first: nothing starts while a problem is an error."""

    task: str
    parameters: dict[str, JsonValue]
    targets: Targets
    name: str = ""
    """To show; made from the task type and the time where empty."""
    dry_run: bool = False
    """Only say what would happen (preflight)."""


class PreflightProblem(Value):
    """One problem of a batch as planned."""

    severity: Literal["error", "warning"]
    field: str
    message: str
    username: str = ""
    post: int | None = None
    subject: str = ""


class PreflightItem(Value):
    """One item as it would be run."""

    account_id: str
    username: str
    title: str
    driver: DriverName
    driver_reason: str
    agent: str
    post_kind: PostKind | None = None
    caption: str = ""
    media: list[str] = []
    """SHA-256 of each file."""


class Preflight(Value):
    """A whole batch, judged before anything starts."""

    items: list[PreflightItem]
    problems: list[PreflightProblem]
    may_start: bool


class RunStarted(Value):
    """The answer to `RunTask`: the run, or only the preflight."""

    run_id: str | None
    preflight: Preflight
    revision: int


class RunRow(Value):
    """One run in lists."""

    id: str
    name: str
    task: str
    state: RunState
    counts: dict[ItemState, int]
    """Items by state; states without items are left out."""
    total: int
    handed_over: bool
    """True once agents hold every unfinished item: the desktop may be closed."""
    created_at: float
    ended_at: float | None = None


class ItemRow(Value):
    """One item of a run."""

    id: str
    run_id: str
    position: int
    account_id: str
    username: str
    agent_id: str | None
    agent: str = ""
    title: str
    state: ItemState
    attempt: int
    driver: DriverName
    driver_reason: str = ""
    step: str = ""
    fraction: float | None = None
    post_kind: PostKind | None = None
    caption: str = ""
    media: list[str] = []
    action: ActionState | None = None
    """State of its external effect, where it has one."""
    link: str = ""
    """Address of the published post."""
    error: WireError | None = None
    result: dict[str, Any] = {}
    not_before: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    changed_at: float = 0.0
    """When the agent said so, by the agent's clock."""
    wanted: str = ""
    """`paused`, `resumed` or `cancelled`: asked for, and not shown by the item yet. A cancel of a
    post that may be out already waits for the verdict on it."""
    agent_online: bool = False
    """Whether its agent hears of that now; otherwise it does when it is back."""


class LedgerEntry(Value):
    """One step of one external effect."""

    at: float
    """By the agent's clock, seconds since 1970."""
    action_id: str
    attempt: int
    operation: str
    state: ActionState
    driver: DriverName
    agent: str = ""
    seq: int = 0
    """Sequence number in the agent's outbox."""
    resume: dict[str, str] = {}
    remote_id: str = ""
    remote_url: str = ""
    note: str = ""
    baseline: Baseline | None = None
    """With `sending`: what the account's list showed before."""
    sighted: list[ListedPost] = []
    """With a verdict on a doubt: posts that a look showed."""
    by: str = ""
    """Who settled it, where that was a person."""
    item_id: str = ""
    run_id: str = ""
    title: str = ""
    """What the item does, for a ledger over several items."""


class ItemLedger(Value):
    """Everything known of an item's external effect, oldest first."""

    item_id: str
    entries: list[LedgerEntry]


class AccountLedger(Value):
    """Every step of every external effect of an account, newest first."""

    account_id: str
    entries: list[LedgerEntry]
    total: int


class ControlRun(Command):
    """Pause, resume, cancel or retry a run, or some items of it. Retry takes failed items only."""

    verb: Literal["pause", "resume", "cancel", "retry"]
    item_ids: list[str] | None = None
    """None for every item that the verb fits."""


class ControlWork(Command):
    """Pause, resume or cancel every unfinished item of accounts or agents, whatever the run."""

    verb: Literal["pause", "resume", "cancel"]
    account_ids: list[str] = []
    agent_ids: list[str] = []


class LogLine(Value):
    """One line of a run's log."""

    at: float
    level: str
    username: str = ""
    item_id: str = ""
    text: str


class LogPage(Value):
    """Whole lines of a run's log, from a byte offset."""

    offset: int
    end: int
    """Where to go on reading."""
    size: int
    """Bytes of the log so far."""
    lines: list[LogLine]
