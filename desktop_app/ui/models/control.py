"""What became of a pause, resume, cancel or retry of many items: numbers and reasons. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import WireError
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.models.formats import count_of

Verb = Literal["pause", "resume", "cancel", "retry"]

DOING: dict[Verb, str] = {
    "pause": "Pausing", "resume": "Resuming", "cancel": "Cancelling", "retry": "Retrying",
}  # fmt: skip
DONE: dict[Verb, str] = {
    "pause": "Paused", "resume": "Resumed", "cancel": "Cancelled", "retry": "Retried",
}  # fmt: skip
_NAMES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for which objects were left as they are."""

    message: str
    advice: str
    names: tuple[str, ...]
    """Those objects, as far as they have a name."""
    count: int

    @property
    def text(self) -> str:
        """The objects, the reason, and what to do."""
        shown = ", ".join(self.names[:_NAMES_SHOWN])
        left = self.count - min(len(self.names), _NAMES_SHOWN)
        more = f" and {left:,} more" if shown and left else ""
        who = f"{shown}{more}: " if shown else ""
        return f"{who}{self.message} {self.advice}".strip()


@dataclass(frozen=True, slots=True)
class ControlReport:
    """How far one command over many items is."""

    verb: Verb
    what: str
    """What it was asked of: `12 items`, `4 accounts`, `dock-1`."""
    accepted: int | None = None
    """Items that it reached; None while the core has not answered."""
    waiting: int = 0
    """Of those, items in which it has not taken effect yet."""
    waits_for: str = ""
    """What they wait for."""
    refused: tuple[Refusal, ...] = ()

    @property
    def is_over(self) -> bool:
        """True once nothing is waited for any more."""
        return self.accepted is not None and not self.waiting

    @property
    def refused_count(self) -> int:
        """How many objects were left as they are."""
        return sum(refusal.count for refusal in self.refused)

    @property
    def words(self) -> str:
        """The report in one sentence."""
        if self.accepted is None:
            return f"{DOING[self.verb]} {self.what}…"
        if not self.accepted:
            return f"Nothing to {self.verb}: {self.what} left as before."
        items = count_of(self.accepted, "item")
        if self.waiting:
            done = self.accepted - self.waiting
            still = f"{self.waiting:,} still waiting for {self.waits_for or 'the agent'}"
            return f"{DOING[self.verb]} {items}: {done:,} done, {still}."
        of = "" if self.what == items else f" of {self.what}"
        return f"{DONE[self.verb]} {items}{of}."


def gather_refusals(
    refused: Mapping[str, WireError], name_of: Callable[[str], str]
) -> tuple[Refusal, ...]:
    """Gather refusals by their reason, the most frequent first."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for key, error in refused.items():
        by_reason.setdefault((error.message, error.advice), []).append(
            name_of(key) or error.subject
        )
    gathered = [
        Refusal(message, advice, tuple(dict.fromkeys(filter(None, names))), len(names))
        for (message, advice), names in by_reason.items()
    ]
    return tuple(sorted(gathered, key=lambda refusal: -refusal.count))


def has_taken_effect(verb: Verb, item: ItemRow, attempt: int) -> bool:
    """Say whether an item did what was asked of it, or ended otherwise.

    `attempt` is the one that was asked: a retry shows as a later one.
    """
    if verb == "retry":
        return item.attempt > attempt or item.state is not ItemState.FAILED
    if item.state in ITEM_FINAL:
        return True
    if verb == "pause":
        return item.state in (ItemState.PAUSED, ItemState.NEEDS_OPERATOR)
    return verb == "resume" and item.state is not ItemState.PAUSED
