"""A ledger as the window tells it: effects, their steps in words, and what settled a doubt. Pure.

How it is drawn is in `views/widgets/timeline.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from common.domain.content import ListedPost
from common.domain.states import ActionState, look_of
from common.reconcile import Visibility
from desktop_app.contract.runs import LedgerEntry
from desktop_app.ui.models.accounts import driver_label
from desktop_app.ui.models.cells import Pill, pill_of
from desktop_app.ui.models.formats import clock_time, count_of, exact_time, gap_text, sentence

POINT_OF_NO_RETURN = "Point of no return"
POINT_HELP = "From here on it cannot be cancelled or repeated, only settled."

_DOUBT = frozenset({ActionState.IN_DOUBT, ActionState.RECONCILING, ActionState.UNRESOLVED})
_SETTLED = frozenset({ActionState.CONFIRMED, ActionState.PROVEN_ABSENT})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an effect, in words."""

    key: str
    at: float
    time: str
    """Time of day with milliseconds."""
    gap: str
    """How long after the step before, `+1.21 s`; empty at the first."""
    pill: Pill
    words: str
    details: tuple[str, ...] = ()
    """Further sentences: the baseline, who settled it."""
    ids: tuple[tuple[str, str], ...] = ()
    """Names and values to copy."""
    sighted: tuple[ListedPost, ...] = ()
    link: str = ""
    is_point_of_no_return: bool = False
    origin: str = ""
    """Driver, agent, attempt and place in the agent's outbox."""


@dataclass(frozen=True, slots=True)
class Story:
    """One external effect from its plan to its verdict."""

    action_id: str
    title: str
    item_id: str
    run_id: str
    state: ActionState
    """The last step that is here."""
    at: float
    steps: tuple[Step, ...]


def story_of(entries: Sequence[LedgerEntry]) -> tuple[Step, ...]:
    """Return the steps of one item's ledger, oldest first as they came."""
    steps = []
    before: LedgerEntry | None = None
    for entry in entries:
        steps.append(_step(entry, before))
        before = entry
    return tuple(steps)


def stories_of(entries: Sequence[LedgerEntry]) -> tuple[Story, ...]:
    """Gather a ledger that is newest first into its effects, that of the newest step first."""
    by_action: dict[str, list[LedgerEntry]] = {}
    for entry in entries:
        by_action.setdefault(entry.action_id, []).append(entry)
    return tuple(_story(list(reversed(group))) for group in by_action.values())


def ledger_text(entries: Sequence[LedgerEntry]) -> str:
    """Return a ledger as lines of text, to copy."""
    return "\n".join(
        "  ".join(
            part
            for part in (
                exact_time(entry.at),
                entry.operation,
                look_of(entry.state).label,
                ", ".join(f"{name} {value}" for name, value in _ids(entry)),
                entry.remote_url,
                entry.note,
                *_details(entry, None),
            )
            if part
        )
        for entry in entries
    )


def next_look(entries: Sequence[LedgerEntry], visibility: Visibility) -> str:
    """Say when a doubt is looked at with a verdict; empty where nothing is in doubt."""
    last = entries[-1] if entries else None
    if last is None or last.state not in (ActionState.IN_DOUBT, ActionState.RECONCILING):
        return ""
    doubted = next((e for e in reversed(entries) if e.state is ActionState.IN_DOUBT), last)
    return (
        f"The account's own list is looked at. If the post is not there by "
        f"{clock_time(doubted.at + visibility.bound)[:8]}, two further looks decide."
    )


def _story(entries: list[LedgerEntry]) -> Story:
    last = entries[-1]
    title = next((entry.title for entry in entries if entry.title), "") or last.operation
    return Story(
        last.action_id, title, last.item_id, last.run_id, last.state, last.at, story_of(entries)
    )


def _step(entry: LedgerEntry, before: LedgerEntry | None) -> Step:
    look = look_of(entry.state)
    return Step(
        key=f"{entry.action_id}:{entry.agent}:{entry.seq}:{entry.at}:{entry.state}",
        at=entry.at,
        time=clock_time(entry.at),
        gap=gap_text(entry.at - before.at) if before else "",
        pill=pill_of(look),
        words=sentence(entry.note) or look.help,
        details=tuple(_details(entry, before)),
        ids=_ids(entry),
        sighted=tuple(entry.sighted),
        link=entry.remote_url,
        is_point_of_no_return=entry.state is ActionState.SENDING,
        origin=_origin(entry),
    )


def _details(entry: LedgerEntry, before: LedgerEntry | None) -> list[str]:
    said = []
    if entry.baseline is not None:
        seen = len(entry.baseline.post_ids)
        said.append(f"{count_of(seen, 'post')} in the account's list before it was sent.")
    if entry.by:
        verb = "Settled" if entry.state in _SETTLED else "Said"
        said.append(f"{verb} by {entry.by}.")
    elif before is not None and before.state in _DOUBT and entry.state in _SETTLED:
        said.append("Settled by looking at the account's own list.")
    return said


def _ids(entry: LedgerEntry) -> tuple[tuple[str, str], ...]:
    ids = [(name.replace("_", " "), value) for name, value in entry.resume.items()]
    if entry.remote_id:
        ids.append(("post", entry.remote_id))
    return tuple(ids)


def _origin(entry: LedgerEntry) -> str:
    parts = [driver_label(entry.driver), entry.agent]
    parts.append(f"attempt {entry.attempt}")
    if entry.seq:
        parts.append(f"event {entry.seq:,}")
    return " · ".join(part for part in parts if part)
