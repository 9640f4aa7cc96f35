import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ProtocolVersionError
from common.protocol.events import ItemChanged, UnknownEvent, parse_event
from common.protocol.messages import (
    Acknowledge,
    Hello,
    UnknownMessage,
    agree_version,
    decode,
    encode,
)


def hello(minimum: int, maximum: int, app: str = "0.1.0") -> Hello:
    return Hello(proto_minimum=minimum, proto_maximum=maximum, app=app, clock=0)


def test_a_message_reads_back_as_it_was_written() -> None:
    message = Acknowledge(epoch="e", seq=7)
    assert decode(encode(message)) == message


def test_fields_of_a_newer_release_are_passed_over() -> None:
    text = '{"t":"acknowledge","epoch":"e","seq":7,"colour":"blue"}'
    assert decode(text) == Acknowledge(epoch="e", seq=7)


def test_a_message_of_a_newer_release_is_known_as_unknown_with_its_id() -> None:
    found = decode('{"t":"sing","id":"42","song":"secret"}')
    assert isinstance(found, UnknownMessage)
    assert (found.t, found.id) == ("sing", "42")
    assert "secret" not in found.problem


def test_a_wrong_field_is_named_and_its_value_kept_out() -> None:
    found = decode('{"t":"acknowledge","epoch":"e","seq":"hunter2"}')
    assert isinstance(found, UnknownMessage)
    assert "seq" in found.problem
    assert "hunter2" not in found.problem


@pytest.mark.parametrize("text", ["", "[]", "7", "{", '"hello"', "[" * 200_000])
def test_what_is_not_a_json_object_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_else_than_read_or_be_refused(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return


def test_the_highest_common_version_is_agreed_on() -> None:
    assert agree_version(hello(1, 3), hello(2, 5)) == 3


def test_without_a_common_version_the_older_side_is_named() -> None:
    with pytest.raises(ProtocolVersionError, match="Older is this side") as refused:
        agree_version(hello(1, 1), hello(2, 3, app="9.0"))
    assert "release 9.0" in refused.value.message
    assert "Update the older side" in refused.value.advice


def test_an_event_of_a_newer_release_is_kept_raw() -> None:
    body = {"kind": "volcano_erupted", "height": 3}
    assert parse_event(body) == UnknownEvent(kind="volcano_erupted", body=body)
    known = {"kind": "item_changed", "item_id": "i", "attempt": 1, "state": "done"}
    assert isinstance(parse_event(known), ItemChanged)
