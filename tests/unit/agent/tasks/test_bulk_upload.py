"""What a bulk upload does in which order, over a journal and a driver that only remember."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from agent.runners.action import JournaledAction, StepDesk
from agent.runners.messages import ActionRecord, ActionStep, StepAnswer
from agent.tasks import bulk_upload
from agent.tasks.catalogue import TASKS, task_for
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, ListedPost, MediaKind, Placement, PostKind
from common.domain.ids import made_at, new_id
from common.domain.states import ActionState
from common.errors import (
    AmbiguousEffectError,
    ConflictError,
    ContentRefusedError,
    DriverError,
    FlotillaError,
    NotFoundError,
    OperationCancelledError,
    OperationUnsupportedError,
    PlatformUnreachableError,
    ProxyFailedError,
    RateLimitedError,
    SessionExpiredError,
    StoreError,
)
from common.items import ItemSpec, MediaRef, PublishSpec
from common.operations import (
    Operation,
    Post,
    PreparedPost,
    PublishedPost,
    Settlement,
    SignedIn,
)
from common.reconcile import ESTIMATE_SLACK_SECONDS, reach_of
from common.tasks.catalogue import TASK_TYPES

RESUME = {"upload_ids": "1"}
INTENT = new_id()
BEFORE = Baseline(post_ids=("1_9",), platform_time=1000.0)
NOW = 2000.0
CAPTION = "Harbour at dusk"
SENT = ["prepared", "uploaded", "sending", "sent"]
ABSENT = ["in_doubt", "reconciling", "proven_absent"]


def listed(number: int, caption: str | None = CAPTION, taken_at: float = NOW) -> ListedPost:
    return ListedPost(
        remote_id=f"{number}_9",
        url=f"http://{number}",
        kind=PostKind.PHOTO,
        caption=caption,
        taken_at=taken_at,
    )


Look = Sequence[ListedPost] | Exception
"""What one look at the account's list gives."""


class Story:
    """Everything that happened, in order; the journal, the context and the driver in one."""

    settlements: ClassVar = {Operation.PUBLISH: Settlement.PROBE}

    def __init__(
        self,
        state: ActionState = ActionState.PLANNED,
        *,
        session: str | None = "{}",
        caption: str = CAPTION,
        refuse: ActionState | None = None,
        refusal: FlotillaError | None = None,
        cancel_at: str = "",
        sends: Sequence[Exception] = (),
        looks: Sequence[Look] = ((),),
        seen_before: Sequence[ListedPost] = (),
        record: ActionRecord | None = None,
        clock_ahead: float | None = None,
    ) -> None:
        """`sends` fail one after the other before one works; the last of `looks` goes on."""
        self.told: list[str] = []
        self.steps: list[ActionStep] = []
        self.baselines: list[Baseline] = []
        self.asked_anew = False
        self._refuse = refuse
        self._refusal = refusal or StoreError("The disk is full.")
        self._cancel_at = cancel_at
        self._sends = list(sends)
        self._looks = list(looks)
        self._seen_before = seen_before
        self._clock_ahead = clock_ahead
        self._desk = StepDesk(self._journal)
        known = {"remote_id": "9", "remote_url": "http://9"}
        record = record or ActionRecord(
            action_id="action", state=state, **(known if state is ActionState.CONFIRMED else {})
        )
        self.action = JournaledAction("item", record, self._desk)
        self.item = _item(session, caption)
        self.account = self.item.account

    def file(self, sha256: str) -> Path:
        return Path(sha256)

    def log(self, level: str, text: str) -> None:
        pass

    def progress(self, step: str, fraction: float | None = None) -> None:
        pass

    def save_session(self, signed_in: SignedIn) -> None:
        raise AssertionError("an upload never signs in")

    def check_cancel(self) -> None:
        if self._cancel_at in self.told:
            raise OperationCancelledError("stopped")

    def plan_publish(self, post: Post) -> dict[str, str]:
        return RESUME

    async def prepare_publish(self, post: Post, resume: dict[str, str]) -> PreparedPost:
        assert resume == RESUME
        self.told.append("uploaded")
        return PreparedPost(post, resume, NOW)

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        self.told.append("sent")
        if self._sends:
            raise self._sends.pop(0)
        return PublishedPost("7", "http://7")

    async def take_baseline(self, *, fresh: bool = False) -> Baseline:
        self.asked_anew = fresh
        return BEFORE.model_copy(update={"clock_ahead": self._clock_ahead})

    async def find_published(self, since: Baseline, *, fresh: bool = True) -> Sequence[ListedPost]:
        if not fresh:
            return [post for post in self._seen_before if post.remote_id not in since.post_ids]
        self.baselines.append(since)
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if isinstance(look, Exception):
            raise look
        return look

    def _journal(self, step: ActionStep) -> None:
        self.told.append(step.state.value)
        self.steps.append(step)
        refused = step.state is self._refuse
        error = self._refusal.to_wire() if refused else None
        self._desk.answer(StepAnswer(step_id=step.step_id, error=error))


