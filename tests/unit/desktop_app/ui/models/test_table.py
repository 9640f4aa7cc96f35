"""Tables: sort, filter, changes and selections, held against a plain list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from desktop_app.contract.accounts import ImportProblem
from desktop_app.ui.gallery_fleet import SampleFleet
from desktop_app.ui.models.accounts import account_table
from desktop_app.ui.models.agents import agent_table
from desktop_app.ui.models.cards import card_table
from desktop_app.ui.models.cells import Text
from desktop_app.ui.models.media import media_table
from desktop_app.ui.models.problems import import_problem_table, plan_table
from desktop_app.ui.models.runs import item_table, run_table
from desktop_app.ui.models.table import CELL_ROLE, Column, RowTable

NOW = 1_763_900_000.0


@dataclass(frozen=True)
class Boat:
    key: str
    length: int


def boats() -> RowTable[Boat]:
    columns = (
        Column[Boat]("key", "Name", lambda b: Text(b.key), lambda b: b.key),
        Column[Boat]("length", "Length", lambda b: Text(str(b.length)), lambda b: b.length),
    )
    return RowTable(columns, lambda b: b.key, search=lambda b: b.key)


def names(table: RowTable[Boat]) -> list[str]:
    return [boat.key for boat in table.shown()]


def watched(table: RowTable[Boat]) -> QAbstractItemModelTester:
    """Abort the test where the model says one thing and does another."""
    mode = QAbstractItemModelTester.FailureReportingMode.Fatal
    return QAbstractItemModelTester(table, mode)


def filled_tables() -> dict[str, QAbstractItemModel]:
    fleet = SampleFleet(30, NOW)
    accounts, agents, media, runs = account_table(), agent_table(), media_table(), run_table()
    items, cards, problems, plan = (
        item_table(),
        card_table(),
        import_problem_table(),
        plan_table(),
    )
    accounts.set_rows(fleet.accounts)
    agents.set_rows(fleet.agents)
    media.set_rows(fleet.media)
    runs.set_rows(fleet.runs)
    items.set_rows(fleet.items)
    cards.set_rows(fleet.cards)
    problems.set_rows([ImportProblem(line=3, field="password", message="It is missing.")])
    tables = (accounts, agents, media, runs, items, cards, problems, plan)
    kinds = ("accounts", "agents", "media", "runs", "items", "cards", "problems", "plan")
    return dict(zip(kinds, tables, strict=True))


@pytest.mark.parametrize(
    "kind", ["accounts", "agents", "media", "runs", "items", "cards", "problems", "plan"]
)
def test_each_table_is_a_sound_model(kind: str, qtmodeltester: object, qapp: QApplication) -> None:
    qtmodeltester.check(filled_tables()[kind])  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["accounts", "agents", "items", "cards", "problems"])
def test_each_cell_has_words_and_each_column_sorts(kind: str, qapp: QApplication) -> None:
    table = filled_tables()[kind]
    assert isinstance(table, RowTable)
    for column in range(table.columnCount()):
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            table.sort(column, order)
        assert isinstance(table.index(0, column).data(), str)
        assert table.index(0, column).data(CELL_ROLE) is not None


def test_a_filter_hides_and_a_sort_orders(qapp: QApplication) -> None:
    table = boats()
    tester = watched(table)
    table.set_rows([Boat("yawl", 9), Boat("dory", 4), Boat("ketch", 12)])
    table.sort(1)
    assert names(table) == ["dory", "yawl", "ketch"]
    table.set_search("Y")
    assert names(table) == ["dory", "yawl"]
    table.set_filter(lambda boat: boat.length > 4)
    assert names(table) == ["yawl"]
    table.set_search("")
    table.set_filter(None)
    assert names(table) == ["dory", "yawl", "ketch"]
    assert tester.model() is table


def test_a_row_that_changes_in_place_is_announced_alone(qapp: QApplication) -> None:
    table = boats()
    table.set_rows([Boat("dory", 4), Boat("ketch", 12)])
    touched: list[tuple[int, int]] = []
    table.dataChanged.connect(lambda first, last, *_: touched.append((first.row(), last.row())))
    resets: list[bool] = []
    table.modelReset.connect(lambda: resets.append(True))
    table.apply([Boat("ketch", 13)])
    assert touched == [(1, 1)]
    assert not resets


def test_an_index_follows_its_row_through_sorts_and_removals(qapp: QApplication) -> None:
    table = boats()
    table.set_rows([Boat("dory", 4), Boat("ketch", 12), Boat("yawl", 9)])
    kept = QPersistentModelIndex(table.index(1, 0))
    table.sort(0, Qt.SortOrder.DescendingOrder)
    assert table.id_at(kept.row()) == "ketch"
    table.apply(removed=["yawl"])
    table.flush()
    assert table.id_at(kept.row()) == "ketch"


def test_changes_in_quick_succession_are_shown_together(qapp: QApplication) -> None:
    table = boats()
    table.set_rows([Boat("dory", 4)])
    table.apply([Boat("dory", 5)])
    table.apply([Boat("dory", 6)])
    assert table.shown()[0].length == 5
    latest = table.row("dory")
    assert latest is not None
    assert latest.length == 6
    table.flush()
    assert table.shown()[0].length == 6


BOATS = st.lists(st.builds(Boat, st.sampled_from("abcdefghijkl"), st.integers(0, 5)), max_size=14)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), BOATS),
        st.tuples(st.just("remove"), st.lists(st.sampled_from("abcdefghijkl"), max_size=5)),
        st.tuples(st.just("replace"), BOATS),
        st.tuples(st.just("sort"), st.integers(-1, 1)),
        st.tuples(st.just("longer"), st.integers(0, 4)),
    ),
    max_size=14,
)


@settings(max_examples=120, deadline=None)
@given(BOATS, STEPS)
def test_a_table_shows_what_a_plain_list_would(
    first: list[Boat], steps: list[tuple[str, object]]
) -> None:
    table = boats()
    tester = watched(table)
    table.set_rows(first)
    plain = {boat.key: boat for boat in first}
    order: Callable[[Boat], object] | None = None
    least = -1
    for verb, value in steps:
        if verb == "apply":
            assert isinstance(value, list)
            table.apply(value)
            plain.update({boat.key: boat for boat in value})
        elif verb == "remove":
            assert isinstance(value, list)
            table.apply(removed=value)
            for key in value:
                plain.pop(key, None)
        elif verb == "replace":
            assert isinstance(value, list)
            table.set_rows(value)
            plain = {boat.key: boat for boat in value}
        elif verb == "sort":
            assert isinstance(value, int)
            table.sort(value)
            order = None if value < 0 else table.columns[value].order
        else:
            assert isinstance(value, int)
            least = value
            table.set_filter(lambda boat, least=least: boat.length > least)  # type: ignore[misc]
        table.flush()
        wanted = {boat for boat in plain.values() if boat.length > least}
        shown = table.shown()
        assert set(shown) == wanted
        assert len(shown) == len(wanted)
        if order is not None:
            keys = [order(boat) for boat in shown]
            assert keys == sorted(keys)  # type: ignore[type-var]
    assert tester.model() is table
