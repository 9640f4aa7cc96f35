"""What an agent's word may change in the store, over every pair of states."""

from __future__ import annotations

import itertools
from functools import partial

from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL, may_action_become
from desktop_app.store.inbox_rules import (
    does_end_free,
    does_intent_step_apply,
    does_item_step_apply,
    is_finished_by_its_post,
    is_word_heard,
    state_to_take,
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


def test_what_an_agent_says_of_an_attempt_before_its_own_counts_only_if_it_published() -> None:
    for then, reported in itertools.product(ActionState, (1, 2, 3)):
        heard = is_word_heard(
            then,
            is_holder=True,
            attempt=2,
            reported_attempt=reported,
            was_history_lost=partial(bool, False),
        )
        assert heard == (then is ActionState.CONFIRMED or reported >= 2)


def test_what_is_published_is_done_and_what_only_a_person_can_name_is_not() -> None:
    for reported, action in itertools.product(ItemState, [None, *ActionState]):
        taken = state_to_take(reported, action)
        if action is ActionState.CONFIRMED and reported in ITEM_FINAL:
            assert taken is ItemState.DONE
        elif action is ActionState.UNRESOLVED and reported is ItemState.DONE:
            assert taken is ItemState.NEEDS_OPERATOR
        else:
            assert taken is reported
    assert {state for state in ItemState if is_finished_by_its_post(state)} == {
        ItemState.FAILED,
        ItemState.CANCELLED,
        ItemState.SKIPPED,
    }


def test_no_item_that_has_ended_leaves_a_doubt_of_which_nobody_hears() -> None:
    for ended, action in itertools.product(ItemState, [None, *ActionState]):
        is_left = action in IN_DOUBT_STATES and action is not ActionState.UNRESOLVED
        is_over = ended in ITEM_FINAL and ended is not ItemState.DONE
        assert does_end_free(ended, action) == (is_left and is_over)
