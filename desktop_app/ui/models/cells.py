"""What one cell of a table shows. Values only: the delegate paints them, tests read them."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.states import ItemState, StateLook, look_of


@dataclass(frozen=True, slots=True)
class Text:
    """Words, or a number where `right` is set."""

    text: str
    muted: bool = False
    strong: bool = False
    right: bool = False
    mono: bool = False
    after: str = ""
    """Said after `text`, fainter."""
    colour: str = ""
    """A colour token instead of the text's own."""
    icon: str = ""
    """An icon in front, in the same colour."""


@dataclass(frozen=True, slots=True)
class Pill:
    """A state: icon and label on the state's soft colour."""

    text: str
    icon: str
    colour: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, shown relative to now."""

    at: float | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chips:
    """Short labels beside each other; those that do not fit are counted."""

    labels: tuple[str, ...]

    @property
    def text(self) -> str:
        """The labels as words."""
        return ", ".join(self.labels)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is: parts of a whole, each in a state's colour."""

    parts: tuple[tuple[float, str], ...]
    """Share of the whole, 0 to 1, and colour token."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An address that a click opens."""

    url: str
    text: str = ""


Cell = Text | Pill | Moment | Chips | Progress | Link

NOTHING = Text("–", muted=True)


def pill_of(look: StateLook) -> Pill:
    """Return the pill of a state."""
    return Pill(look.label, look.icon, look.colour, look.help)


PROGRESS_ORDER: tuple[ItemState, ...] = (
    ItemState.DONE,
    ItemState.SKIPPED,
    ItemState.FAILED,
    ItemState.CANCELLED,
    ItemState.NEEDS_OPERATOR,
    ItemState.MISSED,
    ItemState.INTERRUPTED,
    ItemState.PAUSED,
    ItemState.RUNNING,
    ItemState.ASSIGNED,
    ItemState.QUEUED,
)
"""From finished to not begun: the order of the parts of a run's bar."""

_UNFILLED = frozenset({ItemState.QUEUED, ItemState.ASSIGNED})


def progress_of(counts: dict[ItemState, int], total: int) -> Progress:
    """Return the bar of a run: what has not begun stays empty."""
    if not total:
        return Progress((), "0 / 0")
    parts = tuple(
        (counts[state] / total, look_of(state).colour)
        for state in PROGRESS_ORDER
        if counts.get(state) and state not in _UNFILLED
    )
    ended = sum(counts.get(state, 0) for state in PROGRESS_ORDER[:4])
    return Progress(parts, f"{ended:,} / {total:,}")
