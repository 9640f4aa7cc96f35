"""One-time codes, by the test vectors of RFC 6238."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.totp import SeedError, accepts, code_at, decode_seed

SEED = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    assert code_at(SEED, moment) == code


@given(moment=st.integers(60, 4_000_000_000), drift=st.integers(-30, 30))
def test_a_clock_half_a_minute_off_is_forgiven(moment: int, drift: int) -> None:
    assert accepts(SEED, code_at(SEED, moment + drift), moment)


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_codes_of_other_minutes_are_refused(steps: int) -> None:
    moment = 1_700_000_000
    assert not accepts(SEED, code_at(SEED, moment + 30 * steps), moment)


@pytest.mark.parametrize("code", ["", "28708", "0287082", "28708a", "２８７０８２"])
def test_texts_that_are_no_code_are_refused(code: str) -> None:
    assert not accepts(SEED, code, 59)


def test_blanks_case_and_padding_of_a_seed_are_forgiven() -> None:
    assert decode_seed("jbsw y3dp ehpk 3pxp") == decode_seed("JBSWY3DPEHPK3PXP")
    assert decode_seed("JBSWY3DPEHPK3PXPJA") == decode_seed("JBSWY3DPEHPK3PXPJA======")


@pytest.mark.parametrize("seed", ["", "   ", "not base32!", "01890189"])
def test_a_seed_that_is_no_base32_is_named_as_such(seed: str) -> None:
    with pytest.raises(SeedError):
        decode_seed(seed)
