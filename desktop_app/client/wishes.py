"""What was asked of an item and does not show yet, in words: the same in every client. Pure."""

from common.domain.states import ActionState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from desktop_app.contract.runs import ItemRow

_ASKED = {"paused": "Pause asked", "resumed": "Resume asked", "cancelled": "Cancel asked"}


def asked_of(item: ItemRow) -> str:
    """Return what was asked of an item and has not come about; empty where nothing was."""
    return _ASKED.get(item.wanted, "") if item.state not in ITEM_FINAL else ""


def is_cancel_asked(item: ItemRow) -> bool:
    """Say whether a cancel was asked of an item that has not ended."""
    return item.wanted == "cancelled" and item.state not in ITEM_FINAL


def waits_for(item: ItemRow) -> str:
    """Say what that which was asked of an item waits for, as a half sentence."""
    if not item.agent_online:
        return f"{item.agent or 'the agent'} hears of it when it is back"
    return f"waits for {waited_for(item)}"


def waited_for(item: ItemRow) -> str:
    """Name what something that was asked of an item waits for."""
    if item.action is ActionState.UNRESOLVED:
        return "your answer"
    return "the verdict" if item.action in IN_DOUBT_STATES else "the agent"
