from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.placement import place

ACCOUNTS = [f"account-{number}" for number in range(2000)]


def test_each_account_gets_one_agent_in_proportion_to_capacity() -> None:
    shares = Counter(place(account, {"small": 1.0, "large": 3.0}) for account in ACCOUNTS)
    assert shares.total() == len(ACCOUNTS)
    assert 0.7 < shares["large"] / len(ACCOUNTS) < 0.8


def test_a_new_agent_takes_only_its_own_share() -> None:
    before = {account: place(account, {"a": 1, "b": 1}) for account in ACCOUNTS}
    after = {account: place(account, {"a": 1, "b": 1, "c": 1}) for account in ACCOUNTS}
    assert {after[account] for account in ACCOUNTS if after[account] != before[account]} == {"c"}


@given(
    st.text(min_size=1),
    st.dictionaries(st.text(min_size=1), st.floats(0.1, 100), min_size=1, max_size=8),
)
def test_the_answer_never_depends_on_the_order_of_the_agents(
    account: str, capacities: dict[str, float]
) -> None:
    turned = dict(reversed(list(capacities.items())))
    assert place(account, capacities) == place(account, turned)


@pytest.mark.parametrize("capacities", [{}, {"full": 0.0}])
def test_without_capacity_there_is_no_answer(capacities: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no agent"):
        place("account", capacities)
