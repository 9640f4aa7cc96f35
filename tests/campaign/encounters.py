"""Which posts met which faults on their way. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.campaign.evidence import Evidence
from tests.campaign.saboteur import Happened
from tests.campaign.schedule import Fault, Kind

_WAY_BACK_SECONDS = 0.25
"""How long after its publishing a post's answer is taken to be on its way."""
Sort = tuple[str, str]
"""A sort of fault: its kind, or the platform's names, and what it befalls."""


def sort_of(fault: Fault) -> Sort:
    """Return the sort of a fault, in words."""
    what = fault.target.partition("-")[0]
    if fault.kind is Kind.FAILPOINT:
        what = fault.detail.partition(".")[0]
    if fault.kind is Kind.PLATFORM:
        return _in_words(fault.detail.split("+")), what
    return _in_words([fault.kind.value]), what


def encounters(evidence: Evidence) -> dict[Sort, set[int]]:
    """Return the sequences of the posts that met a fault, by its sort.

    A post is on its way from the first file that arrived for it until its answer is back. What
    went wrong with its agent, its line, the core or the platform in that time, it met. What the
    platform itself did to a request is in its ledger.
    """
    met: dict[Sort, set[int]] = defaultdict(set)
    agent_of = {(item.username, item.title): item.agent for item in evidence.items}
    names = {name: number for number, name in enumerate(evidence.plan.usernames)}
    spans = _spans(evidence)
    for post in evidence.posts:
        agent = agent_of.get((post.username, post.title), "")
        line = f"line-{names.get(post.username, 0) % evidence.lines}"
        end = post.at + _WAY_BACK_SECONDS
        for scope in ("core", "platform", line, agent, agent.replace("agent", "link")):
            for each in spans.get(scope, ()):
                if each.began <= end and each.ended >= post.began:
                    met[sort_of(each.fault)].add(post.sequence)
    for sequence, kinds in evidence.platform_hits.items():
        met[(_in_words(kinds), "platform")].add(sequence)
    return met


def _in_words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)).replace("_", " ")


def _spans(evidence: Evidence) -> dict[str, list[Happened]]:
    spans: dict[str, list[Happened]] = defaultdict(list)
    for each in evidence.happened:
        if each.outcome and each.fault.kind is not Kind.PLATFORM:
            spans[each.fault.target.replace("runner", "agent")].append(each)
    return spans
