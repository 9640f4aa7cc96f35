"""What is done with items on which desktop and agent do not agree."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.protocol.messages import InventoryRow
from desktop_app.core.healing import compare, judge_loss
from desktop_app.store.records import ItemRecord


def here(item_id: str, state: ItemState = ItemState.ASSIGNED, **changes: Any) -> ItemRecord:
    values: dict[str, Any] = {
        "id": item_id, "run_id": "r", "account_id": "a", "username": "u", "agent_id": "g",
        "state": state, "attempt": 1, "driver": DriverName.PRIVATE_API, "intent_id": "n",
        "action": ActionState.PLANNED, "accepted": True, "wanted": None, "log_end": 0,
    }  # fmt: skip
    return ItemRecord(**(values | changes))


def there(item_id: str, state: ItemState = ItemState.ASSIGNED, attempt: int = 1) -> InventoryRow:
    return InventoryRow(
        item_id=item_id, run_id="r", account_id="a", attempt=attempt, state=state, fence=1
    )


def test_an_item_that_both_know_needs_nothing() -> None:
    healing = compare([here("i")], [there("i", ItemState.RUNNING)])
    assert not healing.suspects
    assert not healing.to_cancel
    assert not healing.newer_there


def test_an_accepted_item_that_the_agent_does_not_name_is_a_suspect() -> None:
    assert compare([here("i")], []).suspects == {"i"}


def test_an_older_attempt_there_does_not_count_as_holding_it() -> None:
    assert compare([here("i", attempt=2)], [there("i", attempt=1)]).suspects == {"i"}


def test_an_item_still_queued_here_is_no_suspect() -> None:
    assert not compare([here("i", ItemState.QUEUED, accepted=False)], []).suspects


def test_an_acceptance_that_was_not_stored_is_taken_up() -> None:
    queued = here("i", ItemState.QUEUED, accepted=False)
    assert compare([queued], [there("i")]).newer_there == {"i": 1}


def test_what_was_cancelled_here_is_cancelled_there() -> None:
    cancelled = here("i", ItemState.CANCELLED)
    assert compare([cancelled], [there("i")]).to_cancel == {"i"}
    assert not compare([cancelled], [there("i", ItemState.DONE)]).to_cancel


@pytest.mark.parametrize(
    "action", [ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT]
)
def test_a_lost_item_that_was_never_sent_is_handed_over_again(action: ActionState) -> None:
    loss = judge_loss([here("i", action=action)], is_same_history=True)
    assert loss.to_requeue == {"i"}
    assert not loss.in_doubt


@pytest.mark.parametrize("action", [state for state in ActionState if state not in {
    ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT,
}])  # fmt: skip
def test_a_lost_item_that_may_have_been_sent_waits_for_a_person(action: ActionState) -> None:
    loss = judge_loss([here("i", action=action)], is_same_history=True)
    assert loss.in_doubt == {"i"}
    assert not loss.to_requeue


def test_without_the_same_history_nothing_that_publishes_is_repeated() -> None:
    loss = judge_loss([here("i")], is_same_history=False)
    assert loss.in_doubt == {"i"}


def test_an_item_without_an_effect_is_always_handed_over_again() -> None:
    login = here("i", intent_id=None, action=None)
    assert judge_loss([login], is_same_history=False).to_requeue == {"i"}
