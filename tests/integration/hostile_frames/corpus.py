"""The good messages that hostile ones are made from: the approved ones, and some in their place."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.hostile_frames.mutations import Good
from tests.support.child_process import REPOSITORY

_GOLDEN = REPOSITORY / "tests" / "unit" / "common" / "protocol" / "golden"
_ENDS = {"hello", "goodbye", "acknowledge"}
"""Almost any of these ends a session, and a new one costs more than all else."""
_FROM_DESKTOP = {
    *("heartbeat", "accept_item", "control_items", "ask_inventory", "read_log", "ask_blobs"),
    *("watch_screen", "stop_screen", "screen_seen", "settle_action"),
}


def golden(name: str) -> list[dict[str, Any]]:
    """The approved messages of every release."""
    found = []
    for path in sorted(_GOLDEN.glob(f"*/{name}.jsonl")):
        found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return found


_EVENTS = '{"t":"events","epoch":"$epoch","rows":[{"seq":"$seq","at":1763900000.5,"body":$body}]}'
_FROM_AGENT = {
    "heartbeat": 40,
    "progress": 60,
    "events": 2,
    "screen_seen": 1,
    "goodbye": 1,
    "acknowledge": 1,
    "hello": 1,
}


def for_desktop() -> list[Good]:
    """What an agent says: events above all, and answers to what the desktop asks."""
    found = []
    for message in golden("control"):
        weight = _FROM_AGENT.get(message["t"], 1 if message["t"] in _FROM_DESKTOP else 20)
        if message["t"] == "events":
            bodies = [row["body"] for row in message["rows"]]
            found += [Good(_about_ours(body), 40, inside=_EVENTS) for body in bodies]
            rows = [row | {"seq": "$seq"} for row in message["rows"][:1]]
            message = message | {"epoch": "$epoch", "rows": rows}
        if "id" in message:
            message = message | {"id": "$request"}
        found.append(Good(_about_ours(message), weight))
    return found


def _about_ours(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"item_id": "$item"} if "item_id" in message else message


def for_agent() -> list[Good]:
    """What a desktop says; what only an agent says comes seldom."""
    found = []
    for message in golden("control"):
        weight = 1 if message["t"] in _ENDS else 40 if message["t"] in _FROM_DESKTOP else 6
        if message["t"] == "accept_item":
            message["item"]["parameters"] = {"script": ["done"]}
            found.append(Good(message | {"item": message["item"] | {"publish": None}}, 15))
        if "id" in message:
            message["id"] = "$fresh"
        found.append(Good(message, weight))
    found.append(Good({"t": "acknowledge", "epoch": "$epoch", "seq": "$seq"}, 3))
    return found
