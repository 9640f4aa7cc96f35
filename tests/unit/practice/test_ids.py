"""Post numbers and page codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instagrapi.utils import InstagramIdCodec

from practice.ids import PostNumbers, shortcode


@given(pk=st.integers(0, 2**63 - 1))
def test_a_page_code_is_the_one_that_clients_compute(pk: int) -> None:
    assert shortcode(pk) == InstagramIdCodec.encode(pk)
    assert InstagramIdCodec.decode(shortcode(pk)) == pk


def test_a_negative_number_has_no_code() -> None:
    with pytest.raises(ValueError, match="negative"):
        shortcode(-1)


@given(moments=st.lists(st.floats(0, 4e9), min_size=2, max_size=50))
def test_numbers_rise_whatever_the_clock_does(moments: list[float]) -> None:
    numbers = PostNumbers()
    given_out = [numbers.next(moment) for moment in moments]
    assert given_out == sorted(set(given_out))


def test_numbers_of_an_earlier_life_are_not_given_out_again() -> None:
    first = PostNumbers()
    last = first.next(2_000_000_000)
    second = PostNumbers()
    second.seen(last)
    assert second.next(1_000_000_000) > last
