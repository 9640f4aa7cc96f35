"""Commands are said once, and found by a few letters."""

import pytest

from desktop_app.ui.commands.ranking import rank
from desktop_app.ui.commands.registry import Command, CommandRegistry


def command(number: int, shortcut: str = "") -> Command:
    return Command(
        id=f"test.{number}", title=f"Act {number}", section="Test", run=lambda: None,
        shortcut=shortcut,
    )  # fmt: skip


def test_an_id_or_a_shortcut_is_taken_once() -> None:
    registry = CommandRegistry()
    registry.add(command(1, "Ctrl+J"))
    with pytest.raises(ValueError, match=r"test\.1"):
        registry.add(command(1))
    with pytest.raises(ValueError, match=r"test\.2"):
        registry.add(command(2, "Ctrl+J"))


def test_what_would_do_nothing_is_not_offered() -> None:
    registry = CommandRegistry()
    registry.add(
        command(1),
        Command(id="off", title="Off", section="T", run=lambda: None, is_enabled=lambda: False),
    )
    assert [each.id for each in registry.enabled()] == ["test.1"]


def test_letters_must_come_in_order() -> None:
    assert rank("xyz", "Import accounts") is None
    assert rank("tropmi", "Import accounts") is None
    assert rank("impacc", "Import accounts") is not None


def test_a_beginning_beats_a_middle() -> None:
    start, middle = rank("imp", "Import accounts"), rank("imp", "An important thing")
    assert start is not None
    assert middle is not None
    assert start > middle
