"""Faults: what should go wrong, for whom, on which route and how often.

Deciding is here; doing it to a connection is the pipeline's part.

A fault either decides the *answer* or *modifies* what happens before the route runs:

======================  ==========================================================================
``refuse_status``       answer: ``status`` with ``body``; nothing is applied
``drop_before_apply``   answer: the connection is cut; nothing is applied
``drop_after_apply``    answer: the route runs whole, then the connection is cut
``status_after_apply``  answer: the route runs whole, its answer is thrown away, and ``status``
                        with ``body`` is sent instead
``apply_late``          answer: the connection is cut as soon as the request has arrived whole; the
                        route runs ``delay_ms`` later all the same, unless the platform stops first
``delay_ms``            modifier: the request arrives whole, then ``delay_ms`` pass before anything
                        else is done; a sender that has gone by then changes nothing
``list_late``           modifier: the post that this request publishes stays out of every listing
                        and single-post read until ``delay_ms`` after its publishing
``expire_session``      modifier: the sender's session is closed first, so that the route answers
                        as it answers a closed session; waits for a request that has one
======================  ==========================================================================

Every fault that matches a request hits it: any number of modifiers, and of those that decide the
answer the one that was set first. Delays of one kind add up. A fault that was passed over, because
another one decides the answer or because its ``probability`` said no, isn't used up.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, get_args

from practice.values import FaultKind

_MODIFIERS: frozenset[FaultKind] = frozenset({"delay_ms", "list_late", "expire_session"})


class FaultError(ValueError):
    """A fault can't be set as asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong for the next ``count`` requests that match."""

    fault_id: int
    kind: FaultKind
    route: str
    """Pattern over the path, with ``*`` and ``?``."""
    seed: int
    """Start of the fault's own random numbers; by default its ``fault_id``."""
    account: str | None = None
    """User name of the signed-in account that is hit; None hits everyone."""
    count: int = 1
    """How many more requests are hit."""
    probability: float = 1.0
    """Share of the matching requests that are hit, 0 to 1."""
    delay_ms: int = 0
    """Milliseconds, for the kinds that wait."""
    status: int = 503
    """HTTP status, for the kinds that answer with one."""
    body: Any = None
    """JSON value that goes with ``status``; text is sent as it is."""

    @property
    def decides_answer(self) -> bool:
        """Whether this fault settles what the client is told."""
        return self.kind not in _MODIFIERS

    def matches(self, path: str, account: str | None) -> bool:
        """Whether a request is one that this fault is waiting for."""
        if self.account not in (None, account) or (
            account is None and self.kind == "expire_session"
        ):
            return False
        return fnmatchcase(path, self.route)


@dataclass(frozen=True, slots=True)
class Hit:
    """The faults that hit one request, in the order they were set."""

    faults: tuple[Fault, ...]

    @property
    def answer(self) -> Fault | None:
        """The fault that decides the answer, if any does."""
        return next((fault for fault in self.faults if fault.decides_answer), None)

    def has(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is among them."""
        return any(fault.kind == kind for fault in self.faults)

    def delay_of(self, kind: FaultKind) -> int:
        """Milliseconds that the faults of one kind ask for together."""
        return sum(fault.delay_ms for fault in self.faults if fault.kind == kind)


class FaultPlan:
    """The faults that are set, first come first served."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._armed: list[_Armed] = []

    def add(self, wanted: Mapping[str, Any]) -> Fault:
        """Set a fault from its JSON form.

        Raises:
            FaultError: when a field is missing, unknown or of the wrong kind.
        """
        fault = _fault_from(wanted, next(self._ids))
        self._armed.append(_Armed(fault))
        return fault

    def take(self, path: str, account: str | None) -> Hit | None:
        """The faults that hit this request; they count as used."""
        taken: list[_Armed] = []
        answered = False
        for armed in self._armed:
            fault = armed.fault
            if (answered and fault.decides_answer) or not fault.matches(path, account):
                continue
            if armed.fires():
                answered = answered or fault.decides_answer
                taken.append(armed)
        if not taken:
            return None
        hit = Hit(tuple(armed.fault for armed in taken))
        for armed in taken:
            armed.fault = replace(armed.fault, count=armed.fault.count - 1)
        self._armed = [armed for armed in self._armed if armed.fault.count]
        return hit

    def waiting(self) -> list[Fault]:
        """Every fault that hasn't been used up."""
        return [armed.fault for armed in self._armed]

    def clear(self) -> None:
        """Take back every fault."""
        self._armed.clear()


class _Armed:
    """A fault that is set, with its own random numbers."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._random = random.Random(fault.seed)

    def fires(self) -> bool:
        """Whether it hits this time."""
        return self._random.random() < self.fault.probability


_FIELDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "kind": (str, "text"),
    "route": (str, "text"),
    "account": (str, "text"),
    "count": (int, "a whole number"),
    "probability": ((int, float), "a number"),
    "seed": (int, "a whole number"),
    "delay_ms": (int, "a whole number"),
    "status": (int, "a whole number"),
    "body": (object, "JSON"),
}


def _fault_from(wanted: Mapping[str, Any], fault_id: int) -> Fault:
    values = {name: value for name, value in wanted.items() if value is not None}
    for name, value in values.items():
        if name not in _FIELDS:
            raise FaultError(f"A fault has no field {name!r}; it has {', '.join(_FIELDS)}.")
        kind, words = _FIELDS[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not object):
            raise FaultError(f"The fault's {name} has to be {words}.")
    if values.get("kind") not in get_args(FaultKind):
        raise FaultError(f"The fault's kind has to be one of {', '.join(get_args(FaultKind))}.")
    if "route" not in values:
        raise FaultError("The fault needs a route, such as /api/v1/media/configure*.")
    if values.get("count", 1) < 1 or values.get("delay_ms", 0) < 0:
        raise FaultError("The fault's count has to be at least 1 and its delay_ms at least 0.")
    if not 0 <= values.get("probability", 1) <= 1:
        raise FaultError("The fault's probability has to be between 0 and 1.")
    if not 400 <= values.get("status", 503) <= 599:
        raise FaultError("The fault's status has to be between 400 and 599.")
    return Fault(**{"fault_id": fault_id, "seed": fault_id, **values})
