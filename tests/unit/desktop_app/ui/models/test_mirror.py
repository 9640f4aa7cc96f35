"""A mirror equals the core's list: a copy first, then every later change, in order."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QApplication

from desktop_app.ui.models.cells import Text
from desktop_app.ui.models.mirror import Mirror
from desktop_app.ui.models.table import Column, RowTable


@dataclass(frozen=True)
class Thing:
    key: str
    value: int


def mirror() -> Mirror[Thing]:
    column = Column[Thing]("key", "Key", lambda t: Text(t.key), lambda t: t.key)
    return Mirror(RowTable((column,), lambda t: t.key))


def shown(mirrored: Mirror[Thing]) -> dict[str, int]:
    mirrored.table.flush()
    return {thing.key: thing.value for thing in mirrored.table.rows()}


def test_a_change_that_the_copy_holds_already_is_dropped(qapp: QApplication) -> None:
    mirrored = mirror()
    mirrored.load([Thing("a", 7)], revision=5)
    mirrored.apply(5, [Thing("a", 3)])
    mirrored.apply(4, [Thing("a", 2)])
    assert shown(mirrored) == {"a": 7}
    mirrored.apply(6, [Thing("a", 8)], removed=[])
    assert shown(mirrored) == {"a": 8}


def test_changes_during_the_copy_wait_for_it(qapp: QApplication) -> None:
    mirrored = mirror()
    mirrored.begin()
    mirrored.apply(8, [Thing("a", 1)])
    mirrored.apply(10, [Thing("b", 2)], removed=["a"])
    assert shown(mirrored) == {}
    mirrored.load([Thing("a", 5), Thing("c", 6)], revision=9)
    assert shown(mirrored) == {"b": 2, "c": 6}
    assert mirrored.revision == 10


def test_a_new_copy_drops_what_is_gone(qapp: QApplication) -> None:
    mirrored = mirror()
    mirrored.load([Thing("a", 1), Thing("b", 1)], revision=1)
    mirrored.begin()
    mirrored.load([Thing("b", 2)], revision=4)
    assert shown(mirrored) == {"b": 2}
    assert mirrored.is_loaded
