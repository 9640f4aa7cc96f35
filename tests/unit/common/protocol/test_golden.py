"""What every release has sent is still understood, and this release sends what it says it does.

After a deliberate change of the wire: `pytest tests/unit/common/protocol --update-golden`, then
read the difference before it is committed. Files of earlier releases are never touched.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from common.protocol import bulk, messages
from common.protocol.events import UnknownEvent, parse_event
from common.protocol.messages import Events, UnknownMessage, decode, encode
from common.version import VERSION
from tests.unit.common.protocol.golden_samples import BULK, EVENTS, MESSAGES

_FIXED = {"t", "kind", "proto_minimum", "proto_maximum"}
"""What has the same value in everything that this release sends."""
FOLDER = Path(__file__).with_name("golden")
RELEASES = sorted(path.name for path in FOLDER.iterdir())


def current() -> dict[str, str]:
    return {
        "control.jsonl": "".join(encode(message) + "\n" for message in MESSAGES),
        "bulk.jsonl": "".join(message.model_dump_json() + "\n" for message in BULK),
    }


def _models_in(values: Iterable[object]) -> Iterator[BaseModel]:
    for value in values:
        if isinstance(value, BaseModel):
            yield value
            yield from _models_in(value.__dict__.values())
        elif isinstance(value, (list, tuple)):
            yield from _models_in(value)


def test_there_is_a_sample_of_everything_that_travels() -> None:
    union = messages.Message
    assert {type(message) for message in MESSAGES} == set(get_args(union))
    assert {type(m) for m in BULK} == set(get_args(get_args(bulk.BulkMessage)[0]))
    assert len({type(event) for event in EVENTS}) == len(EVENTS)


def test_every_field_that_travels_is_set_in_a_sample() -> None:
    unset: dict[type[BaseModel], set[str]] = {}
    for model in _models_in([*MESSAGES, *BULK, *EVENTS]):
        left = {
            name
            for name, field in type(model).model_fields.items()
            if name not in _FIXED
            and not field.is_required()
            and getattr(model, name) == field.get_default(call_default_factory=True)
        }
        unset[type(model)] = left & unset.get(type(model), left)
    assert not {kind.__name__: sorted(names) for kind, names in unset.items() if names}


@pytest.mark.parametrize("name", sorted(current()))
def test_this_release_sends_what_was_approved(name: str, request: pytest.FixtureRequest) -> None:
    file = FOLDER / VERSION / name
    if request.config.getoption("--update-golden", default=False):
        file.parent.mkdir(exist_ok=True)
        file.write_text(current()[name], encoding="utf-8", newline="\n")
    assert current()[name] == file.read_text("utf-8")


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_sent_is_still_understood(release: str) -> None:
    lines = (FOLDER / release / "control.jsonl").read_text("utf-8").splitlines()
    understood = [decode(line) for line in lines]
    assert lines
    assert not [message for message in understood if isinstance(message, UnknownMessage)]
    (batch,) = (message for message in understood if isinstance(message, Events))
    assert not [row for row in batch.rows if isinstance(parse_event(row.body), UnknownEvent)]
    for line in (FOLDER / release / "bulk.jsonl").read_text("utf-8").splitlines():
        bulk.decode_bulk(line)
