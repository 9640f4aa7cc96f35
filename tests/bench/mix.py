"""The events that the durability benchmark moves: what publishing reports, in its shares.

Ours and the bare outbox move the same ones, over the same number of items.
"""

from collections.abc import Sequence

from common.domain.accounts import DriverName
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState, SignInState
from common.protocol.events import AccountObserved, ActionChanged, AgentEvent, ItemChanged

ITEMS = 60
"""Items, each of an account of its own, that the events are about."""
BATCH = 100
"""Events that are written in one transaction, and sent in one message."""


def event_of(things: Sequence[tuple[str, str]], number: int) -> AgentEvent:
    """Return the event with this number; `things` are items with their accounts."""
    item_id, account_id = things[number // 6 % len(things)]
    step = number % 6
    if step == 5:
        return AccountObserved(
            account_id=account_id, sign_in=SignInState.SIGNED_IN, driver=DriverName.PRIVATE_API
        )
    if step % 2:
        state = (ActionState.PREPARED, ActionState.SENDING)[step // 2]
        return ActionChanged(
            action_id=new_id(),
            item_id=item_id,
            attempt=1,
            account_id=account_id,
            operation="publish",
            state=state,
            driver=DriverName.PRIVATE_API,
            resume={"upload_id": str(number)},
        )
    return ItemChanged(item_id=item_id, attempt=1, state=ItemState.RUNNING, step="Uploading")
