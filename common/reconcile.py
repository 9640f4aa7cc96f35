"""How a doubtful effect is settled: when to look, what a look proves, and when to ask a person.

Pure: time and what was seen come in, what to do next comes out. Looking is the driver's part and
journaling the agent's. One machine serves every external effect; a post is matched here as well.

Two mistakes are possible, and they do not weigh the same. Taking another post for ours claims a
post that is not there; missing ours publishes it twice. So proof of presence is strict about time
and caption, proof of absence is generous with both, and what lies between goes to a person.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.domain.content import Baseline, ListedPost, PostKind
from common.operations import Settlement

NEGATIVES_NEEDED = 2
"""Looks in a row, all after the visibility bound, that must find nothing."""
LOOKS_THAT_MAY_FAIL = 10
"""Failed looks in a row after which a person is asked: an error is never an absence."""
RETRY_SECONDS_MOST = 600.0
"""Longest wait between two failed looks."""
CLOCK_SLACK_SECONDS = 5.0
"""By how much the platform's own clocks may differ from each other: a post that is older than the
baseline by more is never taken for ours."""
DOUBT_SLACK_SECONDS = 300.0
"""By how much the platform's word may be off: only a post that is older by more is ruled out."""
ESTIMATE_SLACK_SECONDS = 24 * 3600.0
"""The same where the time of the baseline is by a clock of ours: minutes are common, a wrong zone
is hours."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The post that may or may not exist."""

    kind: PostKind
    caption: str
    baseline: Baseline
    settled_ids: frozenset[str] = frozenset()
    """Remote ids that settle other intents of this account already."""


@dataclass(frozen=True, slots=True)
class Match:
    """What one look at the account's list says of the post that is sought."""

    found: ListedPost | None = None
    """The post, where exactly one fits."""
    candidates: tuple[ListedPost, ...] = ()
    """Posts that may be it and do not prove it: never taken for it, never for its absence."""
    resembling: tuple[ListedPost, ...] = ()
    """Every new post with its caption, the found one too. Where one is there before the effect was
    ever sent, the history that says so was taken back, and nothing is sent."""

    @property
    def is_absent(self) -> bool:
        """Say whether nothing in the list can be the post."""
        return self.found is None and not self.candidates


def match_post(sought: Sought, listed: Collection[ListedPost]) -> Match:
    """Look for a post by its own marks: new since the baseline, in its time, same kind, caption.

    Where in the list a post stands means nothing: pinned ones come first however old they are. A
    new post of the kind with another caption may still be it (a platform may change a caption),
    and so may one with its caption and an odd time or kind: candidates, neither proof nor absence.
    """
    known = sought.settled_ids.union(sought.baseline.post_ids)
    fresh = {post.remote_id: post for post in listed if post.remote_id not in known}.values()
    same = [
        post for post in fresh if _has_caption(sought, post) and not _is_ruled_out(sought, post)
    ]
    resembling = tuple(post for post in same if _is_new(sought, post))
    if len(same) == 1 and _is_certain(sought, same[0]):
        return Match(found=same[0], resembling=resembling)
    others = [post for post in fresh if post not in same and _may_be_changed(sought, post)]
    return Match(candidates=(*same, *others), resembling=resembling)


def reach_of(baseline: Baseline) -> Baseline:
    """Return from when on posts have to be listed, so that none is missed that may be the one."""
    if not baseline.is_estimate or baseline.platform_time is None:
        return baseline
    earlier = baseline.platform_time - ESTIMATE_SLACK_SECONDS + DOUBT_SLACK_SECONDS
    return baseline.model_copy(update={"platform_time": earlier})


def by_platform_clock(moment: float, measured: Baseline, now: float) -> float:
    """Return a past moment of this machine's clock as the platform's shows it.

    `measured` says how far the two are apart, if that is known. A moment ahead of `now` was noted
    while the clock here was wrong, and counts as now.
    """
    return min(moment, now) - (measured.clock_ahead or 0.0)


def plain_caption(caption: str) -> list[str]:
    """Return what a platform keeps of a caption: not its spaces, not how accents are composed."""
    return unicodedata.normalize("NFC", caption).split()


def _has_caption(sought: Sought, post: ListedPost) -> bool:
    return post.caption is not None and plain_caption(post.caption) == plain_caption(sought.caption)


def _age(sought: Sought, post: ListedPost) -> float | None:
    """Return how much older than the baseline it is, in seconds; None where that is unknown."""
    since = sought.baseline.platform_time
    return None if since is None or post.taken_at is None else since - post.taken_at


