"""Says whether the promises held: the ledger against the store, the journals and the logs. Pure.

The invariants by number: I1 never twice; I2 `done` means one post, that one; I3 everything ends,
in doubt only where nobody can look; I4 each log line once and in order; I5 no command under a lower
fence; I6 no secret anywhere; I7 nothing left over; I8 within quotas, and whole on request.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from tests.campaign.encounters import encounters
from tests.campaign.evidence import Evidence, Post, StoredItem
from tests.campaign.saboteur import Happened
from tests.campaign.schedule import KILLS_AND_CUTS, Kind

MET_SHARE = 0.30
"""Of all publishes, how many must have met a fault for a run to count."""
UNRESOLVED_SHARE = 0.001
BROWSER_SHARE = 0.02
"""Of all publishes, how many must have gone through a browser, where a plan has browsers."""
RELAYED_SHARE = 0.10
"""Of those by the private API, how many must have used the client as the real platform gets it."""
_DOUBTFUL = frozenset({"sending", "in_doubt", "reconciling", "unresolved"})
_NUMBER = re.compile(r"\[(\d+)\] ")
_GAP = re.compile(r"(\d+) lines \(.*\) were left out")
_FINAL = frozenset({"done", "failed", "cancelled", "skipped"})
_FOR_GOOD = frozenset({"cancelled", "skipped"})
"""What the operator does not try again."""


class Outcome(IntEnum):
    """What a campaign says; also the exit status."""

    HELD = 0
    BROKEN = 1
    VOID = 2


@dataclass(frozen=True)
class Finding:
    """One promise that did not hold."""

    invariant: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judge's word."""

    outcome: Outcome
    findings: Sequence[Finding]
    gates: Sequence[str]
    """Why the run does not count; empty where it does."""
    published: int
    twice: int
    lost: int
    wrong_done: int
    unresolved: int
    """Doubts that were left to a person although the platform could be asked."""
    answered: int
    """Doubts that were left to a person and count apart: they were set up for that, or the agent
    had lost its journal."""
    met: int
    """Posts that met a fault."""
    faults: int
    kills_and_cuts: int

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        counts = (
            f"{self.published} published under {self.faults} faults: {self.twice} twice, "
            f"{self.lost} lost, {self.wrong_done} wrong “done”, {self.unresolved} left to a person"
            f"{f' (and {self.answered} apart)' if self.answered else ''}"
        )
        if self.outcome is Outcome.HELD:
            return f"Held: {counts}."
        if self.outcome is Outcome.VOID:
            return f"Void: {self.gates[0]} ({counts})."
        return f"Broken: {len(self.findings)} findings ({counts})."


def judge(evidence: Evidence) -> Verdict:
    """Weigh everything."""
    posts, items = _by_key(evidence.posts), _items_by_key(evidence.items)
    twice = list(_twice(posts))
    wrong = list(_wrong_done(evidence, posts))
    lost = list(_lost(evidence, posts, items))
    apart, others = _answered(evidence)
    unresolved = len(others) + _left_open(evidence)
    findings = [*twice, *wrong, *lost, *_unresolved(evidence, unresolved)]
    findings += _wrong_answers(evidence, posts)
    findings += [*_ledger(evidence), *_others(evidence)]
    came_about = [each for each in evidence.happened if each.outcome]
    met = len(set().union(*encounters(evidence).values()))
    gates = list(_gates(evidence, came_about, met))
    return Verdict(
        outcome=Outcome.BROKEN if findings else Outcome.VOID if gates else Outcome.HELD,
        findings=findings,
        gates=gates,
        published=len(evidence.posts),
        twice=len(twice),
        lost=len(lost),
        wrong_done=len(wrong),
        unresolved=unresolved,
        answered=len(apart),
        met=met,
        faults=len(came_about),
        kills_and_cuts=sum(each.fault.kind in KILLS_AND_CUTS for each in came_about),
    )


Key = tuple[str, str]


def _by_key(posts: Sequence[Post]) -> dict[Key, list[Post]]:
    found: dict[Key, list[Post]] = defaultdict(list)
    for post in posts:
        found[(post.username, post.title)].append(post)
    return found


def _items_by_key(items: Sequence[StoredItem]) -> dict[Key, list[StoredItem]]:
    found: dict[Key, list[StoredItem]] = defaultdict(list)
    for item in items:
        found[(item.username, item.title)].append(item)
    return found


