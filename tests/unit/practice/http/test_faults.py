"""Which faults hit a request."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.http.faults import FaultError, FaultPlan
from practice.values import FaultKind

ROUTE = "/api/v1/media/configure/"
ANSWERS = (
    "refuse_status",
    "drop_before_apply",
    "drop_after_apply",
    "status_after_apply",
    "apply_late",
)
MODIFIERS = ("delay_ms", "list_late", "expire_session")


def fires(plan: FaultPlan, times: int) -> list[bool]:
    return [plan.take(ROUTE, "ada") is not None for _ in range(times)]


def test_a_fault_hits_as_often_as_it_was_told_and_is_gone() -> None:
    plan = FaultPlan()
    plan.add({"kind": "drop_after_apply", "route": "/api/v1/media/configure*", "count": 2})
    assert fires(plan, 3) == [True, True, False]
    assert plan.waiting() == []


def test_a_fault_waits_for_its_account_and_route() -> None:
    plan = FaultPlan()
    plan.add({"kind": "delay_ms", "route": ROUTE, "account": "ada", "delay_ms": 5})
    assert plan.take(ROUTE, "bob") is None
    assert plan.take(ROUTE, None) is None
    assert plan.take("/api/v1/media/1/info/", "ada") is None
    assert plan.take(ROUTE, "ada") is not None


def test_an_expiry_waits_for_somebody_who_is_signed_in() -> None:
    plan = FaultPlan()
    plan.add({"kind": "expire_session", "route": "*"})
    assert plan.take(ROUTE, None) is None
    assert plan.take(ROUTE, "ada") is not None


@pytest.mark.parametrize("kind", ANSWERS)
def test_faults_that_decide_the_answer_are_used_one_by_one_in_their_order(kind: str) -> None:
    plan = FaultPlan()
    ids = [plan.add({"kind": each, "route": "*"}).fault_id for each in (kind, *ANSWERS)]
    used = [hit.answer for _ in ids if (hit := plan.take(ROUTE, None))]
    assert [fault.fault_id for fault in used if fault] == ids


def test_modifiers_come_along_with_an_answer_and_their_delays_add_up() -> None:
    plan = FaultPlan()
    for kind, delay in (
        ("delay_ms", 30), ("drop_after_apply", 0), ("list_late", 700), ("delay_ms", 4),
        ("refuse_status", 0), ("expire_session", 0),
    ):  # fmt: skip
        plan.add({"kind": kind, "route": "*", "delay_ms": delay})
    hit = plan.take(ROUTE, "ada")
    assert hit
    assert hit.answer
    assert hit.answer.kind == "drop_after_apply"
    assert (hit.delay_of("delay_ms"), hit.delay_of("list_late")) == (34, 700)
    assert hit.has("expire_session")
    assert [fault.kind for fault in plan.waiting()] == ["refuse_status"]


def test_chance_is_the_faults_own_and_repeats_with_its_seed() -> None:
    def sequence(seed: int, beside: bool) -> list[bool]:
        plan = FaultPlan()
        plan.add({"kind": "refuse_status", "route": ROUTE, "probability": 0.5, "seed": seed,
                  "count": 1000})  # fmt: skip
        if beside:
            plan.add({"kind": "list_late", "route": "/elsewhere", "probability": 0.1, "count": 9})
        taken = []
        for _ in range(200):
            taken.append(plan.take(ROUTE, "ada") is not None)
            plan.take("/elsewhere", "ada")
        return taken

    assert sequence(7, beside=False) == sequence(7, beside=True)
    assert sequence(7, beside=False) != sequence(8, beside=False)
    assert 60 < sum(sequence(7, beside=False)) < 140


def test_a_fault_passed_over_is_not_used_up() -> None:
    plan = FaultPlan()
    plan.add({"kind": "drop_before_apply", "route": "*", "probability": 0})
    sure = plan.add({"kind": "drop_after_apply", "route": "*", "probability": 1})
    hit = plan.take(ROUTE, None)
    assert hit
    assert hit.faults == (sure,)
    assert [(fault.kind, fault.count) for fault in plan.waiting()] == [("drop_before_apply", 1)]


def test_without_a_seed_every_fault_has_its_own_chance() -> None:
    plan = FaultPlan()
    faults = [plan.add({"kind": "delay_ms", "route": "*"}) for _ in range(3)]
    assert len({fault.seed for fault in faults}) == 3


FAULTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(get_args(FaultKind)),
        "route": st.sampled_from(["*", "/a*", "/b"]),
        "account": st.sampled_from([None, "ada", "bob"]),
        "count": st.integers(1, 3),
        "probability": st.sampled_from([0, 0.5, 1]),
    }
)
REQUESTS = st.tuples(st.sampled_from(["/a", "/ab", "/b"]), st.sampled_from([None, "ada", "bob"]))


@given(st.lists(FAULTS, max_size=6), st.lists(REQUESTS, max_size=20))
def test_each_hit_is_one_use_and_has_one_answer_at_most(
    wanted: list[dict[str, Any]], requests: list[tuple[str, str | None]]
) -> None:
    plan = FaultPlan()
    for each in wanted:
        plan.add(each)
    for path, account in requests:
        before = {fault.fault_id: fault for fault in plan.waiting()}
        hit = plan.take(path, account)
        faults = hit.faults if hit else ()
        after = {fault.fault_id: fault.count for fault in plan.waiting()}
        assert sum(fault.decides_answer for fault in faults) <= 1
        assert all(fault.matches(path, account) and fault.probability for fault in faults)
        hits = {fault.fault_id for fault in faults}
        for fault_id, fault in before.items():
            assert after.get(fault_id, 0) == fault.count - (fault_id in hits)
            certain = fault.matches(path, account) and fault.probability == 1
            if certain and fault.kind in MODIFIERS:
                assert fault_id in hits
        answers = [fault.fault_id for fault in faults if fault.decides_answer]
        sure = [
            fault_id
            for fault_id, fault in before.items()
            if fault.decides_answer and fault.matches(path, account) and fault.probability == 1
        ]
        assert not sure or (answers and answers[0] <= min(sure))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"kind": "explode", "route": "*"},
        {"kind": "delay_ms"},
        {"kind": "delay_ms", "route": "*", "count": 0},
        {"kind": "delay_ms", "route": "*", "count": True},
        {"kind": "delay_ms", "route": "*", "delay_ms": -1},
        {"kind": "apply_late", "route": "*", "delay_ms": 0.5},
        {"kind": "list_late", "route": "*", "probability": 1.1},
        {"kind": "list_late", "route": "*", "probability": float("nan")},
        {"kind": "list_late", "route": "*", "probability": True},
        {"kind": "list_late", "route": "*", "seed": "lucky"},
        {"kind": "refuse_status", "route": "*", "status": 200},
        {"kind": "refuse_status", "route": 5},
        {"kind": "refuse_status", "route": "*", "when": "now"},
        {"kind": "refuse_status", "route": "*", "fault_id": 9},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wanted: dict[str, Any]) -> None:
    plan = FaultPlan()
    with pytest.raises(FaultError):
        plan.add(wanted)
    assert plan.waiting() == []
