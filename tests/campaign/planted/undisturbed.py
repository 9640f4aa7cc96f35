"""Evidence of a trial: a campaign of one account in which no fault of a schedule came about."""

from __future__ import annotations

from typing import Any

from tests.campaign.crew import Attendance
from tests.campaign.evidence import Evidence
from tests.campaign.plan import Plan

_PLAN = Plan(seed=0, publishes=0, faults=0, kills_and_cuts=0, accounts=1, agents=1)


def evidence_of(**found: Any) -> Evidence:
    """Return what the judge is to see, from those of its parts that a trial has."""
    nothing: dict[str, Any] = {
        "actions": (),
        "fences": (),
        "logs": (),
        "happened": (),
        "platform_hits": {},
        "attendance": Attendance(),
        "reached": frozenset(),
        "wanted_points": frozenset(),
    }
    return Evidence(plan=_PLAN, **nothing | found)