def _twice(posts: dict[Key, list[Post]]) -> Iterator[Finding]:
    for (username, title), same in posts.items():
        if len(same) > 1:
            ids = ", ".join(post.post_id for post in same)
            yield Finding("I1", f"{title!r} of {username} was published {len(same)} times: {ids}")


def _wrong_done(evidence: Evidence, posts: dict[Key, list[Post]]) -> Iterator[Finding]:
    for item in evidence.items:
        there = {post.post_id for post in posts.get((item.username, item.title), ())}
        if item.state == "done" and item.remote_id not in there:
            yield Finding(
                "I2",
                f"{item.title!r} of {item.username} counts as done by {item.remote_id or 'nothing'}"
                f"; the platform has {', '.join(sorted(there)) or 'nothing'}",
            )
    known = {post.post_id for post in evidence.posts}
    for action in evidence.actions:
        if action.state == "confirmed" and action.remote_id not in known:
            yield Finding(
                "I2", f"{action.agent} confirmed {action.remote_id!r}, which the platform never had"
            )


def _lost(
    evidence: Evidence, posts: dict[Key, list[Post]], items: dict[Key, list[StoredItem]]
) -> Iterator[Finding]:
    for order in evidence.orders:
        key = (order.username, order.title)
        what = f"{order.title!r} of {order.username}"
        stored = items.get(key, [])
        if not stored:
            yield Finding("I3", f"{what} was ordered, and the store has no item of it")
        for item in stored:
            if item.state == "done" or item.intent_state in _DOUBTFUL:
                continue
            if evidence.ran_out and item.state not in _FOR_GOOD:
                continue  # it was not given its time
            there = " although the platform has it" if key in posts else ""
            how = "ended" if item.state in _FINAL else "was left"
            why = f": {item.error}" if item.error else ""
            yield Finding("I3", f"{what} {how} as {item.state}{there}{why}")


def _left_open(evidence: Evidence) -> int:
    """Return how many doubts nobody settled; one that was on its way has to have had its time."""
    states = {"unresolved"} if evidence.ran_out else _DOUBTFUL
    return sum(item.intent_state in states for item in evidence.items)


def _answered(evidence: Evidence) -> tuple[set[Key], set[Key]]:
    """Return the posts that a person settled: those that count apart, and all others.

    Apart count those set up for it, and those of an agent that had lost its journal by then.
    """
    doubtful = set(evidence.plan.doubtful)
    lost_at = {
        each.fault.target: each.began
        for each in reversed(evidence.happened)
        if each.outcome and each.fault.kind is Kind.JOURNAL_LOST
    }
    agent_of = {(item.username, item.title): item.agent for item in evidence.items}
    apart, others = set[Key](), set[Key]()
    for each in evidence.attendance.answers:
        key = (each.username, each.title)
        has_lost = lost_at.get(agent_of.get(key, ""), math.inf) < each.at
        (apart if each.username in doubtful or has_lost else others).add(key)
    return apart, others


def _wrong_answers(evidence: Evidence, posts: dict[Key, list[Post]]) -> Iterator[Finding]:
    """What the person said was true at that time, and is what then came about."""
    last = {(each.username, each.title): each for each in evidence.attendance.answers}
    done = {(item.username, item.title) for item in evidence.items if item.state == "done"}
    for key, answer in last.items():
        what = f"{answer.title!r} of {answer.username} was answered by {answer.act}"
        was_there = any(post.at <= answer.at for post in posts.get(key, ()))
        if was_there is not (answer.act == "it_is_there"):
            yield Finding("I2", f"{what}, and the platform {'has' if was_there else 'lacked'} it")
        if key not in done and not evidence.ran_out:
            yield Finding("I3", f"{what}, and is not done")


def _unresolved(evidence: Evidence, unresolved: int) -> Iterator[Finding]:
    allowed = UNRESOLVED_SHARE * len(evidence.orders)
    if unresolved > allowed:
        yield Finding("I3", f"{unresolved} posts were left to a person; {allowed:.1f} are allowed")


