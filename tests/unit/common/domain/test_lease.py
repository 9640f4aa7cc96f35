"""A lease: who has not heard from the other side in time does nothing more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.lease import ActingLease


def test_it_may_act_until_the_end_of_the_lease_less_its_margin() -> None:
    lease = ActingLease(30.0, 100.0, margin=5.0)
    assert lease.left(100.0) == 25.0
    assert lease.may_act(124.9)
    assert not lease.may_act(125.0)
    assert lease.left(125.0) == 0.0


def test_hearing_from_the_other_side_renews_it() -> None:
    lease = ActingLease(30.0, 0.0)
    assert lease.renew(29.0)
    assert lease.left(29.0) == 30.0


def test_an_answer_counts_from_when_its_question_was_sent() -> None:
    lease = ActingLease(30.0, 0.0)
    assert lease.renew(29.0, as_of=20.0)
    assert lease.left(29.0) == 21.0
    assert lease.renew(30.0, as_of=5.0)
    assert lease.left(30.0) == 20.0, "an older answer takes nothing away"


def test_what_lay_in_a_buffer_while_the_machine_slept_renews_nothing() -> None:
    lease = ActingLease(30.0, 0.0)
    assert not lease.renew(3600.0)
    assert not lease.may_act(3600.0)
    assert not lease.renew(3601.0, as_of=3601.0), "only a new handshake helps"


def test_it_can_be_given_up() -> None:
    lease = ActingLease(30.0, 0.0)
    lease.end()
    assert not lease.may_act(1.0)
    assert not lease.renew(1.0)


@pytest.mark.parametrize("margin", [-1.0, 30.0, 31.0])
def test_a_margin_that_leaves_nothing_of_the_lease_is_a_mistake(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        ActingLease(30.0, 0.0, margin=margin)


@given(st.lists(st.tuples(st.floats(0.0, 40.0), st.booleans()), max_size=20))
def test_it_never_acts_later_than_its_time_after_the_last_word(
    steps: list[tuple[float, bool]],
) -> None:
    now = heard = 0.0
    lease = ActingLease(30.0, now, margin=5.0)
    was_over = False
    for passed, hears in steps:
        now += passed
        if hears and lease.renew(now):
            heard = now
        if lease.may_act(now):
            assert now - heard < 25.0
            assert not was_over, "a lease that ran out came back"
        else:
            was_over = True
