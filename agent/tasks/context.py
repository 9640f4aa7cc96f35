"""What a task may see and do while it runs one item. The runner stands behind it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from common.access import AccountAccess
from common.domain.content import Baseline, ListedPost, NamedPost
from common.domain.states import ActionState
from common.items import ItemSpec
from common.operations import SignedIn


class ActionHandle(Protocol):
    """One external effect of an item. Each step is on disk when the call returns."""

    @property
    def state(self) -> ActionState:
        """Where it stands by the journal."""
        ...

    @property
    def resume(self) -> dict[str, str]:
        """The resume points journaled so far."""
        ...

    @property
    def remote_id(self) -> str:
        """The platform's id, once confirmed."""
        ...

    @property
    def remote_url(self) -> str:
        """The page's address, once confirmed."""
        ...

    @property
    def baseline(self) -> Baseline | None:
        """What the account's list showed before it was sent, as journaled."""
        ...

    @property
    def settled_ids(self) -> frozenset[str]:
        """Remote ids of the account's newest posts that settle other intents already."""
        ...

    @property
    def named(self) -> NamedPost | None:
        """The post that a person says it is, while nobody has checked that."""
        ...

    @property
    def accepted_at(self) -> float | None:
        """When the agent took it over by its own clock, seconds since 1970; None if not known."""
        ...

    async def step(
        self,
        state: ActionState,
        *,
        resume: dict[str, str] | None = None,
        remote_id: str = "",
        remote_url: str = "",
        note: str = "",
        baseline: Baseline | None = None,
        sighted: Sequence[ListedPost] = (),
    ) -> None:
        """Journal that the effect goes into `state`; what is left out stays as it was.

        Raises IllegalTransitionError for a step that may not follow, and whatever the journal
        refuses with.
        """
        ...


class TaskContext(Protocol):
    """One item as its task sees it."""

    @property
    def item(self) -> ItemSpec:
        """What is to be done."""
        ...

    @property
    def account(self) -> AccountAccess:
        """For whom."""
        ...

    @property
    def action(self) -> ActionHandle:
        """The item's external effect; only items that publish have one."""
        ...

    def file(self, sha256: str) -> Path:
        """Return where a blob of the item lies; NotFoundError where it is missing."""
        ...

    def log(self, level: Literal["debug", "info", "warning", "error"], text: str) -> None:
        """Write a line into the item's log."""
        ...

    def progress(self, step: str, fraction: float | None = None) -> None:
        """Say what happens now."""
        ...

    def save_session(self, signed_in: SignedIn) -> None:
        """Hand a new sign-in state to the agent."""
        ...

    def check_cancel(self) -> None:
        """Raise OperationCancelledError once the operator asked for a stop."""
        ...
