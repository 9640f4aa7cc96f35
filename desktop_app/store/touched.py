"""What a transaction changed, so that views refresh only that."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from common.domain.states import ItemState


@dataclass(frozen=True, slots=True)
class ItemMove:
    """One item of a run went from one state to another; the same state twice for other changes."""

    item_id: str
    run_id: str
    before: ItemState | None
    """None for an item that is new."""
    after: ItemState


@dataclass(frozen=True, slots=True)
class LogGrowth:
    """The log of an item's attempt at its agent is longer now."""

    item_id: str
    run_id: str
    attempt: int
    end: int
    """Bytes so far."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Ids whose rows changed, by noun, and ids that are gone."""

    accounts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    intents: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()
    moves: tuple[ItemMove, ...] = ()
    """Changes of item states, in order, to keep counts by."""
    logs: tuple[LogGrowth, ...] = ()
    removed: dict[str, frozenset[str]] = field(default_factory=dict)
    """Ids that are gone, by list: `accounts`, `proxies`, `agents`, `media`, `runs`."""

    def __or__(self, other: "Touched") -> "Touched":
        """Return both together, this one first."""
        gone = {
            name: self.removed.get(name, frozenset()) | other.removed.get(name, frozenset())
            for name in self.removed.keys() | other.removed.keys()
        }
        return Touched(
            accounts=self.accounts | other.accounts,
            proxies=self.proxies | other.proxies,
            agents=self.agents | other.agents,
            media=self.media | other.media,
            runs=self.runs | other.runs,
            items=self.items | other.items,
            intents=self.intents | other.intents,
            cards=self.cards | other.cards,
            moves=self.moves + other.moves,
            logs=self.logs + other.logs,
            removed=gone,
        )

    @classmethod
    def moved(cls, moves: Iterable[ItemMove]) -> "Touched":
        """Return what these moves of items touch."""
        moves = tuple(moves)
        return cls(
            runs=frozenset(move.run_id for move in moves),
            items=frozenset(move.item_id for move in moves),
            moves=moves,
        )
