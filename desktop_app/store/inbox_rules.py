"""What an event may do to what the store knows. Pure.

Events of one agent come in order and once, so the tables of `common.domain.transitions` hold
between them. They need not hold against the store: it may have been restored from a backup, or
have missed a part of an agent's life. Then only news that goes forward counts.
"""

from collections.abc import Callable

from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL, may_action_become

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

_WITHOUT_A_CARD = IN_DOUBT_STATES - {ActionState.UNRESOLVED}


def does_intent_step_apply(now: ActionState, then: ActionState) -> bool:
    """Say whether an intent goes from `now` to `then` because an agent says so.

    Any legal step does, and any step forward. So a doubt is never taken back by a lost history,
    and a confirmation is never lost.
    """
    return may_action_become(now, then) or _FORWARD[then] > _FORWARD[now]


def may_adopt(now: ActionState, there: ActionState) -> bool:
    """Say whether an intent takes the state that its agent has it in, after a history was lost.

    A doubt that was raised by the loss alone goes where the agent's journal says; what is known
    for certain here stays.
    """
    return now is not ActionState.CONFIRMED and now is not there


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


def is_word_heard(
    then: ActionState,
    *,
    is_holder: bool,
    attempt: int | None,
    reported_attempt: int,
    was_history_lost: Callable[[], bool],
) -> bool:
    """Say whether an agent's word on the effect of an item counts.

    That of the agent that has the item does. Of another one only a confirmation, and only where it
    can have had the item: each agent that takes one over begins a new attempt, so an earlier one
    than `attempt` may have been its own. So it is with what an agent says of an attempt before the
    one that it is to have: that nothing was published then proves nothing of what came between.
    What this store may have forgotten, an item (None) or later attempts, counts where a history was
    lost: here it cannot be known who had it.
    """
    if is_holder and (attempt is None or reported_attempt >= attempt):
        return True
    if then is not ActionState.CONFIRMED:
        return False
    return (attempt is not None and reported_attempt < attempt) or was_history_lost()


def state_to_take(reported: ItemState, action: ActionState | None) -> ItemState:
    """Return the state that an item takes when its agent reports one, by what its own post is.

    Nothing is done here whose post only a person can name: the agent may have found another's. An
    item that ends is done where its post exists, however its agent says that it ended.
    """
    if action is ActionState.UNRESOLVED and reported is ItemState.DONE:
        return ItemState.NEEDS_OPERATOR
    return (
        ItemState.DONE if action is ActionState.CONFIRMED and reported in ITEM_FINAL else reported
    )


def is_finished_by_its_post(now: ItemState) -> bool:
    """Say whether an item that has ended is done after all, because its post is confirmed."""
    return now in ITEM_FINAL and now is not ItemState.DONE


def does_end_free(ended: ItemState, action: ActionState | None) -> bool:
    """Say whether an item's end gives its post free again, for somebody who looks first.

    Agents end no item whose post they doubt. So a doubt that is left here comes from a history that
    was lost, and nobody looks for it any more: neither an agent, nor a person on a card.
    """
    return ended in ITEM_FINAL and ended is not ItemState.DONE and action in _WITHOUT_A_CARD


def resolution_of(state: ActionState, *, by: str, note: str) -> str:
    """Say in one sentence what settled a card, from the step that its effect took."""
    if state is ActionState.CONFIRMED:
        said = f"{by} said so" + (f"; {note}" if note else "") if by else note or "it was found"
        return f"It is there: {said}."
    if state is ActionState.PROVEN_ABSENT:
        said = f"{by} said so" if by else note or "the platform does not show it"
        return f"It is not there: {said}. It is published after a last look."
    if by and note:
        return f"{note}."
    return f"{by} asked to look again." if by else "The platform is asked again."
