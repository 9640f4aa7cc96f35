"""Runs and items as tables, and what may be done to an item."""

from __future__ import annotations

from common.domain.states import ActionState, ItemState, RunState, look_of
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from desktop_app.client.wishes import asked_of, waits_for
from desktop_app.contract.runs import ItemRow, RunRow
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
from desktop_app.ui.models.table import Column, RowTable

RUN_FINAL = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})

_ITEM_ORDER = {state: place for place, state in enumerate(reversed(PROGRESS_ORDER))}

_ASKED_ICONS = {"paused": "pause", "resumed": "play", "cancelled": "circle-slash"}


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


def cannot_cancel(item: ItemRow) -> str:
    """Say why a cancel would do nothing now; empty where it may be asked."""
    if item.state in ITEM_FINAL:
        return "It has ended."
    if item.action is ActionState.SENDING:
        return (
            "Past the point of no return: the deciding request is on its way, and the platform's "
            "answer decides."
        )
    return ""


def _step(item: ItemRow) -> Cell:
    if asked := asked_of(item):
        icon = _ASKED_ICONS[item.wanted]
        return Text(asked, colour="warning", icon=icon, after=waits_for(item))
    if item.error is not None and item.state not in (ItemState.DONE, ItemState.RUNNING):
        return Text(item.error.message, colour="danger", icon="circle-alert")
    if item.action is ActionState.SENDING:
        look = look_of(item.action)
        return Text("Point of no return", colour=look.colour, icon="milestone")
    if item.action in IN_DOUBT_STATES and item.state not in ITEM_FINAL:
        look = look_of(item.action)
        return Text(look.label, colour=look.colour, icon=look.icon, after=item.step)
    return Text(item.step, muted=True)


def _item_columns() -> tuple[Column[ItemRow], ...]:
    return (
        Column(
            "position", "#", lambda i: Text(str(i.position), right=True, muted=True),
            lambda i: i.position, 60, right=True,
        ),
        Column(
            "username", "Account", lambda i: Text(i.username, strong=True),
            lambda i: i.username.lower(), 132,
        ),
        Column(
            "title", "Item", lambda i: Text(i.title), lambda i: i.title.lower(), 150,
            stretch=True,
        ),
        Column(
            "state", "State", lambda i: pill_of(look_of(i.state)),
            lambda i: _ITEM_ORDER[i.state], 124,
        ),
        Column(
            "progress", "Progress", _progress, lambda i: i.fraction or float(i.state in ITEM_FINAL),
            72, spare=1,
        ),
        Column(
            "step", "Step", _step, lambda i: i.step, 168,
            stretch=True,
        ),
        Column(
            "link", "Link", lambda i: Link(i.link, "Open post") if i.link else Text(""),
            lambda i: i.link, 108,
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
