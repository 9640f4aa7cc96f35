"""Which state may follow which. The tables are the law; the functions only read them.

Both sides apply the same tables: the agent before it journals a step, the desktop before it stores
one. A step that the table does not allow is recorded as seen, and never applied.
"""

from collections.abc import Iterable

from common.domain.states import ActionState, ItemState, RunState
from common.errors import IllegalTransitionError

_I = ItemState
_A = ActionState

ITEM_FINAL = frozenset({_I.DONE, _I.FAILED, _I.CANCELLED, _I.SKIPPED})
"""States in which an attempt of an item has ended. A retry is a new attempt."""

_ITEM: dict[ItemState, frozenset[ItemState]] = {
    _I.QUEUED: frozenset({_I.ASSIGNED, _I.PAUSED, _I.CANCELLED, _I.SKIPPED, _I.MISSED, _I.FAILED}),
    _I.ASSIGNED: frozenset(
        {_I.RUNNING, _I.PAUSED, _I.CANCELLED, _I.SKIPPED, _I.MISSED, _I.FAILED, _I.INTERRUPTED}
    ),
    _I.RUNNING: frozenset(
        {
            _I.DONE,
            _I.FAILED,
            _I.CANCELLED,
            _I.SKIPPED,
            _I.PAUSED,
            _I.NEEDS_OPERATOR,
            _I.INTERRUPTED,
        }
    ),
    _I.PAUSED: frozenset({_I.QUEUED, _I.ASSIGNED, _I.CANCELLED, _I.MISSED}),
    _I.NEEDS_OPERATOR: frozenset(
        {_I.ASSIGNED, _I.RUNNING, _I.DONE, _I.FAILED, _I.CANCELLED, _I.SKIPPED}
    ),
    _I.MISSED: frozenset({_I.QUEUED, _I.ASSIGNED, _I.CANCELLED, _I.SKIPPED}),
    _I.INTERRUPTED: frozenset(
        {_I.ASSIGNED, _I.RUNNING, _I.NEEDS_OPERATOR, _I.DONE, _I.FAILED, _I.CANCELLED}
    ),
    _I.DONE: frozenset(),
    _I.FAILED: frozenset(),
    _I.CANCELLED: frozenset(),
    _I.SKIPPED: frozenset(),
}

_ACTION: dict[ActionState, frozenset[ActionState]] = {
    # In doubt without having been sent: the history that says so was taken back or lost.
    _A.PLANNED: frozenset({_A.PREPARED, _A.SENDING, _A.IN_DOUBT}),
    _A.PREPARED: frozenset({_A.PREPARED, _A.SENDING, _A.PLANNED, _A.IN_DOUBT}),
    # Back to prepared only on an error that proves the request was never sent.
    _A.SENDING: frozenset({_A.CONFIRMED, _A.IN_DOUBT, _A.PREPARED, _A.PROVEN_ABSENT}),
    _A.IN_DOUBT: frozenset({_A.RECONCILING, _A.CONFIRMED, _A.UNRESOLVED}),
    _A.RECONCILING: frozenset({_A.CONFIRMED, _A.PROVEN_ABSENT, _A.UNRESOLVED, _A.IN_DOUBT}),
    _A.PROVEN_ABSENT: frozenset({_A.PLANNED, _A.IN_DOUBT}),
    # A person says what is there, or asks for another look.
    _A.UNRESOLVED: frozenset({_A.CONFIRMED, _A.PROVEN_ABSENT, _A.IN_DOUBT}),
    _A.CONFIRMED: frozenset(),
}

IN_DOUBT_STATES = frozenset({_A.SENDING, _A.IN_DOUBT, _A.RECONCILING, _A.UNRESOLVED})
"""Action states in which the effect may already exist: never cancelled, never repeated."""


CHECKS_NAMED = frozenset({_A.IN_DOUBT, _A.RECONCILING})
"""Action states in which a post that a person named for the effect is still to be checked."""


def may_item_become(now: ItemState, then: ItemState) -> bool:
    """Say whether an item's attempt may go from `now` to `then`."""
    return then in _ITEM[now]


def may_action_become(now: ActionState, then: ActionState) -> bool:
    """Say whether an action may go from `now` to `then`."""
    return then in _ACTION[now]


def require_action_step(now: ActionState, then: ActionState) -> None:
    """Raise `IllegalTransitionError` unless an action may go from `now` to `then`."""
    if not may_action_become(now, then):
        raise IllegalTransitionError(f"An action cannot go from {now} to {then}.")


def require_item_step(now: ItemState, then: ItemState) -> None:
    """Raise `IllegalTransitionError` unless an item may go from `now` to `then`."""
    if not may_item_become(now, then):
        raise IllegalTransitionError(f"An item cannot go from {now} to {then}.")


def run_state_of(items: Iterable[ItemState]) -> RunState:
    """Derive a run's state from the states of its items; a run without items is done."""
    states = set(items)
    if states <= ITEM_FINAL:
        if _I.FAILED in states:
            return RunState.FAILED
        if states == {_I.CANCELLED}:
            return RunState.CANCELLED
        return RunState.DONE
    if states - ITEM_FINAL <= {_I.PAUSED}:
        return RunState.PAUSED
    if states <= {_I.QUEUED}:
        return RunState.STARTING
    return RunState.RUNNING
