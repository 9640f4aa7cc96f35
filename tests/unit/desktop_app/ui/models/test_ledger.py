"""A ledger in words: what settled a doubt, what was there before, and when it is looked at next."""

from __future__ import annotations

from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost
from common.domain.states import ActionState
from common.reconcile import Visibility
from desktop_app.contract.runs import LedgerEntry
from desktop_app.ui.models.formats import clock_time, duration_words, gap_text
from desktop_app.ui.models.ledger import ledger_text, next_look, stories_of, story_of

BEGAN = 1_763_900_000.0


def entry(at: float, state: ActionState, **known: object) -> LedgerEntry:
    values: dict[str, object] = {
        "at": BEGAN + at,
        "action_id": "a1",
        "attempt": 1,
        "operation": "publish",
        "state": state,
        "driver": DriverName.PRIVATE_API,
        "agent": "dock-1",
        "seq": int(at),
    }
    return LedgerEntry.model_validate(values | known)


def test_a_step_says_what_happened_when_and_by_which_ids() -> None:
    seen = Baseline(post_ids=("1", "2", "3"))
    steps = story_of(
        [
            entry(0, ActionState.PREPARED, note="uploading", resume={"upload_id": "77"}),
            entry(2.5, ActionState.SENDING, baseline=seen),
            entry(3, ActionState.CONFIRMED, remote_id="9", remote_url="http://127.0.0.1/p/9/"),
        ]
    )
    assert steps[0].words == "Uploading."
    assert steps[0].ids == (("upload id", "77"),)
    assert steps[0].gap == ""
    assert steps[1].is_point_of_no_return
    assert steps[1].details == ("3 posts in the account's list before it was sent.",)
    assert steps[1].gap == "+2.50 s"
    assert steps[2].ids == (("post", "9"),)
    assert steps[2].link.endswith("/p/9/")
    assert not steps[2].details, "nothing was in doubt, so nothing settled it"
    assert "dock-1" in steps[2].origin


def test_what_settled_a_doubt_is_said_a_look_or_a_person() -> None:
    post = ListedPost(remote_id="9", url="http://127.0.0.1/p/9/")
    looked = story_of(
        [entry(0, ActionState.RECONCILING), entry(1, ActionState.CONFIRMED, sighted=[post])]
    )
    assert looked[-1].sighted == (post,)
    assert looked[-1].details == ("Settled by looking at the account's own list.",)
    told = story_of(
        [entry(0, ActionState.UNRESOLVED), entry(1, ActionState.CONFIRMED, by="Ana Souza")]
    )
    assert told[-1].details == ("Settled by Ana Souza.",)


def test_a_ledger_of_many_items_is_told_by_effect_newest_first() -> None:
    newest_first = [
        entry(9, ActionState.IN_DOUBT, action_id="b", title="Reel", item_id="i2", run_id="r2"),
        entry(8, ActionState.SENDING, action_id="b"),
        entry(5, ActionState.CONFIRMED, action_id="a", title="Photo", item_id="i1", run_id="r1"),
        entry(4, ActionState.SENDING, action_id="a"),
    ]
    stories = stories_of(newest_first)
    assert [story.title for story in stories] == ["Reel", "Photo"]
    assert [story.state for story in stories] == [ActionState.IN_DOUBT, ActionState.CONFIRMED]
    assert [step.pill.text for step in stories[1].steps] == ["Sending", "Confirmed"]
    assert (stories[0].run_id, stories[0].item_id) == ("r2", "i2")


def test_a_doubt_says_when_an_absence_would_count_and_a_settled_one_does_not() -> None:
    bound = Visibility(bound=120.0, gap=30.0)
    doubt = [entry(0, ActionState.SENDING), entry(10, ActionState.IN_DOUBT)]
    looking = [*doubt, entry(11, ActionState.RECONCILING)]
    when = clock_time(BEGAN + 130)[:8]
    assert when in next_look(doubt, bound)
    assert next_look(looking, bound) == next_look(doubt, bound)
    assert next_look([*looking, entry(12, ActionState.CONFIRMED)], bound) == ""
    assert next_look([], bound) == ""


def test_a_copied_ledger_has_a_line_per_step_with_its_ids() -> None:
    lines = ledger_text(
        [entry(0, ActionState.PLANNED), entry(1, ActionState.CONFIRMED, remote_id="9", by="Ana")]
    ).splitlines()
    assert len(lines) == 2
    assert "post 9" in lines[1]
    assert "Settled by Ana." in lines[1]


def test_lengths_are_said_in_two_units() -> None:
    assert duration_words(0.2) == "0 s"
    assert duration_words(125) == "2 min 5 s"
    assert duration_words(3 * 86400) == "3 d"
    assert gap_text(-3) == "−3.00 s"
    assert gap_text(125) == "+2 min 5 s"
