"""Reports of commands over many items: what was asked is not yet what happened."""

from __future__ import annotations

import pytest

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.errors import ConflictError
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.models.cells import Text
from desktop_app.ui.models.control import ControlReport, Verb, gather_refusals, has_taken_effect
from desktop_app.ui.models.runs import cannot_cancel, item_table
from desktop_app.ui.models.table import CELL_ROLE


def item(state: ItemState, action: ActionState | None = None, **known: object) -> ItemRow:
    values: dict[str, object] = {
        "id": "i1", "run_id": "r1", "position": 1, "account_id": "a1", "username": "pine.cafe",
        "agent_id": "x", "title": "Reel", "state": state, "attempt": 1,
        "driver": DriverName.PRIVATE_API, "action": action,
    }  # fmt: skip
    return ItemRow.model_validate(values | known)


def step_of(row: ItemRow) -> Text:
    table = item_table()
    table.set_rows([row])
    place = next(n for n, column in enumerate(table.columns) if column.key == "step")
    cell = table.index(0, place).data(CELL_ROLE)
    assert isinstance(cell, Text)
    return cell


def test_only_what_is_sending_or_has_ended_cannot_be_cancelled() -> None:
    assert "point of no return" in cannot_cancel(item(ItemState.RUNNING, ActionState.SENDING))
    assert cannot_cancel(item(ItemState.DONE)) == "It has ended."
    for action in (None, ActionState.PREPARED, ActionState.IN_DOUBT, ActionState.UNRESOLVED):
        assert cannot_cancel(item(ItemState.RUNNING, action)) == ""


def test_a_cancel_that_was_asked_for_is_shown_as_that() -> None:
    looking = item(ItemState.RUNNING, ActionState.RECONCILING)
    assert step_of(looking).text == "Reconciling"

    def shown(state: ItemState, action: ActionState | None = None, *, online: bool = True) -> Text:
        row = item(state, action, wanted="cancelled", agent_online=online, agent="dock-1")
        return step_of(row)

    asked = shown(ItemState.RUNNING, ActionState.RECONCILING)
    assert (asked.text, asked.after) == ("Cancel asked", "waits for the verdict")
    assert shown(ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED).after == "waits for your answer"
    assert shown(ItemState.ASSIGNED).after == "waits for the agent"
    away = shown(ItemState.RUNNING, ActionState.SENDING, online=False)
    assert (away.text, away.after) == ("Cancel asked", "dock-1 hears of it when it is back")
    assert shown(ItemState.CANCELLED).text == ""
    assert step_of(item(ItemState.ASSIGNED, wanted="paused")).text == "Pause asked"
    sending = item(ItemState.RUNNING, ActionState.SENDING)
    assert step_of(sending).text == "Point of no return"


@pytest.mark.parametrize(
    ("verb", "row", "happened"),
    [
        ("cancel", item(ItemState.RUNNING), False),
        ("cancel", item(ItemState.DONE), True),
        ("pause", item(ItemState.RUNNING), False),
        ("pause", item(ItemState.PAUSED), True),
        ("resume", item(ItemState.PAUSED), False),
        ("resume", item(ItemState.ASSIGNED), True),
        ("retry", item(ItemState.FAILED), False),
        ("retry", item(ItemState.FAILED, attempt=2), True),
    ],
)
def test_an_act_has_taken_effect_when_the_item_shows_it(
    verb: Verb, row: ItemRow, happened: bool
) -> None:
    assert has_taken_effect(verb, row, attempt=1) is happened


def test_a_report_tells_asked_from_done_and_from_refused() -> None:
    assert ControlReport("cancel", "the run").words == "Cancelling the run…"
    half = ControlReport("cancel", "the run", 12, waiting=3, waits_for="the verdict")
    assert half.words == "Cancelling 12 items: 9 done, 3 still waiting for the verdict."
    assert not half.is_over
    assert ControlReport("cancel", "12 items", 12).words == "Cancelled 12 items."
    assert ControlReport("pause", "dock-1", 1).words == "Paused 1 item of dock-1."
    assert ControlReport("resume", "dock-1", 0).words.startswith("Nothing to resume")


def test_refusals_are_gathered_by_reason_with_names() -> None:
    late = ConflictError("It is past the point of no return.", advice="Wait.").to_wire()
    gone = ConflictError("It has ended.", subject="lantern").to_wire()
    keys = {f"k{number}": late for number in range(6)} | {"z": gone}
    first, second = gather_refusals(keys, lambda key: key if key != "z" else "")
    assert first.count == 6
    assert first.text == ("k0, k1, k2, k3 and 2 more: It is past the point of no return. Wait.")
    assert second.text.startswith("lantern: It has ended.")
