"""What a campaign found, in tables; as text for the terminal. The page is in `page.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.campaign.encounters import Sort, encounters, sort_of
from tests.campaign.evidence import Evidence
from tests.campaign.judge import Verdict, ways

Row = tuple[str, ...]
_FINDINGS_SHOWN = 40
NUMBERS = frozenset({"count", "posts", "times", "set", "came about", "met by", "once", "twice"})
"""Heads of the columns that hold numbers."""


@dataclass(frozen=True)
class Table:
    """One table of the report."""

    title: str
    heads: Row
    rows: Sequence[Row]


def tables(evidence: Evidence, verdict: Verdict) -> list[Table]:
    """Return the report's tables; an empty one is left out."""
    faults = ("fault", "on", "set", "came about", "what it did", "met by", "once", "twice")
    findings = [(each.invariant, each.what) for each in verdict.findings]
    found = [
        Table("Why the run does not count", ("reason",), [(gate,) for gate in verdict.gates]),
        Table("Findings", ("promise", "what"), findings),
        Table("The ledger's verdict", ("what", "count", "asked"), _verdict_rows(evidence, verdict)),
        Table("Faults by kind, and the posts that met them", faults, _fault_rows(evidence)),
        Table("What became of the posts", ("state in the store", "posts"), _state_rows(evidence)),
        Table("What the operator did", ("act", "times", "because"), _attendance_rows(evidence)),
        Table("Ways of publishing", ("driver", "posts"), _driver_rows(evidence)),
    ]
    return [table for table in found if table.rows]


def headline(evidence: Evidence) -> str:
    """Return what was run, in one line."""
    plan = evidence.plan
    disks = "" if evidence.has_small_disks else " No disk could be mounted, so none was filled."
    return (
        f"Seed {plan.seed}. {plan.publishes} posts on {plan.accounts} accounts by {plan.agents} "
        f"agents in {evidence.seconds:.0f} s.{disks}"
    )


def as_text(evidence: Evidence, verdict: Verdict) -> str:
    """Return the report for a terminal, without the verdict's sentence."""
    lines = [headline(evidence)]
    for table in tables(evidence, verdict):
        more = len(table.rows) - _FINDINGS_SHOWN
        lines += ["", table.title, *_aligned([table.heads, *table.rows[:_FINDINGS_SHOWN]])]
        lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join(lines)


def _verdict_rows(evidence: Evidence, verdict: Verdict) -> list[Row]:
    share = verdict.met / max(1, verdict.published)
    return [
        ("posts ordered", str(len(evidence.orders)), ""),
        ("posts at the platform", str(verdict.published), ""),
        ("published twice", str(verdict.twice), "0"),
        ("lost", str(verdict.lost), "0"),
        ("wrong “done”", str(verdict.wrong_done), "0"),
        ("left to a person", str(verdict.unresolved), "0.1 %"),
        ("left to a person, counted apart", str(verdict.answered), ""),
        ("posts that met a fault", f"{verdict.met} ({share:.0%})", "at least 30 %"),
        ("kills and cuts", str(verdict.kills_and_cuts), f"at least {evidence.plan.kills_and_cuts}"),
        (
            "failpoints reached",
            f"{len(evidence.reached & evidence.wanted_points)} of {len(evidence.wanted_points)}",
            "all",
        ),
        ("lines of logs compared", str(sum(len(log.at_desktop) for log in evidence.logs)), ""),
    ]


def _fault_rows(evidence: Evidence) -> list[Row]:
    drawn: Counter[Sort] = Counter()
    came: Counter[Sort] = Counter()
    did: dict[Sort, str] = {}
    for each in evidence.happened:
        sort = sort_of(each.fault)
        drawn[sort] += 1
        if each.outcome:
            came[sort] += 1
            did[sort] = each.outcome
    met = encounters(evidence)
    posts = {post.sequence: (post.username, post.title) for post in evidence.posts}
    times = Counter(posts.values())
    rows = []
    for sort in sorted(drawn):
        counts = Counter(times[key] > 1 for key in {posts[each] for each in met.get(sort, ())})
        told = (drawn[sort], came[sort], did.get(sort, ""), counts.total())
        rows.append((*sort, *map(str, told), str(counts[False]), str(counts[True])))
    return rows


def _state_rows(evidence: Evidence) -> list[Row]:
    states = Counter((item.state, item.intent_state) for item in evidence.items)
    return [
        (f"{state}, effect {intent}".replace("_", " "), str(count))
        for (state, intent), count in states.most_common()
    ]


def _attendance_rows(evidence: Evidence) -> list[Row]:
    attendance = evidence.attendance
    rows = [
        (f"retried after {code}".replace("_", " "), str(count), attendance.said.get(code, ""))
        for code, count in attendance.retried.most_common()
    ]
    return [
        *rows,
        ("accounts signed in again", str(attendance.signed_in_again), ""),
        *(
            (f"card answered: {act}".replace("_", " "), str(count), "")
            for act, count in Counter(each.act for each in attendance.answers).most_common()
        ),
        ("asked again while the core was away", str(attendance.core_was_away), ""),
    ]


def _driver_rows(evidence: Evidence) -> list[Row]:
    return [(way, str(count)) for way, count in ways(evidence).most_common()]


def _aligned(rows: Sequence[Row]) -> Iterable[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
