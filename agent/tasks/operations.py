"""Asking a driver for an operation."""

from typing import NoReturn

from common.errors import OperationUnsupportedError
from common.operations import (
    FindsPublished,
    Operation,
    Publishes,
    Settlement,
    SignsIn,
    TellsWhosePost,
    VerifiesSession,
)


def signs_in(driver: object) -> SignsIn:
    """Return `driver` as one that signs in; raises OperationUnsupportedError."""
    return driver if isinstance(driver, SignsIn) else _unsupported(driver, Operation.SIGN_IN)


def verifies_session(driver: object) -> VerifiesSession:
    """Return `driver` as one that verifies sessions; raises OperationUnsupportedError."""
    if isinstance(driver, VerifiesSession):
        return driver
    return _unsupported(driver, Operation.VERIFY_SESSION)


def publishes(driver: object) -> Publishes:
    """Return `driver` as one that publishes; raises OperationUnsupportedError."""
    return driver if isinstance(driver, Publishes) else _unsupported(driver, Operation.PUBLISH)


def finds_published(driver: object) -> FindsPublished | None:
    """Return `driver` as one that lists what was published; None where it cannot."""
    return driver if isinstance(driver, FindsPublished) else None


def tells_whose_post(driver: object) -> TellsWhosePost | None:
    """Return `driver` as one that says whose a post is; None where it cannot."""
    return driver if isinstance(driver, TellsWhosePost) else None


def settlement_of(driver: object, operation: Operation) -> Settlement:
    """Return how `driver` settles a doubt about `operation`: not at all, unless it says so."""
    settlements: dict[Operation, Settlement] = getattr(driver, "settlements", {})
    return settlements.get(operation, Settlement.NONE)


def _unsupported(driver: object, operation: Operation) -> NoReturn:
    name = getattr(driver, "name", type(driver).__name__)
    raise OperationUnsupportedError(
        f"The driver {name} cannot do what this task needs ({operation}).",
        advice="Choose another driver for this account.",
    )
