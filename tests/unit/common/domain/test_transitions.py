import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.states import ActionState, ItemState, RunState
from common.domain.transitions import (
    IN_DOUBT_STATES,
    ITEM_FINAL,
    may_action_become,
    may_item_become,
    require_action_step,
    require_item_step,
    run_state_of,
)
from common.errors import IllegalTransitionError


@pytest.mark.parametrize("final", sorted(ITEM_FINAL))
def test_an_ended_attempt_never_changes_again(final: ItemState) -> None:
    assert not any(may_item_become(final, then) for then in ItemState)


def test_every_item_state_is_reachable_from_queued() -> None:
    reached = {ItemState.QUEUED}
    while more := {t for s in reached for t in ItemState if may_item_become(s, t)} - reached:
        reached |= more
    assert reached == set(ItemState)


def test_a_confirmed_effect_is_never_planned_again() -> None:
    assert not any(may_action_become(ActionState.CONFIRMED, then) for then in ActionState)


@given(st.lists(st.sampled_from(ActionState), max_size=40))
def test_no_path_leads_from_a_doubt_to_a_second_sending_without_proof(
    wishes: list[ActionState],
) -> None:
    """Whatever is tried, `sending` follows a doubt only through `proven_absent`."""
    now, in_doubt = ActionState.PLANNED, False
    for wish in wishes:
        if not may_action_become(now, wish):
            continue
        if wish is ActionState.SENDING:
            assert not in_doubt
        if wish in {ActionState.IN_DOUBT, ActionState.RECONCILING, ActionState.UNRESOLVED}:
            in_doubt = True
        if wish is ActionState.PROVEN_ABSENT:
            in_doubt = False
        now = wish


def test_a_step_that_the_table_does_not_allow_is_an_error() -> None:
    with pytest.raises(IllegalTransitionError, match="from confirmed to sending"):
        require_action_step(ActionState.CONFIRMED, ActionState.SENDING)
    with pytest.raises(IllegalTransitionError, match="from done to running"):
        require_item_step(ItemState.DONE, ItemState.RUNNING)
    require_action_step(ActionState.PREPARED, ActionState.SENDING)
    require_item_step(ItemState.ASSIGNED, ItemState.RUNNING)


def test_what_may_have_happened_counts_as_in_doubt() -> None:
    assert ActionState.SENDING in IN_DOUBT_STATES
    assert ActionState.PREPARED not in IN_DOUBT_STATES


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], RunState.DONE),
        ([ItemState.QUEUED], RunState.STARTING),
        ([ItemState.QUEUED, ItemState.RUNNING], RunState.RUNNING),
        ([ItemState.DONE, ItemState.PAUSED], RunState.PAUSED),
        ([ItemState.DONE, ItemState.NEEDS_OPERATOR], RunState.RUNNING),
        ([ItemState.DONE, ItemState.SKIPPED], RunState.DONE),
        ([ItemState.DONE, ItemState.CANCELLED], RunState.DONE),
        ([ItemState.CANCELLED], RunState.CANCELLED),
        ([ItemState.DONE, ItemState.FAILED], RunState.FAILED),
    ],
)
def test_a_run_is_what_its_items_are(items: list[ItemState], expected: RunState) -> None:
    assert run_state_of(items) is expected
