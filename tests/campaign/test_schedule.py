"""The schedule: the same for the same seed, complete, and inside what the platform promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.campaign.inside.failpoints import POINTS
from tests.campaign.plan import Plan, full, short, sized
from tests.campaign.schedule import KILLS_AND_CUTS, LATE_MS_MOST, Fault, Ground, Kind, draw

GROUND = Ground(agents=2, lines=4, has_browser=True, may_fill_disks=True)


@pytest.mark.parametrize("make", [short, full])
def test_a_seed_repeats_its_schedule_and_another_has_another(make: Callable[[int], Plan]) -> None:
    assert draw(make(7), GROUND) == draw(make(7), GROUND)
    assert draw(make(7), GROUND) != draw(make(8), GROUND)


def test_every_failpoint_is_armed_and_enough_kills_and_cuts_are_drawn() -> None:
    for seed in range(20):
        plan = short(seed)
        faults = draw(plan, GROUND)
        assert {fault.detail for fault in faults if fault.kind is Kind.FAILPOINT} >= {
            point.name for point in POINTS
        }
        deadly = sum(fault.kind in KILLS_AND_CUTS for fault in faults)
        assert deadly > plan.kills_and_cuts
        assert [fault.number for fault in faults] == list(range(1, len(faults) + 1))


def test_where_there_is_no_browser_or_no_disk_neither_is_broken() -> None:
    bare = Ground(agents=2, lines=4, has_browser=False, may_fill_disks=False)
    faults = draw(full(3), bare)
    assert not any("browser" in fault.detail for fault in faults)
    assert not any(fault.kind is Kind.DISK_FULL for fault in faults)


def test_every_way_of_going_wrong_has_its_turn_and_a_target_that_exists() -> None:
    faults = draw(replace(full(5), journal_losses=3), GROUND)
    assert {fault.kind for fault in faults} == set(Kind)
    assert sum(fault.kind is Kind.JOURNAL_LOST for fault in faults) == 3
    targets = {"core", "platform", *(f"{what}-{n}" for what in _numbered() for n in range(2))}
    targets |= {f"line-{number}" for number in range(4)}
    assert {fault.target for fault in faults} <= targets
    assert max(Counter(fault.kind for fault in faults).values()) < len(faults) / 2


def test_what_the_platform_does_late_stays_far_inside_its_bound() -> None:
    for fault in draw(full(11), GROUND):
        if fault.kind is Kind.PLATFORM:
            assert fault.amount * len(fault.detail.split("+")) <= 2 * LATE_MS_MOST
        if _suspends_platform(fault):
            assert fault.seconds < 0.5


def test_a_smaller_campaign_has_fewer_faults_and_all_its_parts() -> None:
    plan = sized(full(1), publishes=1_000, minutes=5.0)
    assert plan.publishes == 1_000
    assert 250 <= plan.faults <= 350
    assert plan.minutes == 5.0
    assert sized(full(1), None, None) == full(1)


def _numbered() -> tuple[str, ...]:
    return ("agent", "runner", "link")


def _suspends_platform(fault: Fault) -> bool:
    return fault.kind is Kind.SUSPEND and fault.target == "platform"
