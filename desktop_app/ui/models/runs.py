"""Runs, items and ledgers as tables."""

from __future__ import annotations

from common.domain.states import ActionState, ItemState, RunState, look_of
from common.domain.transitions import ITEM_FINAL
from desktop_app.contract.runs import ItemRow, LedgerEntry, RunRow
from desktop_app.ui.models.accounts import driver_label
from desktop_app.ui.models.cells import (
    NOTHING,
    PROGRESS_ORDER,
    Cell,
    Link,
    Moment,
    Progress,
    Text,
    pill_of,
    progress_of,
)
from desktop_app.ui.models.formats import clock_time, exact_time
from desktop_app.ui.models.table import Column, RowTable

RUN_FINAL = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})

_ITEM_ORDER = {state: place for place, state in enumerate(reversed(PROGRESS_ORDER))}


def run_table() -> RowTable[RunRow]:
    """Return an empty list of runs."""
    column = Column[RunRow](
        "run",
        "Run",
        lambda run: progress_of(run.counts, run.total),
        lambda run: -run.created_at,
    )
    table = RowTable((column,), lambda run: run.id, search=lambda run: run.name)
    table.sort(0)
    return table


def _progress(item: ItemRow) -> Cell:
    """Return an item's bar while it moves; its step in words beside it."""
    if item.state is ItemState.DONE:
        return Progress(((1.0, "success"),), "")
    if item.state in ITEM_FINAL:
        return Text("")
    done = item.fraction or 0.0
    return Progress(((done, look_of(item.state).colour),), f"{done:.0%}" if item.fraction else "")


def _step(item: ItemRow) -> Cell:
    if item.error is not None and item.state not in (ItemState.DONE, ItemState.RUNNING):
        return Text(item.error.message, colour="danger", icon="circle-alert")
    if item.action in (ActionState.IN_DOUBT, ActionState.UNRESOLVED):
        look = look_of(item.action)
        return Text(look.label, colour=look.colour, icon=look.icon)
    return Text(item.step, muted=True)


def _item_columns() -> tuple[Column[ItemRow], ...]:
    return (
        Column(
            "position", "#", lambda i: Text(str(i.position), right=True, muted=True),
            lambda i: i.position, 44, right=True,
        ),
        Column(
            "username", "Account", lambda i: Text(i.username, strong=True),
            lambda i: i.username.lower(), 150,
        ),
        Column(
            "title", "Item", lambda i: Text(i.title), lambda i: i.title.lower(), 176,
            stretch=True,
        ),
        Column(
            "state", "State", lambda i: pill_of(look_of(i.state)),
            lambda i: _ITEM_ORDER[i.state], 116,
        ),
        Column(
            "progress", "Progress", _progress, lambda i: i.fraction or float(i.state in ITEM_FINAL),
            88, spare=1,
        ),
        Column("step", "Step", _step, lambda i: i.step, 130, stretch=True),
        Column(
            "link", "Link", lambda i: Link(i.link, "Open post") if i.link else Text(""),
            lambda i: i.link, 112,
        ),
        Column(
            "agent", "Agent", lambda i: Text(i.agent, muted=True) if i.agent else NOTHING,
            lambda i: i.agent, 110, spare=2,
        ),
        Column(
            "driver", "Driver", lambda i: Text(driver_label(i.driver), muted=True),
            lambda i: i.driver, 100, spare=3,
        ),
        Column(
            "changed_at", "Changed", lambda i: Moment(i.changed_at or None), lambda i: i.changed_at,
            100, right=True, spare=4,
        ),
        Column(
            "attempt", "Attempt", lambda i: Text(str(i.attempt), right=True, muted=True),
            lambda i: i.attempt, 76, right=True, hidden=True,
        ),
    )  # fmt: skip


def item_table() -> RowTable[ItemRow]:
    """Return an empty list of items."""
    table = RowTable(
        _item_columns(),
        lambda item: item.id,
        search=lambda item: f"{item.username} {item.title} {item.agent} {item.step}",
    )
    table.sort(0)
    return table


def _entry_id(entry: LedgerEntry) -> str:
    return f"{entry.action_id}:{entry.agent}:{entry.seq}:{entry.at}:{entry.state}"


def _ids_text(entry: LedgerEntry) -> str:
    ids = [f"{name} {value}" for name, value in entry.resume.items()]
    if entry.remote_id:
        ids.append(f"post {entry.remote_id}")
    return ", ".join(ids)


def ledger_table() -> RowTable[LedgerEntry]:
    """Return an empty ledger."""
    columns: tuple[Column[LedgerEntry], ...] = (
        Column(
            "at", "Time", lambda e: Moment(e.at, clock_time(e.at)), lambda e: e.at, 116
        ),
        Column("state", "Step", lambda e: pill_of(look_of(e.state)), lambda e: e.state, 130),
        Column(
            "operation", "Operation", lambda e: Text(e.operation), lambda e: e.operation, 110,
            spare=1,
        ),
        Column(
            "ids", "Ids", lambda e: Text(_ids_text(e), mono=True, muted=True), _ids_text, 220,
            stretch=True,
        ),
        Column(
            "note", "Note", lambda e: Text(e.note, muted=True), lambda e: e.note, 140, stretch=True,
        ),
        Column(
            "driver", "Driver", lambda e: Text(driver_label(e.driver), muted=True),
            lambda e: e.driver, 100, spare=2,
        ),
        Column(
            "agent", "Agent", lambda e: Text(e.agent, muted=True), lambda e: e.agent, 110,
            spare=3,
        ),
        Column(
            "seq", "Seq", lambda e: Text(str(e.seq), right=True, muted=True), lambda e: e.seq, 64,
            right=True, spare=4, help="Sequence number in the agent's outbox.",
        ),
        Column(
            "attempt", "Attempt", lambda e: Text(str(e.attempt), right=True, muted=True),
            lambda e: e.attempt, 72, right=True, hidden=True,
        ),
    )  # fmt: skip
    return RowTable(columns, _entry_id)


def ledger_text(entries: list[LedgerEntry]) -> str:
    """Return a ledger as lines of text, to copy."""
    return "\n".join(
        f"{exact_time(e.at)}  {e.operation}  {look_of(e.state).label}  {_ids_text(e)}  {e.note}"
        for e in entries
    )