class WithoutEyes(Story):
    """A driver that can publish and not list."""

    settlements: ClassVar = {Operation.PUBLISH: Settlement.NONE}


def _item(session: str | None, caption: str) -> ItemSpec:
    media = MediaRef(
        sha256="0" * 64, size=1, name="a.jpg", kind=MediaKind.PHOTO, width=1080, height=1080
    )
    return ItemSpec(
        item_id="item",
        run_id="run",
        task="bulk_upload",
        title="A post",
        fence=1,
        account=AccountAccess(
            account_id="a",
            platform=Platform.PRACTICE,
            username="somebody",
            driver=DriverName.PRIVATE_API,
            session=SecretStr(session) if session else None,
        ),
        publish=PublishSpec(
            intent_id=INTENT,
            content_key="key",
            placement=Placement.FEED,
            kind=PostKind.PHOTO,
            media=[media],
            caption=caption,
        ),
    )


async def tell(story: Story) -> list[str]:
    await bulk_upload.run(story, story)
    return story.told


async def test_each_step_is_journaled_before_it_is_taken() -> None:
    assert await tell(Story()) == ["prepared", "uploaded", "sending", "sent", "confirmed"]


async def test_an_earlier_attempts_upload_is_repeated_under_new_ids_only_if_it_had_none() -> None:
    story = Story(ActionState.PREPARED)
    story.action.resume = RESUME
    assert await tell(story) == ["uploaded", "sending", "sent", "confirmed"]


async def test_what_is_proven_absent_starts_again() -> None:
    told = await tell(Story(ActionState.PROVEN_ABSENT))
    assert told == ["planned", "prepared", "uploaded", "sending", "sent", "confirmed"]


async def test_what_is_confirmed_is_done_without_a_step() -> None:
    story = Story(ActionState.CONFIRMED)
    assert await bulk_upload.run(story, story) == {"remote_id": "9", "url": "http://9"}
    assert story.told == []


@pytest.mark.parametrize(
    ("story", "error", "told"),
    [
        (lambda: Story(session=None), SessionExpiredError, []),
        (lambda: Story(ActionState.UNRESOLVED), AmbiguousEffectError, []),
        (
            lambda: WithoutEyes(ActionState.SENDING),
            AmbiguousEffectError,
            ["in_doubt", "unresolved"],
        ),
        (lambda: WithoutEyes(ActionState.IN_DOUBT), AmbiguousEffectError, ["unresolved"]),
        (lambda: Story(refuse=ActionState.PREPARED), StoreError, ["prepared"]),
        (
            lambda: Story(refuse=ActionState.SENDING),
            StoreError,
            ["prepared", "uploaded", "sending"],
        ),
        (
            lambda: Story(cancel_at="uploaded"),
            OperationCancelledError,
            ["prepared", "uploaded"],
        ),
    ],
    ids=[
        "no session",
        "unresolved",
        "sending, no eyes",
        "in doubt, no eyes",
        "no journal",
        "no fsync",
        "cancelled",
    ],
)
async def test_nothing_is_sent_where_it_must_not_be(
    story: Callable[[], Story], error: type[FlotillaError], told: list[str]
) -> None:
    made = story()
    with pytest.raises(error):
        await bulk_upload.run(made, made)
    assert made.told == told


async def test_the_baseline_is_journaled_with_sending_as_of_the_end_of_the_upload() -> None:
    story = Story()
    await tell(story)
    assert [step.baseline for step in story.steps] == [
        None,
        Baseline(post_ids=("1_9",), platform_time=NOW),
        None,
    ]


