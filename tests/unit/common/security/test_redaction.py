import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.security.redaction import MASK, Redactor, plain_text

SECRET = 'pä$$"w/ö rd+1'


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}.",
        f"https://host/?p={quote(SECRET, safe='')}&x=1",
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
    ],
)
def test_a_secret_is_masked_in_the_forms_it_takes(text: str) -> None:
    cleaned = Redactor([SECRET]).clean(text)
    assert MASK in cleaned
    assert SECRET not in cleaned


@given(st.binary(max_size=7), st.text("abcdefgh0123456789+/", min_size=8), st.binary(max_size=7))
def test_a_secret_is_masked_inside_base64_at_every_alignment(
    before: bytes, secret: str, after: bytes
) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert MASK in Redactor([secret]).clean(encoded)


def test_short_and_empty_secrets_do_not_mangle_ordinary_text() -> None:
    assert Redactor(["", "a", "12345"]).clean("a 12345") == "a 12345"


def test_a_forgotten_secret_is_no_longer_searched_for() -> None:
    redactor = Redactor(["hunter2hunter2"])
    redactor.forget(["hunter2hunter2"])
    assert redactor.clean("hunter2hunter2") == "hunter2hunter2"


def test_control_and_direction_characters_are_taken_out_of_text() -> None:
    assert plain_text("a\x1b[31mb\u202ec\r\nd\te") == "a[31mbc\nd\te"
