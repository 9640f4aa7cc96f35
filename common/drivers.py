"""Which driver can do what, and which one an item gets. Pure.

The table says what this release's drivers do; a test holds it against the drivers themselves.
"""

from collections.abc import Collection
from dataclasses import dataclass

from common.domain.accounts import DriverName
from common.errors import OperationUnsupportedError
from common.operations import Operation

CAPABILITIES: dict[DriverName, frozenset[Operation]] = {
    DriverName.PRIVATE_API: frozenset(
        {
            Operation.SIGN_IN,
            Operation.VERIFY_SESSION,
            Operation.PUBLISH,
            Operation.FIND_PUBLISHED,
        }
    ),
    DriverName.BROWSER: frozenset(
        {
            Operation.SIGN_IN,
            Operation.VERIFY_SESSION,
            Operation.PUBLISH,
            Operation.FIND_PUBLISHED,
        }
    ),
}
"""Drivers of this release, in the order in which they are preferred."""

DRIVER_TITLES: dict[DriverName, str] = {
    DriverName.OFFICIAL: "Official API",
    DriverName.PRIVATE_API: "Private API",
    DriverName.BROWSER: "Browser",
}
"""What a driver is called on screen."""


@dataclass(frozen=True, slots=True)
class DriverChoice:
    """The driver of an item, and why it is this one."""

    driver: DriverName
    reason: str
    """One sentence, to show."""


def choose_driver(
    needed: Collection[Operation],
    *,
    task_preference: DriverName | None,
    account_preference: DriverName | None,
    at_agent: Collection[DriverName],
) -> DriverChoice:
    """Choose the driver of one item.

    A preference, of the task before that of the account, is kept or refused, never overruled.
    Raises OperationUnsupportedError where no driver at the agent can do what is needed.
    """
    wanted = task_preference or account_preference
    if wanted is not None:
        _require(wanted, needed, at_agent)
        whose = "task" if task_preference else "account"
        return DriverChoice(wanted, f"The {whose} asks for the driver {DRIVER_TITLES[wanted]}.")
    for driver, can in CAPABILITIES.items():
        if driver in at_agent and can.issuperset(needed):
            title = DRIVER_TITLES[driver]
            return DriverChoice(driver, f"{title} is the first driver that can do it.")
    raise OperationUnsupportedError("No driver at the agent can do what this task needs.")


def _require(
    driver: DriverName, needed: Collection[Operation], at_agent: Collection[DriverName]
) -> None:
    missing = set(needed) - CAPABILITIES.get(driver, frozenset())
    if missing:
        what = ", ".join(sorted(missing))
        raise OperationUnsupportedError(
            f"The driver {driver} cannot do: {what}.", advice="Choose another driver."
        )
    if driver not in at_agent:
        raise OperationUnsupportedError(
            f"The agent has no driver {driver}.",
            advice="Run `flotilla-agent doctor` on the worker machine to see what is missing.",
        )