@pytest.mark.parametrize(
    "lost", [AmbiguousEffectError("no answer"), DriverError("odd"), ValueError("a defect")]
)
async def test_a_post_that_is_found_settles_the_doubt(lost: Exception) -> None:
    story = Story(sends=[lost], looks=[[listed(7)]])
    assert await bulk_upload.run(story, story) == {"remote_id": "7_9", "url": "http://7"}
    assert story.told == [*SENT, "in_doubt", "reconciling", "confirmed"]
    assert story.steps[-1].sighted == [listed(7)]
    assert story.baselines == [Baseline(post_ids=("1_9",), platform_time=NOW)]


async def test_a_post_that_shows_late_settles_the_doubt() -> None:
    story = Story(sends=[AmbiguousEffectError("no answer")], looks=[[], [listed(7)]])
    assert (await tell(story))[-2:] == ["reconciling", "confirmed"]


async def test_nothing_found_twice_is_proof_and_the_post_is_sent_again() -> None:
    story = Story(sends=[AmbiguousEffectError("no answer")])
    told = await tell(story)
    assert told == [*SENT, *ABSENT, "planned", "uploaded", "sending", "sent", "confirmed"]
    assert len(story.baselines) >= 3, "one look at once, two behind the bound"


async def test_what_never_arrives_is_given_up_and_is_proven_absent() -> None:
    story = Story(sends=[AmbiguousEffectError("no answer")] * 9)
    with pytest.raises(PlatformUnreachableError):
        await bulk_upload.run(story, story)
    assert story.told.count("sent") == 3
    assert story.action.state is ActionState.PROVEN_ABSENT


@pytest.mark.parametrize("refusal", [ContentRefusedError("no"), ProxyFailedError("no")])
async def test_an_error_that_proves_something_leaves_no_doubt(refusal: FlotillaError) -> None:
    story = Story(sends=[refusal])
    with pytest.raises(type(refusal)):
        await bulk_upload.run(story, story)
    assert not story.baselines
    assert story.action.state in (ActionState.PROVEN_ABSENT, ActionState.PREPARED)


@pytest.mark.parametrize(
    ("looks", "sighted"),
    [
        ([[listed(7, "another caption")]], 1),
        ([[listed(7), listed(8)]], 2),
        ([SessionExpiredError("signed out")], 0),
    ],
    ids=["another caption", "two alike", "no way to look"],
)
async def test_what_proves_nothing_is_left_to_a_person(looks: list[Look], sighted: int) -> None:
    story = Story(sends=[AmbiguousEffectError("no answer")], looks=looks)
    with pytest.raises(AmbiguousEffectError):
        await bulk_upload.run(story, story)
    assert story.told[-3:] == ["in_doubt", "reconciling", "unresolved"]
    assert len(story.steps[-1].sighted) == sighted
    assert story.steps[-1].note
    assert story.told.count("sent") == 1


@pytest.mark.parametrize("problem", [RateLimitedError("slow down"), KeyError("a defect")])
async def test_a_look_that_fails_is_no_absence(problem: Exception) -> None:
    story = Story(sends=[AmbiguousEffectError("no answer")], looks=[[], problem, [listed(7)]])
    assert (await tell(story)).count("sent") == 1
    assert story.action.remote_id == "7_9"


async def test_a_doubt_of_an_earlier_attempt_is_settled_before_anything_else() -> None:
    for state in (ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING):
        record = ActionRecord(action_id=INTENT, state=state, baseline=BEFORE)
        story = Story(record=record, looks=[[listed(7)]])
        told = await tell(story)
        assert told[-2:] == ["reconciling", "confirmed"]
        assert "uploaded" not in told
        assert story.baselines == [BEFORE]


async def test_a_doubt_without_a_baseline_looks_from_when_the_agent_took_the_post_over() -> None:
    record = ActionRecord(action_id=INTENT, state=ActionState.IN_DOUBT, accepted_at=1500.0)
    older = listed(6, taken_at=1500.0 - ESTIMATE_SLACK_SECONDS - 1)
    story = Story(record=record, looks=[[older, listed(7)]])
    assert await bulk_upload.run(story, story) == {"remote_id": "7_9", "url": "http://7"}
    (listed_from,) = story.baselines
    assert listed_from == reach_of(Baseline(platform_time=1500.0, is_estimate=True))


