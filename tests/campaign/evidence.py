"""What is known after a campaign: the platform's ledger, the store, the agents' journals, the logs.

Read from the files themselves, by their own SQL, after every process has ended. Nothing is judged
here, and nothing of ours that was on trial is asked.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.campaign.crew import Attendance, Order
from tests.campaign.plan import Plan
from tests.campaign.saboteur import Happened

_TORN_BYTES = 200


@dataclass(frozen=True)
class Post:
    """A post that the platform has."""

    sequence: int
    username: str
    title: str
    """The caption."""
    post_id: str
    began: float
    """When its first file arrived, seconds since 1970."""
    at: float
    """When it was published."""


@dataclass(frozen=True)
class StoredItem:
    """One item with its intent, as the store has it."""

    item_id: str
    username: str
    title: str
    state: str
    intent_state: str
    remote_id: str
    attempt: int
    driver: str
    agent: str
    """The machine that it was given to."""
    error: str
    steps: tuple[str, ...] = ()
    """The states of its effect in the store's ledger, in their order."""


@dataclass(frozen=True)
class JournaledAction:
    """One effect, as an agent's journal has it."""

    agent: str
    action_id: str
    identity: str
    state: str
    remote_id: str


@dataclass(frozen=True)
class FencedItem:
    """One item that an agent took over, with the fences."""

    agent: str
    item_id: str
    fence: int
    highest: int
    """The highest fence that the agent has for the account."""


@dataclass(frozen=True)
class Log:
    """One attempt's log, here and there."""

    item_id: str
    attempt: int
    at_agent: Sequence[str]
    """Text of each line."""
    at_desktop: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the judge sees."""

    plan: Plan
    orders: Sequence[Order]
    posts: Sequence[Post]
    items: Sequence[StoredItem]
    actions: Sequence[JournaledAction]
    fences: Sequence[FencedItem]
    logs: Sequence[Log]
    post_counts: dict[str, int] = field(default_factory=dict)
    """Posts of each account, as the store counts them."""
    torn_lines: Sequence[str] = ()
    """Lines of logs that nobody can read."""
    happened: Sequence[Happened]
    platform_hits: Mapping[int, frozenset[str]]
    """What the platform itself did to posts, by their sequence."""
    attendance: Attendance
    reached: frozenset[str]
    """Failpoints that were passed."""
    wanted_points: frozenset[str]
    orphans: Sequence[str] = ()
    leaks: Sequence[str] = ()
    parts: Sequence[str] = ()
    """Files that arrived in part and were left so."""
    statuses: dict[str, int] = field(default_factory=dict)
    """How core and agents ended when they were asked to."""
    has_small_disks: bool = True
    lines: int = 1
    """Lines between agents and platform, over which the accounts are spread."""
    ran_out: bool = False
    """True where the time was up before every post was settled."""
    seconds: float = 0.0


def read_posts(ledger: Sequence[dict[str, Any]]) -> list[Post]:
    """Return the platform's posts, each with the time at which its way to there began."""
    posts, began = [], dict[str, float]()
    for record in ledger:
        username, at = record["account"], datetime.fromisoformat(record["at"]).timestamp()
        if record["kind"] == "upload_received":
            began.setdefault(username, at)
        elif record["kind"] == "published":
            posts.append(
                Post(
                    sequence=record["sequence"],
                    username=username,
                    title=record["caption"],
                    post_id=record["post_id"],
                    began=began.pop(username, at),
                    at=at,
                )
            )
    return posts


