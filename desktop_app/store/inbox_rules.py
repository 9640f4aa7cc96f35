"""What an event may do to what the store knows. Pure.

Events of one agent come in order and once, so the tables of `common.domain.transitions` hold
between them. They need not hold against the store: it may have been restored from a backup, or
have missed a part of an agent's life. Then only news that goes forward counts.
"""

from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL, may_action_become

_FORWARD: dict[ActionState, int] = {
    ActionState.PROVEN_ABSENT: 0,
    ActionState.PLANNED: 0,
    ActionState.PREPARED: 1,
    ActionState.SENDING: 2,
    ActionState.IN_DOUBT: 3,
    ActionState.RECONCILING: 4,
    ActionState.UNRESOLVED: 5,
    ActionState.CONFIRMED: 6,
}


def does_intent_step_apply(now: ActionState, then: ActionState) -> bool:
    """Say whether an intent goes from `now` to `then` because an agent says so.

    Any legal step does, and any step forward. So a doubt is never taken back by a lost history,
    and a confirmation is never lost.
    """
    return may_action_become(now, then) or _FORWARD[then] > _FORWARD[now]


def does_item_step_apply(
    now: ItemState, attempt: int, then: ItemState, reported_attempt: int
) -> bool:
    """Say whether an item takes a state that an agent reports for one of its attempts.

    An earlier attempt is stale. A later one than the store knows was begun before the store was
    restored. Within an attempt the agent's word counts until it has ended. An end that the store
    decided on itself, while it could not know what the agent holds, gives way to what was done.
    """
    if reported_attempt != attempt:
        return reported_attempt > attempt
    return now not in ITEM_FINAL or then in (now, ItemState.DONE)