async def test_a_doubt_that_the_desktop_hands_over_looks_from_when_the_intent_was_made() -> None:
    known = Baseline(post_ids=("5_9",))
    record = ActionRecord(
        action_id=INTENT, state=ActionState.IN_DOUBT, baseline=known, accepted_at=9e9
    )
    story = Story(record=record, looks=[[listed(7, taken_at=9e8), listed(8, taken_at=8e9)]])
    await bulk_upload.run(story, story)
    assert story.action.remote_id == "8_9"
    estimate = Baseline(post_ids=("5_9",), platform_time=made_at(INTENT), is_estimate=True)
    assert story.baselines == [reach_of(estimate)]


async def test_a_post_that_settles_another_intent_is_not_taken_for_this_one() -> None:
    record = ActionRecord(
        action_id=INTENT, state=ActionState.IN_DOUBT, baseline=BEFORE, settled_ids=["7_9"]
    )
    story = Story(record=record, looks=[[listed(7)]])
    assert (await tell(story)).count("sent") == 1
    assert story.action.remote_id == "7"


async def test_a_clash_over_what_was_found_is_left_to_a_person() -> None:
    record = ActionRecord(action_id=INTENT, state=ActionState.IN_DOUBT, baseline=BEFORE)
    story = Story(
        record=record,
        looks=[[listed(7)]],
        refuse=ActionState.CONFIRMED,
        refusal=ConflictError("It may be another one."),
    )
    with pytest.raises(AmbiguousEffectError, match="It may be another one"):
        await bulk_upload.run(story, story)
    assert story.told == ["reconciling", "confirmed", "unresolved"]


async def test_a_stop_waits_for_the_verdict_and_keeps_it() -> None:
    lost = AmbiguousEffectError("no answer")
    found = Story(sends=[lost], looks=[[listed(7)]], cancel_at="in_doubt")
    assert (await tell(found))[-1] == "confirmed"

    absent = Story(sends=[lost], cancel_at="in_doubt")
    with pytest.raises(OperationCancelledError):
        await bulk_upload.run(absent, absent)
    assert absent.told == [*SENT, *ABSENT]


MINUTES = 60.0
CLOCKS = pytest.mark.parametrize("ahead", [10 * MINUTES, -10 * MINUTES], ids=["fast", "slow"])
"""Clocks of the agent against the platform's."""


@CLOCKS
async def test_a_wrong_clock_hides_no_post_whose_baseline_is_lost(ahead: float) -> None:
    """The disk was taken back to before it was sent: all that is known is when it was accepted."""
    record = ActionRecord(
        action_id=INTENT, state=ActionState.IN_DOUBT, accepted_at=NOW - 5.0 + ahead
    )
    story = Story(record=record, looks=[[listed(7)]], clock_ahead=ahead)
    assert await tell(story) == ["reconciling", "confirmed"]
    unsure = Story(record=record, looks=[[listed(7)]])
    if ahead > 0:
        with pytest.raises(AmbiguousEffectError):  # the platform told no time: a person is asked
            await bulk_upload.run(unsure, unsure)
        assert "sent" not in unsure.told
    else:
        assert "sent" not in await tell(unsure)


@CLOCKS
async def test_a_wrong_clock_makes_no_earlier_post_ours(ahead: float) -> None:
    """The owner has published one with the same words by hand, minutes before ours was planned."""
    by_hand = listed(6, taken_at=NOW - 5 * MINUTES)
    doubtful = ActionRecord(
        action_id=INTENT, state=ActionState.IN_DOUBT, accepted_at=NOW - 5.0 + ahead
    )
    story = Story(record=doubtful, looks=[[by_hand]], clock_ahead=ahead)
    with pytest.raises(AmbiguousEffectError):
        await bulk_upload.run(story, story)
    assert "sent" not in story.told, "whether it is ours a person says"
    fresh = taken_back(accepted_at=NOW - 5.0 + ahead)
    story = Story(record=fresh, seen_before=[by_hand], clock_ahead=ahead)
    assert await tell(story) == [*SENT, "confirmed"]
    assert story.action.remote_id == "7"


