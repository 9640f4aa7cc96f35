"""The judge sees each broken promise, and nothing where all of them held."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.campaign.crew import Answered, Attendance, Order
from tests.campaign.evidence import (
    Evidence,
    FencedItem,
    JournaledAction,
    Log,
    Post,
    StoredItem,
    read_platform_hits,
    read_posts,
)
from tests.campaign.judge import Outcome, judge, missing_lines
from tests.campaign.page import write_html
from tests.campaign.plan import Plan
from tests.campaign.report import as_text
from tests.campaign.saboteur import Happened
from tests.campaign.schedule import Fault, Kind

PLAN = Plan(seed=1, publishes=2, faults=1, kills_and_cuts=1, accounts=1)
NAME = PLAN.usernames[0]
POST = Post(sequence=5, username=NAME, title="post 0", post_id="11_1", began=10.0, at=11.0)
ITEM = StoredItem(
    item_id="i0",
    username=NAME,
    title="post 0",
    state="done",
    intent_state="confirmed",
    remote_id="11_1",
    attempt=1,
    driver="private_api",
    agent="agent-0",
    error="",
    steps=("sending", "confirmed"),
)
THERE = Answered(username=NAME, title="post 0", act="it_is_there", at=12.0)
KILL = Happened(
    fault=Fault(number=1, kind=Kind.KILL, target="agent-0"),
    began=10.5,
    ended=12.0,
    outcome="came back",
)


def whole(**changed: Any) -> Evidence:
    """Evidence of a campaign in which everything held, but for what is changed."""
    evidence = Evidence(
        plan=PLAN,
        orders=[Order(NAME, "post 0"), Order(NAME, "post 1")],
        posts=[POST, replace(POST, sequence=8, title="post 1", post_id="12_1", began=14, at=15)],
        items=[ITEM, replace(ITEM, item_id="i1", title="post 1", remote_id="12_1")],
        actions=[JournaledAction("agent-0", "a0", "practice:1", "confirmed", "11_1")],
        fences=[FencedItem("agent-0", "i0", 1, 1)],
        logs=[Log("i0", 1, ["one", "two"], ["one", "two"])],
        happened=[KILL],
        platform_hits={},
        attendance=Attendance(),
        reached=frozenset({"agent.before.send_events"}),
        wanted_points=frozenset({"agent.before.send_events"}),
    )
    return replace(evidence, **changed)


def test_a_whole_campaign_held() -> None:
    verdict = judge(whole())
    assert verdict.outcome is Outcome.HELD
    assert verdict.met == 1
    assert verdict.sentence.startswith("Held: 2 published under 1 faults: 0 twice, 0 lost")


@pytest.mark.parametrize(
    ("changed", "invariant", "says"),
    [
        ({"posts": [*whole().posts, replace(POST, sequence=9, post_id="13_1")]}, "I1", "2 times"),
        ({"posts": whole().posts[:1]}, "I2", "the platform has nothing"),
        ({"items": [replace(ITEM, remote_id="99_1"), *whole().items[1:]]}, "I2", "99_1"),
        (
            {"actions": [JournaledAction("agent-1", "a", "practice:1", "confirmed", "77_1")]},
            "I2",
            "never had",
        ),
        ({"items": whole().items[:1]}, "I3", "no item of it"),
        (
            {"items": [replace(ITEM, state="failed", error="The disk is full."), whole().items[1]]},
            "I3",
            "although the platform has it: The disk is full.",
        ),
        ({"items": [replace(ITEM, state="assigned"), whole().items[1]]}, "I3", "was left as"),
        (
            {"items": [replace(ITEM, state="needs_operator", intent_state="unresolved")]},
            "I3",
            "1 posts were left to a person",
        ),
        ({"attendance": Attendance(answers=[THERE])}, "I3", "1 posts were left to a person"),
        (
            {"attendance": Attendance(answers=[replace(THERE, act="publish_it")])},
            "I2",
            "answered by publish_it, and the platform has it",
        ),
        (
            {"attendance": Attendance(answers=[replace(THERE, at=10.5)])},
            "I2",
            "answered by it_is_there, and the platform lacked it",
        ),
        ({"logs": [Log("i0", 1, ["one", "two"], ["one"])]}, "I4", "the desktop 1"),
        ({"logs": [Log("i0", 1, ["one", "two"], ["two", "one"])]}, "I4", "differ"),
        ({"logs": [Log("i0", 1, *[["[1] one", "[3] three"]] * 2)]}, "I4", "lacks 1 lines"),
        ({"items": [replace(ITEM, steps=("sending",)), whole().items[1]]}, "I2", "says: sending"),
        (
            {"items": [replace(ITEM, steps=(*ITEM.steps, *ITEM.steps)), whole().items[1]]},
            "I2",
            "confirmed, sending, confirmed",
        ),
        ({"post_counts": {NAME: 3}}, "I2", "counts 3 posts, and 2 are done"),
        ({"attendance": Attendance(retried=Counter(not_found=1))}, "I8", "was gone"),
        ({"torn_lines": ["run-1.jsonl: b'{'"]}, "I4", "run-1.jsonl"),
        ({"fences": [FencedItem("agent-0", "i0", 3, 2)]}, "I5", "under 3"),
        ({"leaks": ["password (plain) in agent.log"]}, "I6", "agent.log"),
        ({"orphans": ["pid 7"]}, "I7", "pid 7"),
        ({"parts": ["ab.part"]}, "I7", "ab.part"),
        ({"statuses": {"core": 1}}, "I8", "core ended with 1"),
    ],
)
def test_each_broken_promise_is_found(changed: dict[str, Any], invariant: str, says: str) -> None:
    verdict = judge(whole(**changed))
    assert verdict.outcome is Outcome.BROKEN
    assert any(each.invariant == invariant and says in each.what for each in verdict.findings)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"happened": [replace(KILL, began=100.0, ended=101.0)]}, "met a fault"),
        ({"happened": [replace(KILL, outcome="")]}, "kills and cuts"),
        ({"wanted_points": frozenset({"core.before.send_ack"})}, "never reached"),
        ({"orders": whole().orders[:1]}, "were ordered"),
        ({"plan": replace(PLAN, accounts=2, browser_accounts=1)}, "went through a browser"),
        (
            {"plan": replace(PLAN, accounts=2, browser_accounts=1, relayed_accounts=1)},
            "real client",
        ),
    ],
)
def test_a_run_that_tried_too_little_is_void(changed: dict[str, Any], says: str) -> None:
    verdict = judge(whole(**changed))
    assert verdict.outcome is Outcome.VOID
    assert any(says in gate for gate in verdict.gates)


def test_what_was_left_to_a_person_on_purpose_counts_apart_and_has_to_be_there_each_way() -> None:
    plan = replace(PLAN, accounts=0, doubts=2)
    first, second = plan.doubtful
    posts = [replace(post, username=first) for post in whole().posts[:1]]
    posts.append(replace(posts[0], username=second, sequence=6, post_id="14_1", at=13.0))
    items = [replace(ITEM, username=first), replace(ITEM, username=second, remote_id="14_1")]
    answers = [
        replace(THERE, username=first),
        replace(THERE, username=second, act="publish_it"),
    ]
    evidence = whole(
        plan=replace(plan, publishes=0),
        orders=[Order(first, "post 0"), Order(second, "post 0")],
        posts=posts,
        items=items,
        attendance=Attendance(answers=answers),
        happened=[replace(KILL, fault=replace(KILL.fault, target="core"))],
    )
    verdict = judge(evidence)
    assert (verdict.outcome, verdict.unresolved, verdict.answered) == (Outcome.HELD, 0, 2)
    assert "0 left to a person (and 2 apart)" in verdict.sentence
    one_way = replace(evidence, attendance=Attendance(answers=answers[:1]))
    assert "no card was answered by “publish it”" in judge(one_way).gates
    undone = replace(evidence, items=[replace(items[0], state="failed", remote_id=""), items[1]])
    assert any("and is not done" in each.what for each in judge(undone).findings)


def test_what_needs_a_person_because_a_journal_was_lost_counts_apart() -> None:
    lost = replace(KILL, fault=replace(KILL.fault, kind=Kind.JOURNAL_LOST))
    evidence = whole(attendance=Attendance(answers=[THERE]), happened=[KILL, lost])
    assert (judge(evidence).unresolved, judge(evidence).answered) == (0, 1)
    later = replace(evidence, happened=[KILL, replace(lost, began=THERE.at + 1)])
    assert (judge(later).unresolved, judge(later).answered) == (1, 0)


def test_a_fault_elsewhere_is_not_met() -> None:
    other = replace(KILL, fault=replace(KILL.fault, target="agent-1"))
    line = replace(KILL, fault=replace(KILL.fault, kind=Kind.CUT, target="line-0"))
    runner = replace(KILL, fault=replace(KILL.fault, target="runner-0"))
    assert judge(whole(happened=[other])).met == 0
    assert judge(whole(happened=[line])).met == 1
    assert judge(whole(happened=[runner])).met == 1


def test_the_ledger_says_which_posts_the_platform_itself_troubled() -> None:
    def record(sequence: int, kind: str, request: str, **more: Any) -> dict[str, Any]:
        at = f"2026-01-01T00:00:{sequence:02d}+00:00"
        common = {"sequence": sequence, "kind": kind, "request_id": request, "account": NAME}
        return {
            "at": at,
            "caption": f"post {sequence}",
            "post_id": f"{sequence}_1",
            **common,
            **more,
        }

    ledger = [
        record(1, "upload_received", "a"),
        record(2, "fault", "b", fault="drop_before_apply"),
        record(3, "upload_received", "c"),
        record(4, "fault", "d", fault="delay_ms"),
        record(5, "published", "d"),
        record(6, "upload_received", "e"),
        record(7, "fault", "f", fault="delay_ms"),
        record(8, "published", "f"),
        record(9, "fault", "g", fault="drop_after_apply"),
        record(10, "published", "g"),
    ]
    posts = read_posts(ledger)
    assert [post.sequence for post in posts] == [5, 8, 10]
    assert posts[0].at - posts[0].began == 4.0
    assert read_platform_hits(ledger) == {
        5: frozenset({"drop_before_apply"}),
        10: frozenset({"drop_after_apply"}),
    }


def test_the_report_says_the_same_as_text_and_as_a_page(tmp_path: Any) -> None:
    evidence = whole(leaks=["password (plain) in <agent>.log"])
    verdict = judge(evidence)
    text = as_text(evidence, verdict)
    write_html(tmp_path / "report.html", evidence, verdict)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Seed 1." in text
    assert "published twice" in text
    assert "password (plain) in <agent>.log" in text
    assert "password (plain) in &lt;agent&gt;.log" in page
    assert verdict.sentence.partition(":")[2] in page


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        (["[1] a", "[2] b", "[3] c"], 0),
        (["[1] a", "[3] c"], 1),
        (["[1] a", "2 lines (90 bytes) were left out: the log is over its limit.", "[4] d"], 0),
        (["[1] a", "[2] b", "[1] a", "[2] b"], 0),
        (["[1] a", "[5] e", "[1] a", "[3] c"], 4),
        (["[1] a", "a line of the agent's own", "[2] b"], 0),
    ],
)
def test_a_line_that_is_missing_is_seen_unless_the_log_says_so(
    lines: list[str], missing: int
) -> None:
    assert missing_lines(lines) == missing


def test_what_had_no_time_left_is_not_lost_and_the_run_does_not_count() -> None:
    under_way = [
        replace(ITEM, intent_state="in_doubt", state="running", remote_id="", steps=()),
        replace(ITEM, item_id="i1", title="post 1", state="failed", remote_id="", steps=()),
    ]
    verdict = judge(whole(items=under_way, posts=[], actions=[], ran_out=True))
    assert verdict.outcome is Outcome.VOID
    assert "time was up" in verdict.sentence
    assert judge(whole(items=under_way, posts=[], actions=[])).outcome is Outcome.BROKEN
    skipped = replace(under_way[1], state="skipped")
    assert judge(whole(items=[ITEM, skipped], ran_out=True)).lost == 1
