"""Faults: what should go wrong, for whom, on which route and how often.

Deciding is here; doing it to a connection is the pipeline's part.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

FaultKind = Literal["refuse_status", "drop_before_apply", "drop_after_apply", "delay_ms"]


class FaultError(ValueError):
    """A fault can't be set as asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong for the next ``count`` requests that match."""

    fault_id: int
    kind: FaultKind
    route: str
    """Pattern over the path, with ``*`` and ``?``."""
    account: str | None = None
    """User name of the signed-in account that is hit; None hits everyone."""
    count: int = 1
    """How many more requests are hit."""
    delay_ms: int = 0
    """Milliseconds that ``delay_ms`` waits before the request is applied."""
    status: int = 503
    """HTTP status that ``refuse_status`` answers; nothing is applied."""
    body: Any = None
    """JSON value that ``refuse_status`` answers; text is sent as it is."""

    def hits(self, path: str, account: str | None) -> bool:
        """Whether a request is one that this fault is waiting for."""
        return fnmatchcase(path, self.route) and self.account in (None, account)


class FaultPlan:
    """The faults that are set, first come first served."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, wanted: Mapping[str, Any]) -> Fault:
        """Set a fault from its JSON form.

        Raises:
            FaultError: when a field is missing, unknown or of the wrong kind.
        """
        fault = _fault_from(wanted, next(self._ids))
        self._faults.append(fault)
        return fault

    def take(self, path: str, account: str | None) -> Fault | None:
        """The fault that hits this request; it counts as used."""
        for place, fault in enumerate(self._faults):
            if fault.hits(path, account):
                if fault.count <= 1:
                    del self._faults[place]
                else:
                    self._faults[place] = replace(fault, count=fault.count - 1)
                return fault
        return None

    def waiting(self) -> list[Fault]:
        """Every fault that hasn't been used up."""
        return list(self._faults)

    def clear(self) -> None:
        """Take back every fault."""
        self._faults.clear()


_FIELDS: dict[str, type] = {
    "kind": str,
    "route": str,
    "account": str,
    "count": int,
    "delay_ms": int,
    "status": int,
    "body": object,
}


def _fault_from(wanted: Mapping[str, Any], fault_id: int) -> Fault:
    values = {name: value for name, value in wanted.items() if value is not None}
    for name, value in values.items():
        if name not in _FIELDS:
            raise FaultError(f"A fault has no field {name!r}; it has {', '.join(_FIELDS)}.")
        if not isinstance(value, _FIELDS[name]) or isinstance(value, bool):
            raise FaultError(f"The fault's {name} has to be {_FIELDS[name].__name__}.")
    if values.get("kind") not in get_args(FaultKind):
        raise FaultError(f"The fault's kind has to be one of {', '.join(get_args(FaultKind))}.")
    if "route" not in values:
        raise FaultError("The fault needs a route, such as /api/v1/media/configure*.")
    if values.get("count", 1) < 1 or values.get("delay_ms", 0) < 0:
        raise FaultError("The fault's count has to be at least 1 and its delay_ms at least 0.")
    if not 400 <= values.get("status", 503) <= 599:
        raise FaultError("The fault's status has to be between 400 and 599.")
    return Fault(fault_id=fault_id, **values)