def _others(evidence: Evidence) -> Iterator[Finding]:
    for log in evidence.logs:
        if missing := missing_lines(log.at_agent):
            where = f"{log.item_id}, attempt {log.attempt}"
            yield Finding("I4", f"the log of {where} lacks {missing} lines and does not say so")
        if list(log.at_desktop) != list(log.at_agent):
            yield Finding(
                "I4",
                f"the log of {log.item_id}, attempt {log.attempt}: the agent has "
                f"{len(log.at_agent)} lines, the desktop {len(log.at_desktop)}"
                f"{'' if len(log.at_agent) != len(log.at_desktop) else ', and they differ'}",
            )
    yield from (Finding("I4", f"a log line that is none: {line}") for line in evidence.torn_lines)
    for item in evidence.fences:
        if item.fence > item.highest:
            yield Finding(
                "I5",
                f"{item.agent} ran {item.item_id} under {item.fence}, and knows {item.highest}",
            )
    yield from (Finding("I6", leak) for leak in evidence.leaks)
    yield from (Finding("I7", f"left running: {orphan}") for orphan in evidence.orphans)
    yield from (Finding("I7", f"left in part: {part}") for part in evidence.parts)
    yield from (Finding("I3", f"given up: {item}") for item in evidence.attendance.given_up)
    if gone := evidence.attendance.retried["not_found"]:
        yield Finding("I8", f"{gone} items failed because their file was gone from the agent")
    for machine, status in evidence.statuses.items():
        if status:
            yield Finding("I8", f"{machine} ended with {status} when it was asked to stop")


def missing_lines(lines: Sequence[str]) -> int:
    """Return how many lines a log lacks without saying so. Each run of the item counts from one."""
    missing = last = 0
    for line in lines:
        if gap := _GAP.match(line):
            missing -= int(gap[1])
        elif numbered := _NUMBER.match(line):
            number = int(numbered[1])
            missing += 0 if number == 1 else number - last - 1
            last = number
    return max(0, missing)


def _ledger(evidence: Evidence) -> Iterator[Finding]:
    """What the store tells of a post, step by step and in numbers, is what happened to it."""
    for item in evidence.items:
        confirmed = item.steps.count("confirmed")
        if item.state == "done" and (confirmed != 1 or item.steps[-1] != "confirmed"):
            yield Finding(
                "I2",
                f"{item.title!r} of {item.username} is done, and its ledger says: "
                f"{', '.join(item.steps) or 'nothing'}",
            )
    done = Counter(item.username for item in evidence.items if item.state == "done")
    for username, count in evidence.post_counts.items():
        if count != done[username]:
            yield Finding("I2", f"{username} counts {count} posts, and {done[username]} are done")


def _gates(evidence: Evidence, came_about: Sequence[Happened], met: int) -> Iterator[str]:
    plan = evidence.plan
    if evidence.ran_out:
        yield f"the time was up after {plan.minutes:g} minutes, before every post was settled"
    if len(evidence.orders) < plan.publishes + plan.doubts:
        wanted = plan.publishes + plan.doubts
        yield f"only {len(evidence.orders)} of {wanted} posts were ordered"
    share = met / max(1, len(evidence.posts))
    if share < MET_SHARE:
        yield f"only {share:.0%} of the posts met a fault, and {MET_SHARE:.0%} have to"
    if len(came_about) < plan.faults:
        yield f"only {len(came_about)} faults came about, and {plan.faults} have to"
    deadly = Counter(each.fault.kind in KILLS_AND_CUTS for each in came_about)[True]
    if deadly < plan.kills_and_cuts:
        yield f"only {deadly} kills and cuts came about, and {plan.kills_and_cuts} have to"
    yield from _shares(evidence)
    for act in ("it_is_there", "publish_it"):
        if plan.doubts and act not in {each.act for each in evidence.attendance.answers}:
            yield f"no card was answered by “{act.replace('_', ' ')}”"
    if missing := evidence.wanted_points - evidence.reached:
        yield f"these failpoints were never reached: {', '.join(sorted(missing))}"


def ways(evidence: Evidence) -> Counter[str]:
    """Return how many posts were done in which way: the driver, and for some the real client."""
    relayed = {
        name
        for number, name in enumerate(evidence.plan.usernames)
        if evidence.plan.is_relayed(number)
    }
    return Counter(
        f"{item.driver}, real client" if item.username in relayed else item.driver
        for item in evidence.items
        if item.state == "done"
    )


def _shares(evidence: Evidence) -> Iterator[str]:
    plan, done = evidence.plan, ways(evidence)
    relayed = done["private_api, real client"]
    by_api = relayed + done["private_api"]
    if plan.browser_accounts and done["browser"] < BROWSER_SHARE * done.total():
        yield f"only {done['browser']} posts went through a browser; {BROWSER_SHARE:.0%} have to"
    if plan.relayed_accounts and relayed < RELAYED_SHARE * by_api:
        yield f"only {relayed} posts used the real client; {RELAYED_SHARE:.0%} have to"
