from enum import StrEnum

import pytest

from common.domain.states import (
    ActionState,
    ItemState,
    LinkState,
    RunState,
    SignInState,
    State,
    look_of,
)
from resources import path

STATES: list[State] = [
    state for kind in (ItemState, ActionState, RunState, SignInState, LinkState) for state in kind
]
COLOURS = {"neutral", "info", "running", "success", "warning", "danger", "attention"}


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{type(state).__name__}.{state}")
def test_every_state_is_shown_by_label_help_colour_and_an_icon_that_ships(state: State) -> None:
    look = look_of(state)
    assert look.label[0].isupper()
    assert len(look.label.split()) <= 3
    assert look.help.endswith(".")
    assert look.colour in COLOURS
    assert path("icons", "lucide", f"{look.icon}.svg").is_file()


def test_states_of_different_kinds_with_one_name_keep_their_own_looks() -> None:
    same: tuple[StrEnum, StrEnum] = (ItemState.PAUSED, RunState.PAUSED)
    assert same[0] == same[1]
    assert look_of(ItemState.PAUSED).help != look_of(RunState.PAUSED).help
