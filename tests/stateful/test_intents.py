"""Intents and their doubts: each post exists once, and what is called done is there.

An agent with a durable journal publishes a few posts of one account, some with the same caption, to
a platform that loses requests and answers, applies late and lists late (within its bound). The
agent dies at any point, its disk is put back, a person posts by hand, and answers cards truthfully.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from common.domain.content import Baseline, ListedPost, PostKind
from common.domain.states import ActionState
from common.domain.transitions import require_action_step
from common.operations import Settlement
from common.reconcile import Match, Next, Reconciliation, Sought, Visibility, match_post
from tests.stateful.machines import assert_caught, hold

BOUND = 100.0
VISIBILITY = Visibility(bound=BOUND, gap=20.0)
BY_HAND = -1
_UNDECIDED = (ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING)

Fate = str
FATES = ("answered", "refused", "never left", "lost", "answer lost", "applied late")


@dataclass(frozen=True)
class Post:
    """A post as the platform has it."""

    remote_id: str
    intent: int
    caption: str
    taken_at: float
    shows_at: float


@dataclass(frozen=True)
class Action:
    """One row of the journal."""

    caption: str
    settlement: Settlement
    state: ActionState = ActionState.PLANNED
    baseline: Baseline = field(default_factory=Baseline)
    remote_id: str = ""


class Publishing(RuleBasedStateMachine):
    """The journal, what the agent has in memory, the platform, and one clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.journal: tuple[Action, ...] = ()
        self.old_journal: tuple[Action, ...] = ()
        self.posts: list[Post] = []
        self.running: int | None = None
        """The action whose request is on its way, or that is being looked for."""
        self.doubt: Reconciliation | None = None
        self.was_stale = False

    # --- what the parts do; a planted mistake replaces one of these -------------------------------

    visibility = VISIBILITY
    delay_most = BOUND

    def match(self, sought: Sought, listed: list[ListedPost]) -> Match:
        return match_post(sought, listed)

    def has_rival(self, number: int) -> bool:
        caption = self.journal[number].caption
        return any(
            other.caption == caption and other.state in (*_UNDECIDED, ActionState.UNRESOLVED)
            for place, other in enumerate(self.journal)
            if place != number
        )

    def begin_sending(self, number: int) -> None:
        shown = tuple(post.remote_id for post in self.shown())
        self.step(
            number, ActionState.SENDING, baseline=Baseline(post_ids=shown, platform_time=self.now)
        )

    def settle(self, number: int, look: str) -> None:
        """One turn of looking for a post in doubt."""
        action = self.journal[number]
        if action.settlement is not Settlement.PROBE:
            self.step(number, ActionState.UNRESOLVED)
        elif action.state is ActionState.IN_DOUBT:
            self.step(number, ActionState.RECONCILING)
            self.running = number
            self.doubt = Reconciliation(action.settlement, self.visibility, self.now)
        elif self.doubt is None:
            self.step(number, ActionState.IN_DOUBT)
        else:
            self.go_on_looking(number, self.doubt, look)

    def ask_platform(self, since: Baseline, look: str) -> list[ListedPost] | None:
        """Read the account's list; None where the platform answers with an error."""
        return None if look == "error" else self.listed(since)

    def lose_memory(self) -> None:
        self.running = self.doubt = None

    # --- what may happen -------------------------------------------------------------------------

    @initialize(
        plan=st.lists(
            st.tuples(
                st.sampled_from(["Sail", "Harbour"]),
                st.sampled_from([Settlement.PROBE, Settlement.PROBE, Settlement.NONE]),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def accept(self, plan: list[tuple[str, Settlement]]) -> None:
        self.journal = tuple(Action(caption, settlement) for caption, settlement in plan)
        self.old_journal = self.journal

    @rule(
        fate=st.sampled_from(FATES),
        share=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
        look=st.sampled_from(["whole", "whole", "error", "stale"]),
    )
    def work(self, fate: Fate, share: float, look: str) -> None:
        """The agent takes its next step; a doubt comes before anything else."""
        number = self.next_action()
        if number is None:
            return
        state = self.journal[number].state
        if state is ActionState.SENDING and self.running == number:
            self.end_request(number, fate, share)
        elif state is ActionState.SENDING:
            self.step(number, ActionState.IN_DOUBT)
        elif state in _UNDECIDED:
            self.settle(number, look)
        else:
            self.publish(number, look)

    @rule(seconds=st.sampled_from([1.0, 10.0, 50.0, 200.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(fate=st.sampled_from(["lost", "applied late"]), share=st.sampled_from([0.0, 0.6, 1.0]))
    def kill_agent(self, fate: Fate, share: float) -> None:
        """What it had in memory is gone; a request on its way may be applied all the same."""
        if self.running is not None and self.doubt is None:
            self.apply(self.running, fate, share)
        self.lose_memory()

    @rule()
    def post_by_hand(self) -> None:
        self.posts.append(Post(self.new_id(), BY_HAND, "By hand", self.now, self.now))

    @precondition(lambda self: self.unresolved())
    @rule(looks_again=st.booleans())
    def answer_card(self, looks_again: bool) -> None:
        """A person knows: they have waited long enough and looked at the account."""
        number = self.unresolved()[0]
        own = [post for post in self.posts if post.intent == number]
        if looks_again:
            self.step(number, ActionState.IN_DOUBT)
        elif own:
            self.step(number, ActionState.CONFIRMED, remote_id=own[0].remote_id)
        else:
            known = self.journal[number].baseline
            seen = tuple(post.remote_id for post in self.shown())
            baseline = known.model_copy(update={"post_ids": (*known.post_ids, *seen)})
            self.step(number, ActionState.PROVEN_ABSENT, baseline=baseline)

    @rule()
    def copy_disk(self) -> None:
        self.old_journal = self.journal

    @rule(is_noticed=st.booleans())
    def put_disk_back(self, is_noticed: bool) -> None:
        """The journal is an earlier one. That takes longer than anything stays out of sight."""
        self.kill_agent("lost", 0.0)
        self.journal = self.old_journal
        self.now += BOUND
        for number, action in enumerate(self.journal):
            if is_noticed and action.state in {ActionState.PLANNED, ActionState.PROVEN_ABSENT}:
                self.step(number, ActionState.IN_DOUBT)

    # --- the agent -------------------------------------------------------------------------------

    def next_action(self) -> int | None:
        """Return what runs, or else what is undecided, or else the first that is not settled."""
        if self.running is not None:
            return self.running
        waiting = [
            (action.state not in _UNDECIDED, number)
            for number, action in enumerate(self.journal)
            if action.state not in {ActionState.CONFIRMED, ActionState.UNRESOLVED}
        ]
        return min(waiting)[1] if waiting else None

    def publish(self, number: int, look: str) -> None:
        """Send it, unless it is there already: then the journal was put back unnoticed."""
        action = self.journal[number]
        since = Baseline(post_ids=action.baseline.post_ids, platform_time=0.0)
        listed = self.ask_platform(since, look)
        if listed is None:
            return
        if self.match(self.sought(number, since), listed).resembling:
            self.step(number, ActionState.IN_DOUBT, baseline=since)
            return
        if action.state is ActionState.PROVEN_ABSENT:
            self.step(number, ActionState.PLANNED)
        self.begin_sending(number)
        self.running = number

    def end_request(self, number: int, fate: Fate, share: float) -> None:
        self.running = None
        self.apply(number, fate, share)
        match fate:
            case "answered":
                self.step(number, ActionState.CONFIRMED, remote_id=self.posts[-1].remote_id)
            case "refused":
                self.step(number, ActionState.PROVEN_ABSENT)
            case "never left":
                self.step(number, ActionState.PREPARED)
            case _:
                self.step(number, ActionState.IN_DOUBT)

    def go_on_looking(self, number: int, doubt: Reconciliation, look: str) -> None:
        match doubt.next(self.now):
            case Next.WAIT:
                self.now += doubt.wait(self.now)
            case Next.LOOK:
                self.look(number, doubt, look)
            case verdict:
                self.running = self.doubt = None
                self.take_verdict(number, verdict, doubt.match)

    def look(self, number: int, doubt: Reconciliation, look: str) -> None:
        """Look once. A stale copy answers now and then, and never twice in a row."""
        is_stale = look == "stale" and not self.was_stale
        self.was_stale = is_stale
        since = self.journal[number].baseline
        listed = [] if is_stale else self.ask_platform(since, look)
        if listed is None:
            doubt.failed(self.now)
        else:
            doubt.saw(self.match(self.sought(number, since), listed), self.now, self.now)

    def take_verdict(self, number: int, verdict: Next, match: Match) -> None:
        found = match.found
        # A person may have given the post to another intent while this one was looked for.
        taken = {action.remote_id for action in self.journal}
        if verdict is Next.ABSENT:
            self.step(number, ActionState.PROVEN_ABSENT)
        elif found and found.remote_id not in taken and not self.has_rival(number):
            self.step(number, ActionState.CONFIRMED, remote_id=found.remote_id)
        else:
            self.step(number, ActionState.UNRESOLVED)

    def sought(self, number: int, since: Baseline) -> Sought:
        action = self.journal[number]
        settled = frozenset(each.remote_id for each in self.journal if each.remote_id)
        return Sought(PostKind.REEL, action.caption, since, settled)

    def step(
        self,
        number: int,
        state: ActionState,
        *,
        baseline: Baseline | None = None,
        remote_id: str = "",
    ) -> None:
        action = self.journal[number]
        require_action_step(action.state, state)
        changed = replace(
            action,
            state=state,
            baseline=action.baseline if baseline is None else baseline,
            remote_id=remote_id or action.remote_id,
        )
        self.journal = (*self.journal[:number], changed, *self.journal[number + 1 :])

    def unresolved(self) -> list[int]:
        return [
            number
            for number, action in enumerate(self.journal)
            if action.state is ActionState.UNRESOLVED
        ]

    # --- the platform ----------------------------------------------------------------------------

    def apply(self, number: int, fate: Fate, share: float) -> None:
        """Make the post, where the request comes to that; all within the bound from now on."""
        if fate not in {"answered", "answer lost", "applied late"}:
            return
        late = self.delay_most * share
        taken_at = self.now + (late / 2 if fate == "applied late" else 0.0)
        caption = self.journal[number].caption
        self.posts.append(Post(self.new_id(), number, caption, taken_at, self.now + late))

    def new_id(self) -> str:
        return str(len(self.posts) + 1)

    def shown(self) -> list[Post]:
        return [post for post in self.posts if post.shows_at <= self.now]

    def listed(self, since: Baseline) -> list[ListedPost]:
        return [
            ListedPost(
                remote_id=post.remote_id,
                url="",
                kind=PostKind.REEL,
                caption=post.caption,
                taken_at=post.taken_at,
            )
            for post in self.shown()[::-1]
            if post.remote_id not in since.post_ids
        ]

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice(self) -> None:
        made = [post.intent for post in self.posts if post.intent != BY_HAND]
        assert len(set(made)) == len(made), "published twice"

    @invariant()
    def what_is_called_done_is_there(self) -> None:
        owner = {post.remote_id: post.intent for post in self.posts}
        for number, action in enumerate(self.journal):
            if action.state is ActionState.CONFIRMED:
                assert owner[action.remote_id] == number, "another post was taken for it"

    def teardown(self) -> None:
        """Once the faults stop and the cards are answered, every post is there, once."""
        for _ in range(40 * len(self.journal)):
            if self.unresolved():
                self.answer_card(looks_again=False)
            self.work("answered", 0.0, "whole")
        assert all(action.state is ActionState.CONFIRMED for action in self.journal)
        self.nothing_is_there_twice()
        self.what_is_called_done_is_there()


def test_each_post_is_there_once_and_done_means_there(examples: int) -> None:
    hold(Publishing, examples)


# --- what the machine is able to catch ------------------------------------------------------------


class WaitsForNothing(Publishing):
    visibility = Visibility(bound=0.0, gap=0.0)


class PlatformBreaksItsBound(Publishing):
    delay_most = 3 * BOUND


class SendsAgainWithoutLooking(Publishing):
    def settle(self, number: int, look: str) -> None:
        if self.journal[number].state is ActionState.IN_DOUBT:
            self.step(number, ActionState.RECONCILING)
        self.step(number, ActionState.PROVEN_ABSENT)


class JournalsAfterItSends(Publishing):
    """What is on disk while the request is on its way is what was there before."""

    def begin_sending(self, number: int) -> None:
        self.on_disk = self.journal
        super().begin_sending(number)

    def lose_memory(self) -> None:
        if self.running is not None and self.doubt is None:
            self.journal = self.on_disk
        super().lose_memory()


class TakesAnErrorForAnEmptyList(Publishing):
    def ask_platform(self, since: Baseline, look: str) -> list[ListedPost] | None:
        return [] if look == "error" else self.listed(since)


class TakesTheNewestPost(Publishing):
    def match(self, sought: Sought, listed: list[ListedPost]) -> Match:
        new = [post for post in listed if post.remote_id not in sought.settled_ids]
        return Match(found=new[0]) if new else Match()


class IgnoresRivals(Publishing):
    def has_rival(self, number: int) -> bool:
        return False


@pytest.mark.parametrize(
    "mistake",
    [
        WaitsForNothing,
        PlatformBreaksItsBound,
        SendsAgainWithoutLooking,
        JournalsAfterItSends,
        TakesAnErrorForAnEmptyList,
        TakesTheNewestPost,
    ],
)
def test_a_mistake_would_be_noticed(mistake: type[Publishing]) -> None:
    assert_caught(mistake)


def publish_two_with_one_caption(machine: Publishing) -> None:
    """The first cannot be looked for and shows late; the second never reaches the platform."""
    machine.accept([("Sail", Settlement.NONE), ("Sail", Settlement.PROBE)])
    for fate in ("answered", "applied late", "answered", "answered", "lost", "answered"):
        machine.work(fate, 1.0, "whole")
    machine.pass_time(200.0)
    for _ in range(2):
        machine.work("answered", 0.0, "whole")
    machine.what_is_called_done_is_there()


def test_a_post_that_may_be_another_ones_confirms_nothing() -> None:
    publish_two_with_one_caption(Publishing())
    with pytest.raises(AssertionError, match="taken for it"):
        publish_two_with_one_caption(IgnoresRivals())
