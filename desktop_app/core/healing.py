"""Compares what the store believes an agent holds with what the agent says it holds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from common.domain.states import ActionState
from common.domain.transitions import ITEM_FINAL
from common.protocol.messages import InventoryRow
from desktop_app.store.records import ItemRecord


@dataclass(frozen=True, slots=True)
class Healing:
    """What has to be done so that both sides agree."""

    suspects: frozenset[str] = frozenset()
    """Unfinished here, accepted by the agent, and not in its inventory."""
    to_cancel: frozenset[str] = frozenset()
    """Still to be run there, although it ended here, another agent has it, or a later attempt of it
    is to be handed over, which the agent refuses while it has this one."""
    to_confirm: tuple[InventoryRow, ...] = ()
    """Published as this store knows, and still open there."""
    newer_there: dict[str, int] = field(default_factory=dict)
    """Held by the agent although the store did not get its word: attempts by item."""
    held: tuple[InventoryRow, ...] = ()
    """Open on both sides, and of one attempt."""
    foreign: frozenset[str] = frozenset()
    """Held by the agent, and never handed over as far as this store knows."""


def compare(
    agent_id: str, items: Iterable[ItemRecord], inventory: Iterable[InventoryRow]
) -> Healing:
    """Compare the store's items of one agent with its inventory.

    `items` are the store's unfinished ones of this agent, and whatever the inventory names.
    """
    known = {item.id: item for item in items}
    there = {row.item_id: row for row in inventory}
    to_cancel: set[str] = set()
    to_confirm: list[InventoryRow] = []
    newer: dict[str, int] = {}
    held: list[InventoryRow] = []
    for row in there.values():
        item = known.get(row.item_id)
        if item is None or row.state in ITEM_FINAL:
            continue
        if item.state in ITEM_FINAL and item.action is ActionState.CONFIRMED and row.action_id:
            to_confirm.append(row)
        elif item.state in ITEM_FINAL or item.agent_id != agent_id or row.attempt < item.attempt:
            to_cancel.add(row.item_id)
        else:
            held.append(row)
            if not item.accepted or row.attempt > item.attempt:
                newer[row.item_id] = row.attempt
    suspects = {
        item.id
        for item in known.values()
        if item.state not in ITEM_FINAL and item.agent_id == agent_id and item.accepted
    } - {row.item_id for row in held}
    return Healing(
        suspects=frozenset(suspects),
        to_cancel=frozenset(to_cancel),
        to_confirm=tuple(to_confirm),
        newer_there=newer,
        held=tuple(held),
        foreign=frozenset(there.keys() - known.keys()),
    )


def higher_fences(fences: dict[str, int], inventory: Iterable[InventoryRow]) -> dict[str, int]:
    """Return the fences that the agent has seen and this store never gave, by account."""
    found: dict[str, int] = {}
    for row in inventory:
        ours = fences.get(row.account_id)
        if ours is not None and row.fence > max(ours, found.get(row.account_id, 0)):
            found[row.account_id] = row.fence
    return found
