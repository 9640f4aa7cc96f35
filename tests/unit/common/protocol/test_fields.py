import json

import pytest

from common.errors import WireError
from common.protocol.events import (
    ActionChanged,
    ItemChanged,
    UnknownEvent,
    parse_event,
    parse_events,
)
from common.protocol.messages import Events, Heartbeat, Progress, Refused, UnknownMessage, decode

MISLEADING = "a\x1b[2J\u202eb\u2066c\u200b\x00\x9f"


def progress(**fields: object) -> str:
    known = {"t": "progress", "item_id": "i", "attempt": 1, "step": "Uploading"}
    return json.dumps(known | fields)


@pytest.mark.parametrize("number", ["-1", "9007199254740993", str(2**63), str(2**64), "1e999"])
def test_a_number_that_no_store_holds_is_not_read(number: str) -> None:
    text = progress().replace("}", f', "log_end": {number}}}')
    assert isinstance(decode(text), UnknownMessage)


@pytest.mark.parametrize("clock", ["NaN", "Infinity", "-1", "1e300"])
def test_a_clock_that_shows_no_moment_is_not_read(clock: str) -> None:
    assert isinstance(decode(f'{{"t":"heartbeat","clock":{clock}}}'), UnknownMessage)
    assert isinstance(decode('{"t":"heartbeat","clock":1763900000.5}'), Heartbeat)


@pytest.mark.parametrize(("said", "shown"), [(0.5, 0.5), (-3, 0.0), (7, 1.0), (1e308, 1.0)])
def test_how_far_an_item_is_stays_between_nothing_and_all(said: float, shown: float) -> None:
    found = decode(progress(fraction=said))
    assert isinstance(found, Progress)
    assert found.fraction == shown


def test_texts_for_a_person_hold_nothing_that_misleads_one() -> None:
    found = decode(progress(step=MISLEADING))
    assert isinstance(found, Progress)
    assert found.step == "a[2Jbc"
    assert WireError(code="link", message=MISLEADING).message == "a[2Jbc"
    event = parse_event(
        {
            "kind": "item_changed",
            "item_id": "i",
            "attempt": 1,
            "state": "done",
            "result": {MISLEADING: [MISLEADING, {"x": MISLEADING}]},
        }
    )
    assert isinstance(event, ItemChanged)
    assert event.result == {"a[2Jbc": ["a[2Jbc", {"x": "a[2Jbc"}]}


def test_texts_are_cut_to_what_a_screen_can_take() -> None:
    found = decode(progress(step="é" * 20_000))
    assert isinstance(found, Progress)
    assert len(found.step) == 4096


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("https://example.com/p/x/", "https://example.com/p/x/"),
        ("http://127.0.0.1:8090/p/x/", "http://127.0.0.1:8090/p/x/"),
        ("file:///etc/passwd", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_only_an_address_of_a_page_may_be_opened(said: str, kept: str) -> None:
    event = parse_event(
        {
            "kind": "action_changed",
            "action_id": "a",
            "item_id": "i",
            "attempt": 1,
            "account_id": "c",
            "operation": "publish",
            "state": "confirmed",
            "driver": "private_api",
            "remote_url": said,
        }
    )
    assert isinstance(event, ActionChanged)
    assert event.remote_url == kept


@pytest.mark.parametrize("number", [str(2**70), "1" * 400])
def test_an_event_that_cannot_be_written_down_again_is_not_taken(number: str) -> None:
    text = f'{{"t":"events","epoch":"e","rows":[{{"seq":1,"at":1,"body":{{"x":{number}}}}}]}}'
    assert isinstance(decode(text), UnknownMessage)


def test_an_event_comes_without_the_character_that_no_postgres_stores() -> None:
    zero = "\\u0000"
    body = f'{{"a{zero}b":["c{zero}",{{"d":"{zero}e"}},7],"f":"\\\\u0000"}}'
    found = decode(f'{{"t":"events","epoch":"e","rows":[{{"seq":1,"at":1,"body":{body}}}]}}')
    assert isinstance(found, Events)
    assert found.rows[0].body == {"ab": ["c", {"d": "e"}, 7], "f": "\\u0000"}


def test_an_unknown_event_leaves_those_beside_it_known() -> None:
    known = {"kind": "item_changed", "item_id": "i", "attempt": 1, "state": "done"}
    new = {"kind": "volcano_erupted"}
    assert parse_events([known, new, known]) == [
        parse_event(known),
        UnknownEvent(kind="volcano_erupted", body=new),
        parse_event(known),
    ]


def test_a_result_that_is_no_number_leaves_the_event_unknown() -> None:
    text = (
        '{"t":"events","epoch":"e","rows":[{"seq":1,"at":1,"body":{"kind":"item_changed",'
        '"item_id":"i","attempt":1,"state":"done","result":{"x":NaN}}}]}'
    )
    found = decode(text)
    assert isinstance(found, Events)
    assert isinstance(parse_event(found.rows[0].body), UnknownEvent)


@pytest.mark.parametrize("request_id", ["", "a b", "\r\nX: y", "x" * 65, "é", 7, None, ["a"]])
def test_a_request_under_an_id_that_is_none_of_ours_cannot_be_answered(request_id: object) -> None:
    found = decode(json.dumps({"t": "sing", "id": request_id}))
    assert isinstance(found, UnknownMessage)
    assert found.id == ""
    assert isinstance(decode(json.dumps({"t": "done", "id": request_id or "\0"})), UnknownMessage)


def test_what_an_unknown_message_said_is_cut_and_cleaned() -> None:
    found = decode(json.dumps({"t": f"{MISLEADING}{'x' * 5000}", "id": "7"}))
    assert isinstance(found, UnknownMessage)
    assert found.t.startswith("a[2Jbc")
    assert len(found.t) <= 64


def test_a_refusal_of_a_newer_release_is_read_without_what_is_new() -> None:
    found = decode('{"t":"refused","id":"9","error":{"code":"x","message":"No.","mood":"bad"}}')
    assert isinstance(found, Refused)


def test_posts_that_a_look_showed_are_shown_plainly() -> None:
    event = parse_event(
        {
            "kind": "action_changed",
            "action_id": "a",
            "item_id": "i",
            "attempt": 1,
            "account_id": "c",
            "operation": "publish",
            "state": "unresolved",
            "driver": "browser",
            "baseline": {"post_ids": [MISLEADING], "platform_time": 1e300},
            "sighted": [
                {"remote_id": MISLEADING, "url": "file:///x", "caption": MISLEADING, "taken_at": -1}
            ],
        }
    )
    assert isinstance(event, ActionChanged)
    assert event.baseline is not None
    assert event.baseline.post_ids == ("a[2Jbc",)
    assert event.baseline.platform_time is None
    (post,) = event.sighted
    assert (post.remote_id, post.url, post.caption) == ("a[2Jbc", "", "a[2Jbc")
    assert post.taken_at is None