def read_platform_hits(ledger: Sequence[dict[str, Any]]) -> dict[int, frozenset[str]]:
    """Return which faults the platform noted for a post: on the same request, or on one before.

    That every post takes its time is how a campaign is set up, and no fault.
    """
    by_request = {
        record["request_id"]: record["sequence"]
        for record in ledger
        if record["kind"] == "published"
    }
    hits, open_for = dict[int, set[str]](), dict[str, set[str]]()
    for record in ledger:
        username = record["account"]
        if record["kind"] == "fault" and record["fault"] != "delay_ms":
            sequence = by_request.get(record["request_id"])
            kinds = open_for.setdefault(username, set())
            if sequence is not None:
                kinds = hits.setdefault(sequence, set())
            kinds.add(record["fault"])
        elif record["kind"] == "published" and username in open_for:
            hits.setdefault(record["sequence"], set()).update(open_for.pop(username))
    return {sequence: frozenset(kinds) for sequence, kinds in hits.items() if kinds}


def read_items(database: Path, agents: dict[str, str]) -> list[StoredItem]:
    """Return the store's items that publish; `agents` names the machines by agent id."""
    with closing(_open(database)) as store:
        store.row_factory = sqlite3.Row
        rows = store.execute(
            "SELECT item.id AS item_id, item.username, publish_intent.caption AS title, "
            "item.state, publish_intent.state AS intent_state, publish_intent.remote_id, "
            "item.attempt, item.driver, item.agent_id, item.error FROM item "
            "JOIN publish_intent ON publish_intent.item_id = item.id"
        ).fetchall()
        steps: dict[str, list[str]] = {}
        for item_id, state in store.execute(
            "SELECT item_id, state FROM ledger_step ORDER BY rowid"
        ):
            steps.setdefault(item_id, []).append(state)
    found = []
    for row in rows:
        known = dict(row)
        known["agent"] = agents.get(known.pop("agent_id"), "")
        known["error"] = _message(known["error"])
        known["steps"] = tuple(steps.get(known["item_id"], ()))
        found.append(StoredItem(**known))
    return found


def read_post_counts(database: Path) -> dict[str, int]:
    """Return how many posts the store counts for each account."""
    with closing(_open(database)) as store:
        return dict(store.execute("SELECT username, posts FROM account").fetchall())


def read_actions(agent: str, journal: Path) -> list[JournaledAction]:
    """Return the effects in an agent's journal."""
    with closing(_open(journal)) as rows:
        found = rows.execute("SELECT action_id, identity, state, remote_id FROM action").fetchall()
    return [JournaledAction(agent, *row) for row in found]


def read_fences(agent: str, journal: Path) -> list[FencedItem]:
    """Return the items in an agent's journal with their fences."""
    with closing(_open(journal)) as rows:
        found = rows.execute(
            "SELECT item.item_id, item.fence, fence.fence FROM item "
            "JOIN fence ON fence.identity = item.identity"
        ).fetchall()
    return [FencedItem(agent, *row) for row in found]


def read_logs(core: Path, agents: Sequence[Path]) -> tuple[list[Log], list[str]]:
    """Return every attempt's log, here and there, and the lines that nobody can read."""
    torn: list[str] = []
    at_desktop: dict[tuple[str, int], list[str]] = {}
    for path in sorted((core / "logs").glob("run-*.jsonl")):
        for line in _json_lines(path, torn):
            at_desktop.setdefault((line["item_id"], line["attempt"]), []).append(line["text"])
    at_agent: dict[tuple[str, int], list[str]] = {}
    for agent in agents:
        for path in (agent / "logs" / "items").glob("*/*.jsonl"):
            item_id, attempt, _ = path.name.split(".")
            at_agent[(item_id, int(attempt))] = [line["text"] for line in _json_lines(path, torn)]
    keys = sorted(at_desktop.keys() | at_agent.keys())
    logs = [Log(*key, at_agent.get(key, []), at_desktop.get(key, [])) for key in keys]
    return logs, torn


def read_parts(agents: Sequence[Path]) -> list[str]:
    """Return the files that agents have in part."""
    return [str(path) for agent in agents for path in (agent / "blobs" / "parts").glob("*.part")]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _message(error: str | None) -> str:
    return str(json.loads(error).get("message", "")) if error else ""


def _json_lines(path: Path, torn: list[str]) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            torn.append(f"{path.name}: {line[:_TORN_BYTES]!r}")
