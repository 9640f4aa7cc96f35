"""What an agent's word may change in the store, over every pair of states."""

from __future__ import annotations

import itertools
from functools import partial

from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL, may_action_become
from desktop_app.store.inbox_rules import (
    does_intent_step_apply,
    does_item_step_apply,
    is_word_heard,
)

PAIRS = list(itertools.product(ActionState, ActionState))


def test_every_legal_step_applies() -> None:
    for now, then in PAIRS:
        if may_action_become(now, then):
            assert does_intent_step_apply(now, then)


def test_a_confirmation_always_counts_and_is_never_taken_back() -> None:
    for state in ActionState:
        if state is not ActionState.CONFIRMED:
            assert does_intent_step_apply(state, ActionState.CONFIRMED)
        assert not does_intent_step_apply(ActionState.CONFIRMED, state)


def test_a_doubt_never_turns_into_permission_to_send_but_by_a_legal_step() -> None:
    free = {ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT}
    for now, then in PAIRS:
        if now in IN_DOUBT_STATES and then in free and not may_action_become(now, then):
            assert not does_intent_step_apply(now, then)


def test_an_item_that_has_ended_changes_only_by_a_later_attempt() -> None:
    for now, then in itertools.product(ItemState, ItemState):
        assert not does_item_step_apply(now, 2, then, 1)
        assert does_item_step_apply(now, 2, then, 3)
        if now in ITEM_FINAL and then is ItemState.DONE:
            assert does_item_step_apply(now, 2, then, 2), "what was done counts"
        elif now in ITEM_FINAL and now is not then:
            assert not does_item_step_apply(now, 2, then, 2)
        if now not in ITEM_FINAL:
            assert does_item_step_apply(now, 2, then, 2)


def test_of_an_agent_that_does_not_have_it_only_a_confirmation_may_count() -> None:
    for then, reported, is_forgotten in itertools.product(ActionState, (1, 2, 3), (True, False)):
        heard = is_word_heard(
            then,
            is_holder=False,
            attempt=2,
            reported_attempt=reported,
            was_history_lost=partial(bool, is_forgotten),
        )
        may_have_had_it = reported < 2 or is_forgotten
        assert heard == (then is ActionState.CONFIRMED and may_have_had_it)
