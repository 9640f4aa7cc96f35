"""What goes wrong, in which order: a pure function of the seed.

The order, the targets and the figures are the same for the same seed. At which moment of the work
a fault falls is the machine's doing, and differs from run to run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.campaign.inside.failpoints import POINTS
from tests.campaign.plan import Plan


class Kind(StrEnum):
    """A way in which things go wrong."""

    KILL = "kill"
    """SIGKILL, without a warning."""
    FAILPOINT = "failpoint"
    """A process kills itself at a named point."""
    SUSPEND = "suspend"
    """SIGSTOP, and SIGCONT later."""
    CUT = "cut"
    RESET = "reset"
    CUT_AFTER = "cut_after"
    """Cut once so many more bytes have passed."""
    STALL = "stall"
    """Half-open: connections stay, bytes do not pass."""
    SLOW = "slow"
    """Latency and a narrow line."""
    PLATFORM = "platform"
    """The platform itself misbehaves, as its own faults say."""
    DISK_FULL = "disk_full"
    CLOCK = "clock"
    """The wall clock of a machine jumps."""
    JOURNAL_LOST = "journal_lost"
    """An agent dies, and when it is back nobody can read its journal."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    number: int
    kind: Kind
    target: str
    """A machine (`agent-0`, `core`, `platform`), a runner (`runner-0`), a line between desktop and
    agent (`link-0`), or one between agents and platform (`line-0`)."""
    detail: str = ""
    """The failpoint, or the platform's name of the fault."""
    amount: float = 0.0
    """Bytes, the nth time, milliseconds, an HTTP status, or seconds of a jump."""
    seconds: float = 0.0
    """How long it lasts."""
    pause: float = 0.0
    """Seconds to wait once it is due, so that it falls anywhere."""


@dataclass(frozen=True)
class Ground:
    """What there is to break."""

    agents: int
    lines: int
    has_browser: bool
    may_fill_disks: bool


LATE_MS_MOST = 250.0
"""How late the platform may be by one fault. A request that a slow line delays, that is applied
late and whose post is listed late must together stay inside the platform's visibility bound, one
second: what lies beyond is no promise, and a case of its own."""
_PLATFORM_PAUSE = 0.3
"""Seconds, for the same reason."""
_PLATFORM_FAULTS: dict[str, float] = {
    "drop_before_apply": 3,
    "drop_after_apply": 4,
    "status_after_apply": 3,
    "apply_late": 3,
    "list_late": 1,
    "list_late+drop_after_apply": 3,
    "list_late+status_after_apply": 1,
    "list_late+apply_late": 2,
    "refuse_status": 2,
    "expire_session": 1,
}
"""The platform's names of its faults, several of them for one request, with their weights."""
_WEIGHTS: dict[tuple[Kind, str], float] = {
    (Kind.KILL, "agent"): 7,
    (Kind.KILL, "runner"): 10,
    (Kind.KILL, "core"): 4,
    (Kind.KILL, "platform"): 2,
    (Kind.SUSPEND, "agent"): 2,
    (Kind.SUSPEND, "runner"): 2,
    (Kind.SUSPEND, "core"): 2,
    (Kind.SUSPEND, "platform"): 1,
    (Kind.CUT, "link"): 5,
    (Kind.RESET, "link"): 4,
    (Kind.CUT_AFTER, "link"): 6,
    (Kind.STALL, "link"): 2,
    (Kind.SLOW, "link"): 2,
    (Kind.CUT, "line"): 6,
    (Kind.RESET, "line"): 6,
    (Kind.CUT_AFTER, "line"): 6,
    (Kind.STALL, "line"): 2,
    (Kind.SLOW, "line"): 2,
    (Kind.PLATFORM, "platform"): 22,
    (Kind.DISK_FULL, "agent"): 2,
    (Kind.DISK_FULL, "core"): 1,
    (Kind.CLOCK, "agent"): 2,
    (Kind.CLOCK, "core"): 1,
}
_JUMPS = (-86_400.0, -3_600.0, 3_600.0, 86_400.0)
KILLS_AND_CUTS = frozenset({Kind.KILL, Kind.FAILPOINT, Kind.CUT, Kind.RESET, Kind.CUT_AFTER})
_FOR_DUDS = 1.15
"""Kills and cuts drawn for each that has to come about: some find nothing to break."""
_DEADLY_MOST = 0.9
_SELDOM = ("blob_fsync", "blob_rename", "commit_claim")
"""Points that are passed once for a file or a run: death comes the first time."""


