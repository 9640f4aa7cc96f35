"""Compares what the store believes an agent holds with what the agent says it holds. Pure.

An item that the agent does not know any more goes back into the queue only where its effect
provably never left: the same history on both sides, and no step at or behind `sending`. Everything
else waits for a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.protocol.messages import InventoryRow
from desktop_app.store.records import ItemRecord


@dataclass(frozen=True, slots=True)
class Healing:
    """What has to be done so that both sides agree."""

    suspects: frozenset[str] = frozenset()
    """Unfinished here, accepted by the agent, and not in its inventory."""
    to_cancel: frozenset[str] = frozenset()
    """Ended here by the operator, and still to be run there."""
    newer_there: dict[str, int] = field(default_factory=dict)
    """Held by the agent although the store did not get its word: attempts by item."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Items that an agent lost, by what may be done with them."""

    to_requeue: frozenset[str]
    in_doubt: frozenset[str]


def compare(items: Iterable[ItemRecord], inventory: Iterable[InventoryRow]) -> Healing:
    """Compare the store's items of one agent with its inventory."""
    held = {row.item_id: row for row in inventory}
    suspects: set[str] = set()
    to_cancel: set[str] = set()
    newer: dict[str, int] = {}
    for item in items:
        row = held.get(item.id)
        holds_attempt = row is not None and row.attempt >= item.attempt
        if item.state in ITEM_FINAL:
            if item.state is ItemState.CANCELLED and row and row.state not in ITEM_FINAL:
                to_cancel.add(item.id)
        elif item.accepted and not holds_attempt:
            suspects.add(item.id)
        elif row is not None and holds_attempt and not item.accepted:
            newer[item.id] = row.attempt
    return Healing(frozenset(suspects), frozenset(to_cancel), newer)


def judge_loss(lost: Iterable[ItemRecord], *, is_same_history: bool) -> Loss:
    """Say what may be done with items that the agent has lost for certain."""
    safe: set[str] = set()
    doubtful: set[str] = set()
    for item in lost:
        (safe if _never_sent(item, is_same_history=is_same_history) else doubtful).add(item.id)
    return Loss(frozenset(safe), frozenset(doubtful))


def _never_sent(item: ItemRecord, *, is_same_history: bool) -> bool:
    if item.intent_id is None:
        return True
    if item.action in IN_DOUBT_STATES or item.action in {None, ActionState.CONFIRMED}:
        return False
    return is_same_history
