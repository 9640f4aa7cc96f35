"""What a look proves, and when: presence strictly, absence late and twice, the rest by a person."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.content import Baseline, ListedPost, PostKind
from common.operations import Settlement
from common.reconcile import (
    CLOCK_SLACK_SECONDS,
    DOUBT_SLACK_SECONDS,
    ESTIMATE_SLACK_SECONDS,
    LOOKS_THAT_MAY_FAIL,
    RETRY_SECONDS_MOST,
    Match,
    Next,
    Reconciliation,
    Sought,
    Visibility,
    by_platform_clock,
    match_post,
    reach_of,
)

SINCE = 1_763_900_000.0
CAPTION = "Evening sail\n\n#harbour"
VISIBILITY = Visibility(bound=120.0, gap=30.0)
NOTHING = Match()


def sought(
    caption: str = CAPTION,
    *,
    known: tuple[str, ...] = ("1", "2"),
    settled: frozenset[str] = frozenset(),
    since: float | None = SINCE,
) -> Sought:
    return Sought(PostKind.REEL, caption, Baseline(post_ids=known, platform_time=since), settled)


def post(
    remote_id: str = "9",
    caption: str | None = CAPTION,
    *,
    kind: PostKind | None = PostKind.REEL,
    taken_at: float | None = SINCE + 2.0,
) -> ListedPost:
    return ListedPost(
        remote_id=remote_id, url=f"/p/{remote_id}", kind=kind, caption=caption, taken_at=taken_at
    )


FOUND = Match(found=post())


@pytest.mark.parametrize(
    "listed",
    [
        [post()],
        [post(kind=None)],
        [post(caption="Evening sail\r\n\r\n#harbour  \n")],
        [post(taken_at=SINCE - CLOCK_SLACK_SECONDS)],
        [post(taken_at=SINCE + 86_400.0)],
        [post("1"), post("9"), post("2")],
        [post("8", "Another day"), post("9")],
        [post("pinned", taken_at=SINCE - 1e7), post("9"), post("8", "Another day")],
        [post("9"), post("9")],
    ],
)
def test_the_one_new_post_with_the_caption_is_ours(listed: list[ListedPost]) -> None:
    match = match_post(sought(), listed)
    assert match.found is not None
    assert match.found.remote_id == "9"


def test_an_accent_composed_otherwise_is_the_same_caption() -> None:
    assert match_post(sought("Café"), [post(caption="Cafe\u0301")]).found


@pytest.mark.parametrize(
    "listed",
    [
        [],
        [post("1"), post("2")],
        [post(caption="Another day", kind=PostKind.PHOTO)],
        [post(caption="Another day", taken_at=SINCE - CLOCK_SLACK_SECONDS - 1)],
        [post(taken_at=SINCE - DOUBT_SLACK_SECONDS - 1)],
    ],
)
def test_what_is_known_old_or_of_another_kind_is_not_ours(listed: list[ListedPost]) -> None:
    assert match_post(sought(), listed).is_absent


@pytest.mark.parametrize(
    "listed",
    [
        [post("8"), post("9")],
        [post(caption="Another day")],
        [post(caption=None)],
        [post(caption=None, taken_at=None)],
        [post(kind=PostKind.PHOTO)],
        [post(taken_at=None)],
        [post(taken_at=SINCE - CLOCK_SLACK_SECONDS - 1)],
        [post("8", taken_at=SINCE - 60), post("9")],
    ],
)
def test_what_may_be_ours_is_neither_proof_nor_absence(listed: list[ListedPost]) -> None:
    match = match_post(sought(), listed)
    assert match.found is None
    assert match.candidates


def test_without_a_time_to_begin_from_nothing_is_proven() -> None:
    match = match_post(sought(since=None), [post()])
    assert match.found is None
    assert match.candidates


def test_whatever_resembles_it_is_told_found_or_not() -> None:
    one, two, other = post("8"), post("9"), post("7", "Another day")
    assert match_post(sought(), [one, other]).resembling == (one,)
    assert match_post(sought(), [one, two, other]).resembling == (one, two)
    assert match_post(sought(), [other]).resembling == ()
    assert match_post(sought(), [post(taken_at=SINCE - 60)]).resembling == ()


def test_a_post_that_settles_another_intent_is_not_ours() -> None:
    assert match_post(sought(settled=frozenset({"9"})), [post("9")]).is_absent


IDS = st.sampled_from([str(number) for number in range(8)])
LISTS = st.lists(
    st.builds(
        post,
        IDS,
        st.sampled_from([CAPTION, "Evening sail #harbour ", "Another day", "", None]),
        kind=st.sampled_from([None, PostKind.REEL, PostKind.PHOTO]),
        taken_at=st.one_of(st.none(), st.floats(SINCE - 600, SINCE + 600)),
    ),
    max_size=6,
    unique_by=lambda listed: listed.remote_id,
)


@given(LISTS, st.frozensets(IDS), st.frozensets(IDS), st.one_of(st.none(), st.just(SINCE)))
def test_what_a_match_never_does(
    listed: list[ListedPost], known: frozenset[str], settled: frozenset[str], since: float | None
) -> None:
    wanted = sought(known=tuple(sorted(known)), settled=settled, since=since)
    match = match_post(wanted, listed)
    named = [*match.candidates, *([match.found] if match.found else [])]
    assert not {each.remote_id for each in named} & (known | settled), "it was there before"
    assert match == match_post(wanted, listed[::-1]) or match.candidates, "order means nothing"
    if match.found is not None:
        twins = [
            each
            for each in listed
            if each.caption is not None
            and each.caption.split() == CAPTION.split()
            and each.remote_id not in known | settled
            and (each.taken_at is None or each.taken_at >= SINCE - DOUBT_SLACK_SECONDS)
        ]
        assert twins == [match.found], "two with one caption confirm nothing"
        assert match.found.taken_at is not None
        assert match.found.taken_at >= SINCE - CLOCK_SLACK_SECONDS


@given(LISTS, st.sampled_from(["new", "late"]))
def test_a_post_that_is_there_is_never_taken_for_absent(
    others: list[ListedPost], when: str
) -> None:
    own = post("own", taken_at=SINCE + (0.0 if when == "new" else 3600.0))
    assert not match_post(sought(), [*others, own]).is_absent


# --- when ----------------------------------------------------------------------------------------


def probing(since: float = 0.0) -> Reconciliation:
    return Reconciliation(Settlement.PROBE, VISIBILITY, since)


@pytest.mark.parametrize("settlement", [Settlement.NONE, Settlement.NATIVE_KEY])
def test_what_cannot_be_looked_for_is_asked_at_once(settlement: Settlement) -> None:
    assert Reconciliation(settlement, VISIBILITY, 0.0).next(0.0) is Next.ASK


def test_a_post_that_is_there_settles_the_doubt_at_once() -> None:
    doubt = probing()
    assert doubt.next(0.0) is Next.LOOK
    doubt.saw(FOUND, 0.0, 1.0)
    assert doubt.next(1.0) is Next.CONFIRM
    assert doubt.match == FOUND


def test_a_post_that_shows_late_is_found_before_the_bound() -> None:
    doubt = probing()
    doubt.saw(NOTHING, 0.0, 1.0)
    assert doubt.next(1.0) is Next.WAIT
    assert doubt.wait(1.0) == VISIBILITY.gap
    assert doubt.next(31.0) is Next.LOOK
    doubt.saw(FOUND, 31.0, 32.0)
    assert doubt.next(32.0) is Next.CONFIRM


def test_absence_takes_two_looks_in_a_row_behind_the_bound() -> None:
    doubt = probing()
    doubt.saw(NOTHING, 0.0, 1.0)
    doubt.saw(NOTHING, 119.0, 121.0)
    assert doubt.next(121.0) is Next.LOOK, "a look that began before the bound does not count"
    doubt.saw(NOTHING, 121.0, 122.0)
    assert doubt.wait(122.0) == VISIBILITY.gap
    doubt.saw(NOTHING, 123.0, 124.0)
    assert doubt.next(152.0) is Next.LOOK, "a look before its time is no second one"
    doubt.saw(NOTHING, 152.0, 153.0)
    assert doubt.next(153.0) is Next.ABSENT


def test_a_candidate_is_waited_for_and_then_asked_about() -> None:
    doubt = probing()
    unsure = Match(candidates=(post(caption=None),))
    doubt.saw(unsure, 0.0, 1.0)
    assert doubt.next(1.0) is Next.WAIT
    doubt.saw(unsure, 120.0, 121.0)
    assert doubt.next(121.0) is Next.ASK
    assert doubt.match == unsure


def test_a_failed_look_breaks_the_row() -> None:
    doubt = probing()
    doubt.saw(NOTHING, 120.0, 120.0)
    doubt.failed(150.0)
    doubt.saw(NOTHING, 180.0, 180.0)
    assert doubt.next(210.0) is Next.LOOK, "one negative, a failure, one negative"
    doubt.saw(NOTHING, 210.0, 210.0)
    assert doubt.next(210.0) is Next.ABSENT


def test_failed_looks_are_repeated_ever_later_and_then_a_person_is_asked() -> None:
    doubt = probing()
    waits = []
    now = 0.0
    for _ in range(LOOKS_THAT_MAY_FAIL):
        assert doubt.next(now) is Next.LOOK
        doubt.failed(now)
        waits.append(doubt.wait(now))
        now += waits[-1]
    assert doubt.next(now) is Next.ASK
    assert waits == sorted(waits)
    assert waits[0] == VISIBILITY.gap
    assert waits[-1] == RETRY_SECONDS_MOST


def test_what_only_a_person_can_mend_is_asked_at_once() -> None:
    doubt = probing()
    doubt.failed(0.0, may_pass=False)
    assert doubt.next(0.0) is Next.ASK


def test_a_verdict_stands() -> None:
    doubt = probing()
    doubt.saw(FOUND, 0.0, 1.0)
    doubt.saw(NOTHING, 200.0, 200.0)
    doubt.failed(300.0, may_pass=False)
    assert doubt.next(300.0) is Next.CONFIRM
    assert doubt.match == FOUND


SEEN = st.sampled_from(["nothing", "error", "candidate"])


@given(st.lists(st.tuples(SEEN, st.floats(0.0, 90.0), st.floats(0.0, 40.0)), max_size=40))
def test_nothing_is_absent_but_behind_the_bound_and_twice_in_a_row(
    looks: list[tuple[str, float, float]],
) -> None:
    doubt = probing()
    now = 0.0
    told: list[tuple[str, float]] = []
    for seen, wait, lasts in looks:
        began, now = now + wait, now + wait + lasts
        match seen:
            case "nothing":
                doubt.saw(NOTHING, began, now)
            case "candidate":
                doubt.saw(Match(candidates=(post(),)), began, now)
            case _:
                doubt.failed(now)
        told.append((seen, began))
        if doubt.next(now) in {Next.CONFIRM, Next.ASK}:
            assert doubt.next(now) is Next.ASK
            return
        if doubt.next(now) is Next.ABSENT:
            counted = [each for each in told if each[1] >= VISIBILITY.bound]
            assert [each[0] for each in told[-2:]] == ["nothing", "nothing"]
            assert counted[-1][1] - counted[0][1] >= VISIBILITY.gap
            return


@given(
    shows_after=st.floats(0.0, VISIBILITY.bound),
    delays=st.lists(st.floats(0.0, 100.0), min_size=40, max_size=40),
    errors=st.sets(st.integers(0, 20), max_size=LOOKS_THAT_MAY_FAIL - 1),
)
def test_a_post_that_shows_within_the_bound_is_always_confirmed(
    shows_after: float, delays: list[float], errors: set[int]
) -> None:
    doubt = probing()
    now = 0.0
    for number in itertools.count():
        state = doubt.next(now)
        if state is Next.CONFIRM:
            return
        if state is Next.WAIT:
            now += doubt.wait(now)
            continue
        assert state is Next.LOOK
        began, now = now, now + delays[number % len(delays)]
        if number in errors:
            doubt.failed(now)
        else:
            doubt.saw(FOUND if began >= shows_after else NOTHING, began, now)


# --- where only a clock of ours says from when on -----------------------------------------------

MINUTES = 60.0


@pytest.mark.parametrize("fast", [10 * MINUTES, 12 * 60 * MINUTES])
def test_a_fast_clock_of_ours_never_makes_a_post_absent(fast: float) -> None:
    estimate = Baseline(platform_time=SINCE + fast, is_estimate=True)
    ours = post(taken_at=SINCE + 2.0)
    match = match_post(Sought(PostKind.REEL, CAPTION, estimate), [ours])
    assert match.found is None, "nor is it taken for ours by such a clock"
    assert match.candidates == (ours,), "a person is asked"
    reach = reach_of(estimate).platform_time
    assert reach is not None
    assert reach - DOUBT_SLACK_SECONDS <= SINCE, "what has to be listed reaches back to it"


def test_what_is_older_than_any_clock_is_wrong_is_ruled_out() -> None:
    estimate = Baseline(platform_time=SINCE, is_estimate=True)
    old = post(taken_at=SINCE - ESTIMATE_SLACK_SECONDS - 1)
    assert match_post(Sought(PostKind.REEL, CAPTION, estimate), [old]).is_absent


def test_the_platforms_own_time_reaches_no_further_back() -> None:
    for known in (Baseline(platform_time=SINCE), Baseline(is_estimate=True)):
        assert reach_of(known) == known


@pytest.mark.parametrize("ahead", [-10 * MINUTES, 0.0, 10 * MINUTES])
def test_a_moment_of_ours_is_told_by_the_platforms_clock(ahead: float) -> None:
    measured = Baseline(platform_time=SINCE, clock_ahead=ahead)
    now = SINCE + ahead + 30.0
    assert by_platform_clock(SINCE + ahead, measured, now) == SINCE
    assert by_platform_clock(now + 900.0, measured, now) == SINCE + 30.0, "it was wrong then"
    assert by_platform_clock(SINCE, Baseline(), now + 900.0) == SINCE, "nothing was measured"
