"""Agents as a table."""

from __future__ import annotations

from common.domain.states import LinkState, look_of
from common.drivers import DRIVER_TITLES
from desktop_app.contract.agents import AgentRow
from desktop_app.ui.models.cells import Chips, Moment, Text, pill_of
from desktop_app.ui.models.formats import bytes_text, count_of, duration_words, milliseconds
from desktop_app.ui.models.table import Column, RowTable

SKEW_SECONDS = 2.0
"""From here on a clock's skew is worth a colour: one-time passwords live 30 s."""

_SAME_SECONDS = 0.05
_DISK_FULL = "nothing new is sent"
_LINK_ORDER = {state: place for place, state in enumerate(LinkState)}


def driver_names(agent: AgentRow) -> tuple[str, ...]:
    """Return the names of an agent's drivers to show; one of another release as it is."""
    labels = {str(driver): label for driver, label in DRIVER_TITLES.items()}
    return tuple(labels.get(driver, driver) for driver in agent.drivers)


def skew_text(skew: float | None) -> str:
    """Return how far an agent's clock is ahead (+) or behind (−); a dash where not known."""
    if skew is None:
        return "–"
    if abs(skew) < _SAME_SECONDS:
        return "0.0 s"
    sign = "+" if skew > 0 else "−"
    return f"{sign}{abs(skew):.1f} s"


def notice_cell(agent: AgentRow) -> Text:
    """Return the one thing about an agent that matters most beside its link; often nothing."""
    if agent.is_disk_full:
        return Text("Disk full", colour="danger", icon="hard-drive", after=_DISK_FULL)
    if agent.notice is not None:
        return Text(agent.notice.message, colour="warning", icon="history")
    if agent.is_draining:
        left = agent.running + agent.queued
        after = f"{count_of(left, 'item')} to go" if left else "holds nothing any more"
        return Text("Draining", colour="info", icon="log-out", after=after)
    if agent.link_error is not None and agent.link is not LinkState.ONLINE:
        return Text(agent.link_error.message, muted=True)
    return Text("")


def dead_man_words(agent: AgentRow) -> str:
    """Say after which time without this desktop an agent publishes nothing more."""
    if not agent.dead_man_hours:
        return "Off: it goes on without this desktop"
    hours = duration_words(agent.dead_man_hours * 3600)
    return f"Publishes nothing more after {hours} without this desktop"


def _skew(agent: AgentRow) -> Text:
    wrong = agent.clock_skew is not None and abs(agent.clock_skew) > SKEW_SECONDS
    return Text(
        skew_text(agent.clock_skew), right=True, muted=not wrong, colour="warning" if wrong else ""
    )


def _number(value: int) -> Text:
    return Text(f"{value:,}", right=True, muted=not value)


def _columns() -> tuple[Column[AgentRow], ...]:
    return (
        Column(
            "name",
            "Agent",
            lambda a: Text(a.name, strong=True, icon="server"),
            lambda a: a.name.lower(),
            width=132,
        ),
        Column(
            "link",
            "Link",
            lambda a: pill_of(look_of(a.link)),
            lambda a: _LINK_ORDER[a.link],
            width=138,
        ),
        Column(
            "notice", "Notice", notice_cell, lambda a: notice_cell(a).text, 230, stretch=True,
        ),
        Column(
            "address",
            "Address",
            lambda a: Text(f"{a.host}:{a.port}", muted=True),
            lambda a: (a.host, a.port),
            width=152,
            spare=3,
        ),
        Column(
            "drivers", "Drivers", lambda a: Chips(driver_names(a)), lambda a: a.drivers, 172,
            spare=2,
        ),
        Column(
            "running", "Running", lambda a: _number(a.running), lambda a: a.running, 78, right=True,
        ),
        Column("queued", "Queued", lambda a: _number(a.queued), lambda a: a.queued, 76, right=True),
        Column(
            "accounts", "Accounts", lambda a: _number(a.accounts), lambda a: a.accounts, 86,
            right=True,
        ),
        Column(
            "slots", "Browsers", lambda a: _number(a.browser_slots), lambda a: a.browser_slots, 88,
            right=True, hidden=True, help="Browser profiles that it may have open at once.",
        ),
        Column(
            "disk", "Disk free", lambda a: Text(bytes_text(a.disk_free), right=True, muted=True),
            lambda a: a.disk_free or 0, 84, right=True, spare=1,
        ),
        Column(
            "round_trip", "Round trip",
            lambda a: Text(milliseconds(a.round_trip), right=True, muted=True),
            lambda a: a.round_trip or 0.0, 96, right=True, spare=4,
        ),
        Column(
            "skew", "Clock", _skew, lambda a: abs(a.clock_skew or 0.0), 84, right=True, spare=5,
            help="How far its clock is ahead of this machine's.",
        ),
        Column(
            "app", "Release", lambda a: Text(a.app, muted=True), lambda a: a.app, 88, hidden=True,
        ),
        Column(
            "last_seen", "Last seen", lambda a: Moment(a.last_seen), lambda a: a.last_seen or 0.0,
            104, right=True, hidden=True,
        ),
    )  # fmt: skip


def agent_table() -> RowTable[AgentRow]:
    """Return an empty table of agents."""
    return RowTable(
        _columns(), lambda agent: agent.id, search=lambda agent: f"{agent.name} {agent.host}"
    )
