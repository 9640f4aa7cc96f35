"""What the supervisor keeps in memory of items that run. Values; they decide nothing."""

from dataclasses import dataclass, field

from agent.jobs.actions import UNDECIDED
from agent.jobs.runner_process import RunnerProcess
from agent.jobs.waiting import WaitingItem
from common.access import AccountAccess
from common.domain.states import ActionState, ItemState
from common.security.redaction import MASK, MINIMUM_LENGTH


@dataclass(frozen=True, slots=True)
class WhatRuns:
    """What this agent can run."""

    tasks: frozenset[str]
    drivers: frozenset[str]


@dataclass(slots=True)
class RunningItem:
    """An item from its start until its end is in the journal."""

    waiting: WaitingItem
    runner: RunnerProcess
    account: AccountAccess | None = None
    """None until its secrets are open, and the runner has it."""
    secrets: tuple[str, ...] = ()
    step: str = ""
    fraction: float | None = None
    effect: ActionState | None = None
    """How far its external effect is, or is just being journaled to be; None where it has none."""
    is_cancelled: bool = False
    """True once the operator asked for it."""
    is_recalled: bool = False
    """True where the agent itself takes it back, to look before it does anything else."""
    is_unwritten: bool = False
    """True where a step of it could not be written: it waits until there is room on the disk."""
    is_settling: bool = False
    """True once its end is on its way to the journal."""

    @property
    def is_undecided(self) -> bool:
        """True while nobody can tell whether its effect exists: it is not stopped then."""
        return self.effect in UNDECIDED

    def opened(self, account: AccountAccess) -> None:
        """Note that the account's secrets are open, and that the runner has them."""
        self.account = account
        self.secrets = tuple(
            secret for secret in account.secrets() if len(secret) >= MINIMUM_LENGTH
        )

    def masked(self, text: str) -> str:
        """Return `text` without the account's secrets; the runner has looked for them before."""
        for secret in self.secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


@dataclass(frozen=True, slots=True)
class LiveItem:
    """How far a running item is."""

    item_id: str
    attempt: int
    step: str
    fraction: float | None
    log_end: int


@dataclass(slots=True)
class Tally:
    """Counts since the start, for metrics."""

    ended: dict[ItemState, int] = field(default_factory=dict)
    steps: dict[ActionState, int] = field(default_factory=dict)
    runners_lost: int = 0