def _is_ruled_out(sought: Sought, post: ListedPost) -> bool:
    age = _age(sought, post)
    slack = ESTIMATE_SLACK_SECONDS if sought.baseline.is_estimate else DOUBT_SLACK_SECONDS
    return age is not None and age > slack


def _is_certain(sought: Sought, post: ListedPost) -> bool:
    """Say whether the one post with the caption is ours beyond doubt: of the kind, and new.

    That it is not among the ids of the baseline is not enough: those are the newest ones, and an
    older post comes into sight when one of them is deleted.
    """
    age = _age(sought, post)
    return post.kind in (None, sought.kind) and age is not None and age <= CLOCK_SLACK_SECONDS


def _may_be_changed(sought: Sought, post: ListedPost) -> bool:
    """Say whether a post with another caption, or an unknown one, may be ours all the same."""
    is_of_kind = post.kind in (None, sought.kind)
    return is_of_kind and not _has_caption(sought, post) and _is_new(sought, post)


def _is_new(sought: Sought, post: ListedPost) -> bool:
    age = _age(sought, post)
    return age is None or age <= CLOCK_SLACK_SECONDS


@dataclass(frozen=True, slots=True)
class Visibility:
    """How long a platform may take to show an effect, in seconds."""

    bound: float
    """Counted from the end of the request's last possible life."""
    gap: float
    """Between two looks, and between the last two that must both find nothing."""
    life: float = 0.0
    """For how long a request may still take effect that another agent has just sent."""


class Next(StrEnum):
    """What a reconciliation wants."""

    WAIT = "wait"
    LOOK = "look"
    CONFIRM = "confirm"
    ABSENT = "absent"
    ASK = "ask"
    """A person has to say it."""


class Reconciliation:
    """Settles one doubt. `now` is any clock in seconds that never goes back.

    It looks from the start, because a post that is there settles the doubt; that nothing is there
    counts only behind the visibility bound, and only twice in a row. A verdict stands.
    """

    __slots__ = ("_bound_at", "_due", "_failures", "_gap", "_negatives", "_verdict", "match")

    def __init__(self, settlement: Settlement, visibility: Visibility, since: float) -> None:
        """Begin; `since` is when the request's last possible life ended, by the same clock.

        Where an effect cannot be looked for, a person is asked at once. The same holds for a
        native key: repeating the request with it is its driver's way to publish, not a look.
        """
        self.match = Match()
        """What the last look that worked saw."""
        self._bound_at = since + visibility.bound
        self._gap = visibility.gap
        self._due = since
        self._negatives = 0
        self._failures = 0
        self._verdict = None if settlement is Settlement.PROBE else Next.ASK

    def next(self, now: float) -> Next:
        """Say what to do now."""
        if self._verdict is not None:
            return self._verdict
        return Next.LOOK if now >= self._due else Next.WAIT

    def wait(self, now: float) -> float:
        """Return the seconds until the next look is due."""
        return max(0.0, self._due - now)

    def saw(self, match: Match, began: float, now: float) -> None:
        """Take what a look saw that began at `began` and ended at `now`."""
        if self._verdict is not None:
            return
        self.match = match
        self._failures = 0
        if match.found is not None:
            self._verdict = Next.CONFIRM
        elif began < self._bound_at:
            self._due = min(self._bound_at, now + self._gap)
        elif match.candidates:
            self._verdict = Next.ASK
        elif began >= self._due:  # a look before its time is no second one
            self._negatives += 1
            self._due = now + self._gap
            if self._negatives >= NEGATIVES_NEEDED:
                self._verdict = Next.ABSENT

    def failed(self, now: float, *, may_pass: bool = True) -> None:
        """Take note that a look failed: it proves nothing, and breaks a row of negatives.

        `may_pass` is False where only a person can mend it, as an expired session: they are asked.
        """
        if self._verdict is not None:
            return
        self._negatives = 0
        self._failures += 1
        wait = min(self._gap * 2 ** (self._failures - 1), RETRY_SECONDS_MOST)
        self._due = max(self._due, now + wait)
        if self._failures >= LOOKS_THAT_MAY_FAIL or not may_pass:
            self._verdict = Next.ASK


def absent_evidence(listed: Sequence[ListedPost]) -> str:
    """Return a few words on what a look that found nothing looked at."""
    return f"{len(listed)} newer posts listed, none of them this one"


def not_checked(why: str) -> str:
    """Say that a person's word settled it alone, since the platform could not be asked."""
    return f"taken on that word, not checked: {why.rstrip('.')}"
