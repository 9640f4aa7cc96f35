"""What the planner believes of the drivers is what they are."""

import inspect

from agent.drivers.browser.driver import BrowserDriver
from agent.drivers.private_api.driver import PrivateApiDriver
from common.domain.accounts import DriverName
from common.drivers import CAPABILITIES
from common.operations import FindsPublished, Operation, Publishes, SignsIn, VerifiesSession

DRIVERS = {driver.name: driver for driver in (PrivateApiDriver, BrowserDriver)}
PROTOCOLS: dict[Operation, type] = {
    Operation.SIGN_IN: SignsIn,
    Operation.VERIFY_SESSION: VerifiesSession,
    Operation.PUBLISH: Publishes,
    Operation.FIND_PUBLISHED: FindsPublished,
}


def operations_of(driver: type) -> frozenset[Operation]:
    return frozenset(
        operation for operation, protocol in PROTOCOLS.items() if issubclass(driver, protocol)
    )


def test_every_operation_has_a_protocol() -> None:
    assert set(PROTOCOLS) == set(Operation)
    assert all(inspect.isclass(protocol) for protocol in PROTOCOLS.values())


def test_every_driver_does_what_it_is_listed_with() -> None:
    found: dict[DriverName, frozenset[Operation]] = {
        name: operations_of(driver) for name, driver in DRIVERS.items()
    }
    assert found == CAPABILITIES


def test_every_driver_says_how_its_effects_are_settled() -> None:
    for driver in DRIVERS.values():
        assert set(driver.settlements) == {Operation.PUBLISH}