def draw(plan: Plan, ground: Ground) -> list[Fault]:
    """Return the faults of a plan in their order, with as many again in reserve.

    Some will find nothing to break; the next ones take their place. Each failpoint is armed once
    in the first half, and so is every loss of a journal.
    """
    chance = random.Random(plan.seed)
    drawn = [*_each_failpoint_once(ground, chance), *_losses(plan, ground, chance)]
    drawn += _others(plan, ground, chance)
    first, reserve = drawn[: plan.faults], drawn[plan.faults :]
    chance.shuffle(first)
    faults = [*first, *reserve]
    return [
        Fault(
            number=number,
            kind=fault.kind,
            target=fault.target,
            detail=fault.detail,
            amount=fault.amount,
            seconds=fault.seconds,
            pause=round(chance.uniform(0.0, 0.25), 3),
        )
        for number, fault in enumerate(faults, start=1)
    ]


def _points(ground: Ground) -> list[str]:
    return [point.name for point in POINTS if ground.has_browser or not point.needs_browser]


def _each_failpoint_once(ground: Ground, chance: random.Random) -> Iterator[Fault]:
    for name in _points(ground):
        yield _failpoint(name, ground, chance)


def _losses(plan: Plan, ground: Ground, chance: random.Random) -> Iterator[Fault]:
    for _ in range(plan.journal_losses):
        agent = f"agent-{chance.randrange(ground.agents)}"
        yield Fault(number=0, kind=Kind.JOURNAL_LOST, target=agent)


def _failpoint(name: str, ground: Ground, chance: random.Random) -> Fault:
    process = name.partition(".")[0]
    target = process if process == "core" else f"agent-{chance.randrange(ground.agents)}"
    nth = chance.choice((1, 1, 2, 3, 5))
    if name.endswith(_SELDOM):
        nth = 1
    return Fault(number=0, kind=Kind.FAILPOINT, target=target, detail=name, amount=nth)


def _others(plan: Plan, ground: Ground, chance: random.Random) -> Iterator[Fault]:
    weights = {
        choice: weight
        for choice, weight in _WEIGHTS.items()
        if ground.may_fill_disks or choice[0] is not Kind.DISK_FULL
    }
    # A long campaign dies at each point again and again.
    weights[(Kind.FAILPOINT, "")] = 8
    deadly, mild = (
        {each: weights[each] for each in weights if (each[0] in KILLS_AND_CUTS) is is_deadly}
        for is_deadly in (True, False)
    )
    share = min(_DEADLY_MOST, _FOR_DUDS * plan.kills_and_cuts / plan.faults)
    for _ in range(2 * plan.faults):
        drawn = deadly if chance.random() < share else mild
        kind, what = chance.choices(list(drawn), list(drawn.values()))[0]
        if kind is Kind.FAILPOINT:
            yield _failpoint(chance.choice(_points(ground)), ground, chance)
        else:
            yield _fault(kind, what, ground, chance)


def _fault(kind: Kind, what: str, ground: Ground, chance: random.Random) -> Fault:
    count = {"agent": ground.agents, "runner": ground.agents, "link": ground.agents}
    count["line"] = ground.lines
    target = f"{what}-{chance.randrange(count[what])}" if what in count else what
    detail, amount, seconds = "", 0.0, 0.0
    if kind is Kind.SUSPEND:
        seconds = chance.uniform(0.2, _PLATFORM_PAUSE if what == "platform" else 4.0)
    elif kind is Kind.STALL:
        seconds = chance.uniform(0.5, 6.0)
    elif kind is Kind.SLOW:
        rates = (64.0,) if what == "line" else (16.0, 64.0)
        seconds, amount = chance.uniform(1.0, 5.0), chance.choice(rates) * 1024
    elif kind is Kind.CUT_AFTER:
        amount = float(chance.randrange(200, 12_000))
    elif kind is Kind.DISK_FULL:
        seconds = chance.uniform(0.5, 2.5)
    elif kind is Kind.CLOCK:
        seconds, amount = chance.uniform(0.5, 4.0), chance.choice(_JUMPS)
    elif kind is Kind.PLATFORM:
        detail = chance.choices(list(_PLATFORM_FAULTS), list(_PLATFORM_FAULTS.values()))[0]
        amount = chance.choice((80.0, 160.0, LATE_MS_MOST))
    return Fault(
        number=0,
        kind=kind,
        target=target,
        detail=detail,
        amount=round(amount, 1),
        seconds=round(seconds, 2),
    )
