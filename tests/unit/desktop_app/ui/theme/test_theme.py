"""The theme: every placeholder filled, every icon there, a switch that is seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QPushButton

from common.domain.states import ActionState, ItemState, LinkState, RunState, SignInState, look_of
from common.tasks.catalogue import TASK_TYPES
from desktop_app.ui.theme.icons import icon_source
from desktop_app.ui.theme.theme import Theme, ThemeMode
from desktop_app.ui.views.main_window import PLACES


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, ThemeMode.DARK)
    yield made
    made.close()


def test_every_placeholder_of_the_style_sheet_is_filled(theme: Theme, qapp: QApplication) -> None:
    for mode in (ThemeMode.DARK, ThemeMode.LIGHT):
        theme.set_mode(mode)
        assert "{{" not in qapp.styleSheet()
        assert theme.colour("background").name() in qapp.styleSheet()


def test_every_state_place_and_task_has_its_icon_and_colour(theme: Theme) -> None:
    for state in chain(ItemState, ActionState, RunState, SignInState, LinkState):
        look = look_of(state)
        assert "currentColor" in icon_source(look.icon)
        assert theme.colour(look.colour).isValid()
        assert theme.colour(f"{look.colour}_soft").isValid()
    for name in [place.icon for place in PLACES] + [task.icon for task in TASK_TYPES]:
        assert icon_source(name)


def test_an_icon_follows_the_theme(theme: Theme) -> None:
    icon = theme.icon("users", "text")
    dark = icon.pixmap(QSize(16, 16)).toImage()
    theme.set_mode(ThemeMode.LIGHT)
    assert icon.pixmap(QSize(16, 16)).toImage() != dark


def test_an_icon_outlives_its_maker_and_is_faint_when_disabled(theme: Theme) -> None:
    button = QPushButton()
    button.setIcon(theme.icon("play", "text"))
    icon = button.icon()
    on = icon.pixmap(QSize(16, 16), QIcon.Mode.Normal).toImage()
    off = icon.pixmap(QSize(16, 16), QIcon.Mode.Disabled).toImage()
    assert on != off


def test_a_switch_is_told(theme: Theme) -> None:
    told: list[str] = []
    theme.changed.connect(lambda: told.append(theme.scheme.value))
    theme.toggle()
    theme.toggle()
    assert told == ["light", "dark"]