@CLOCKS
async def test_a_wrong_clock_sends_nothing_that_a_forgotten_history_has_sent(ahead: float) -> None:
    fresh = taken_back(accepted_at=NOW - 30.0 + ahead)
    story = Story(record=fresh, seen_before=[listed(7)], looks=[[listed(7)]], clock_ahead=ahead)
    assert await tell(story) == ["in_doubt", "reconciling", "confirmed"]
    assert "sent" not in story.told


def taken_back(**fields: object) -> ActionRecord:
    """An action whose history was lost: planned, although its post may be there."""
    record = ActionRecord(action_id=INTENT, state=ActionState.PLANNED, accepted_at=1500.0)
    return record.model_copy(update=fields)


async def test_a_post_that_is_there_already_is_found_instead_of_sent() -> None:
    story = Story(record=taken_back(), seen_before=[listed(7)], looks=[[listed(7)]])
    assert await tell(story) == ["in_doubt", "reconciling", "confirmed"]
    assert story.steps[0].baseline == Baseline(platform_time=1505.0)


@pytest.mark.parametrize(
    ("seen", "settled"),
    [
        (listed(7, taken_at=1499.0), []),
        (listed(7, "another caption"), []),
        (listed(7), ["7_9"]),
    ],
    ids=["older than the item", "another caption", "of another item"],
)
async def test_what_is_not_this_post_does_not_keep_it_from_being_sent(
    seen: ListedPost, settled: list[str]
) -> None:
    story = Story(record=taken_back(settled_ids=settled), seen_before=[seen])
    assert await tell(story) == [*SENT, "confirmed"]


async def test_a_post_without_a_caption_is_not_taken_for_another_one() -> None:
    story = Story(record=taken_back(), caption=" ", seen_before=[listed(7, "")])
    with pytest.raises(AmbiguousEffectError):
        await bulk_upload.run(story, story)
    assert story.told == ["in_doubt", "unresolved"]
    assert story.steps[-1].sighted == [listed(7, "")]


@pytest.mark.parametrize("caption", [CAPTION, ""])
async def test_a_post_that_a_person_said_to_be_another_one_keeps_nothing_back(caption: str) -> None:
    looked_at = Baseline(post_ids=("6_9",), platform_time=1500.0)
    record = taken_back(state=ActionState.PROVEN_ABSENT, baseline=looked_at)
    story = Story(record=record, caption=caption, seen_before=[listed(6, caption)])
    assert (await tell(story))[-1] == "confirmed"
    assert story.asked_anew
    (sent,) = (step.baseline for step in story.steps if step.state is ActionState.SENDING)
    assert sent == Baseline(post_ids=("1_9", "6_9"), platform_time=NOW)


@pytest.mark.parametrize("state", [ActionState.PROVEN_ABSENT, ActionState.PLANNED])
async def test_a_post_that_shows_after_a_persons_word_keeps_it_back(state: ActionState) -> None:
    looked_at = Baseline(post_ids=("6_9",), platform_time=1500.0)
    both = [listed(7), listed(6)]
    story = Story(
        record=taken_back(state=state, baseline=looked_at), seen_before=both, looks=[both]
    )
    assert await tell(story) == ["in_doubt", "reconciling", "confirmed"]
    assert story.action.remote_id == "7_9"
    assert story.steps[0].sighted == [listed(7)]


async def test_a_person_is_shown_every_post_that_may_be_one_without_a_caption() -> None:
    looked_at = Baseline(post_ids=("6_9",), platform_time=1500.0)
    record = taken_back(state=ActionState.PROVEN_ABSENT, baseline=looked_at)
    seen = [listed(8, ""), listed(7, ""), listed(6, "")]
    story = Story(record=record, caption="", seen_before=seen)
    with pytest.raises(AmbiguousEffectError):
        await bulk_upload.run(story, story)
    assert story.steps[-1].sighted == seen[:2]


async def test_a_driver_that_cannot_publish_is_refused() -> None:
    with pytest.raises(OperationUnsupportedError):
        await bulk_upload.run(Story(), object())


def test_every_task_type_has_its_side_at_the_agent() -> None:
    assert set(TASKS) == {task_type.kind for task_type in TASK_TYPES}


def test_a_task_type_of_a_newer_desktop_is_refused_by_name() -> None:
    with pytest.raises(NotFoundError, match="warp_drive"):
        task_for("warp_drive")
