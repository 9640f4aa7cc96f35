import pytest

from common.domain.accounts import DriverName
from common.drivers import choose_driver
from common.errors import OperationUnsupportedError
from common.operations import Operation

BOTH = [DriverName.BROWSER, DriverName.PRIVATE_API]


def test_the_first_driver_that_can_do_it_is_chosen_and_says_so() -> None:
    choice = choose_driver(
        [Operation.PUBLISH], task_preference=None, account_preference=None, at_agent=BOTH
    )
    assert choice.driver is DriverName.PRIVATE_API
    assert "first driver" in choice.reason


def test_the_tasks_wish_goes_before_the_accounts() -> None:
    choice = choose_driver(
        [Operation.PUBLISH],
        task_preference=DriverName.BROWSER,
        account_preference=DriverName.PRIVATE_API,
        at_agent=BOTH,
    )
    assert choice.driver is DriverName.BROWSER


def test_a_wish_is_refused_rather_than_overruled() -> None:
    with pytest.raises(OperationUnsupportedError, match="has no driver browser") as refused:
        choose_driver(
            [Operation.PUBLISH],
            task_preference=None,
            account_preference=DriverName.BROWSER,
            at_agent=[DriverName.PRIVATE_API],
        )
    assert "doctor" in refused.value.advice


def test_a_driver_that_this_release_lacks_is_refused_by_what_it_cannot_do() -> None:
    with pytest.raises(OperationUnsupportedError, match="official cannot do: publish"):
        choose_driver(
            [Operation.PUBLISH],
            task_preference=DriverName.OFFICIAL,
            account_preference=None,
            at_agent=BOTH,
        )


def test_an_agent_without_drivers_can_do_nothing() -> None:
    with pytest.raises(OperationUnsupportedError, match="No driver at the agent"):
        choose_driver(
            [Operation.SIGN_IN], task_preference=None, account_preference=None, at_agent=[]
        )
