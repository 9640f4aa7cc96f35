"""What is done with items on which desktop and agent do not agree."""

from __future__ import annotations

from typing import Any

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.protocol.messages import InventoryRow
from desktop_app.core.healing import compare, higher_fences
from desktop_app.store.records import ItemRecord


def here(item_id: str, state: ItemState = ItemState.ASSIGNED, **changes: Any) -> ItemRecord:
    values: dict[str, Any] = {
        "id": item_id, "run_id": "r", "account_id": "a", "username": "u", "agent_id": "g",
        "state": state, "attempt": 1, "driver": DriverName.PRIVATE_API, "intent_id": "n",
        "action": ActionState.PLANNED, "accepted": True, "wanted": None, "log_end": 0,
    }  # fmt: skip
    return ItemRecord(**(values | changes))


def there(
    item_id: str, state: ItemState = ItemState.ASSIGNED, attempt: int = 1, fence: int = 1
) -> InventoryRow:
    return InventoryRow(
        item_id=item_id,
        run_id="r",
        account_id="a",
        attempt=attempt,
        state=state,
        fence=fence,
        action_id="n",
        action=ActionState.PLANNED,
    )


def test_an_item_that_both_know_needs_nothing() -> None:
    healing = compare("g", [here("i")], [there("i", ItemState.RUNNING)])
    assert not healing.suspects
    assert not healing.to_cancel
    assert not healing.newer_there
    assert not healing.foreign
    assert [row.item_id for row in healing.held] == ["i"]


def test_an_accepted_item_that_the_agent_does_not_name_is_a_suspect() -> None:
    assert compare("g", [here("i")], []).suspects == {"i"}


def test_an_older_attempt_there_does_not_count_as_holding_it() -> None:
    healing = compare("g", [here("i", attempt=2)], [there("i", attempt=1)])
    assert healing.suspects == {"i"}
    assert healing.to_cancel == {"i"}, "the agent takes no later attempt before that one has ended"


def test_an_item_still_queued_here_is_no_suspect() -> None:
    offered = here("i", ItemState.QUEUED, accepted=False, offered=True)
    assert not compare("g", [offered], []).suspects


def test_an_acceptance_that_was_not_stored_is_taken_up() -> None:
    queued = here("i", ItemState.QUEUED, accepted=False)
    assert compare("g", [queued], [there("i")]).newer_there == {"i": 1}


def test_a_later_attempt_there_is_taken_up() -> None:
    assert compare("g", [here("i")], [there("i", attempt=3)]).newer_there == {"i": 3}


def test_what_ended_here_is_cancelled_there() -> None:
    for state in (ItemState.CANCELLED, ItemState.FAILED, ItemState.SKIPPED):
        ended = here("i", state)
        assert compare("g", [ended], [there("i")]).to_cancel == {"i"}
        assert not compare("g", [ended], [there("i", ItemState.DONE)]).to_cancel


def test_what_another_agent_has_by_now_is_cancelled_there() -> None:
    moved = here("i", agent_id="another", attempt=2)
    healing = compare("g", [moved], [there("i")])
    assert healing.to_cancel == {"i"}
    assert not healing.suspects


def test_what_is_published_as_we_know_is_told_and_not_cancelled() -> None:
    for state in (ItemState.DONE, ItemState.CANCELLED, ItemState.FAILED):
        ended = here("i", state, action=ActionState.CONFIRMED)
        healing = compare("g", [ended], [there("i", ItemState.NEEDS_OPERATOR)])
        assert [row.item_id for row in healing.to_confirm] == ["i"]
        assert not healing.to_cancel


def test_an_item_that_was_never_handed_over_is_foreign_and_left_alone() -> None:
    healing = compare("g", [], [there("i")])
    assert healing.foreign == {"i"}
    assert not healing.to_cancel


def test_only_fences_above_ours_are_news() -> None:
    rows = [there("i", fence=4), there("j", fence=7), there("k", fence=2)]
    assert higher_fences({"a": 4}, rows) == {"a": 7}
    assert higher_fences({"a": 7}, rows) == {}
    assert higher_fences({}, rows) == {}, "an account that is not ours"
