"""Which request a fault hits."""

from typing import Any

import pytest

from practice.http.faults import FaultError, FaultPlan

ROUTE = "/api/v1/media/configure/"


def test_a_fault_hits_as_often_as_it_was_told_and_is_gone() -> None:
    plan = FaultPlan()
    plan.add({"kind": "drop_after_apply", "route": "/api/v1/media/configure*", "count": 2})
    hits = [plan.take(ROUTE, "ada") for _ in range(3)]
    assert [fault is not None for fault in hits] == [True, True, False]
    assert plan.waiting() == []


def test_a_fault_waits_for_its_account_and_route() -> None:
    plan = FaultPlan()
    plan.add({"kind": "delay_ms", "route": ROUTE, "account": "ada", "delay_ms": 5})
    assert plan.take(ROUTE, "bob") is None
    assert plan.take(ROUTE, None) is None
    assert plan.take("/api/v1/media/1/info/", "ada") is None
    assert plan.take(ROUTE, "ada") is not None


def test_faults_are_used_in_the_order_they_were_set() -> None:
    plan = FaultPlan()
    ids = [plan.add({"kind": "drop_before_apply", "route": "*"}).fault_id for _ in range(3)]
    used = [plan.take(ROUTE, None) for _ in range(3)]
    assert [fault.fault_id for fault in used if fault] == ids


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"kind": "explode", "route": "*"},
        {"kind": "delay_ms"},
        {"kind": "delay_ms", "route": "*", "count": 0},
        {"kind": "delay_ms", "route": "*", "count": True},
        {"kind": "delay_ms", "route": "*", "delay_ms": -1},
        {"kind": "refuse_status", "route": "*", "status": 200},
        {"kind": "refuse_status", "route": 5},
        {"kind": "refuse_status", "route": "*", "when": "now"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wanted: dict[str, Any]) -> None:
    plan = FaultPlan()
    with pytest.raises(FaultError):
        plan.add(wanted)
    assert plan.waiting() == []
