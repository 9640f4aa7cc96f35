"""Which agent gets an item whose own is gone, and what is risked when one is left behind. Pure."""

from collections.abc import Collection, Mapping

from common.domain.transitions import IN_DOUBT_STATES
from common.errors import ConflictError, WireError
from common.placement import place
from desktop_app.core.preflight import AgentOption
from desktop_app.store.records import AccountRecord, AgentRecord, ItemRecord

_HOUR = 3600.0
_DEAD_MAN_MARGIN_SECONDS = 60.0
"""Added to the time after which an agent publishes nothing more: clocks differ."""


def agents_for(
    items: Collection[ItemRecord],
    accounts: Mapping[str, AccountRecord],
    options: Collection[AgentOption],
) -> dict[str, str]:
    """Return the agent of each item: its account's, or another where that one cannot do it.

    An item for which there is none is left out. All items of an account stay together.
    """
    found: dict[str, str] = {}
    chosen: dict[str, str] = {}
    for item in items:
        account = accounts.get(item.account_id)
        able = {each.id: each for each in options if item.driver in each.drivers}
        sticky = chosen.get(item.account_id) or (account.agent_id if account else None)
        if sticky not in able:
            open_ones = {id_: each.capacity for id_, each in able.items() if not each.is_draining}
            capable = {id_: weight for id_, weight in open_ones.items() if weight > 0}
            weights = capable or dict.fromkeys(open_ones, 1.0)
            if account is None or not weights:
                continue
            sticky = place(item.account_id, weights)
        found[item.id] = chosen[item.account_id] = str(sticky)
    return found


def has_stopped(agent: AgentRecord, *, last_seen: float | None, now: float) -> bool:
    """Say whether an agent publishes nothing more by its own rule: its dead-man time is over."""
    hours = agent.card.dead_man_hours if agent.card else 0.0
    if hours <= 0 or last_seen is None:
        return False
    return now >= last_seen + hours * _HOUR + _DEAD_MAN_MARGIN_SECONDS


def risk_of(
    agent: AgentRecord,
    held: Collection[ItemRecord],
    *,
    last_seen: float | None,
    now: float,
    advice: str,
) -> WireError:
    """Say what may go wrong when an agent is left behind with what it has."""
    doubtful = sum(item.action in IN_DOUBT_STATES for item in held)
    seen = "has never been seen" if last_seen is None else f"was last seen {_ago(now - last_seen)}"
    doubt = f", {doubtful} of them in doubt" if doubtful else ""
    return ConflictError(
        f"The agent {agent.name} {seen} and has {_count(len(held))}{doubt}. If it still runs, "
        "it may publish them as well, and a post could be there twice.",
        subject=agent.name,
        advice=advice,
    ).to_wire()


def _count(number: int) -> str:
    return "1 unfinished item" if number == 1 else f"{number} unfinished items"


def _ago(seconds: float) -> str:
    for size, unit in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"
