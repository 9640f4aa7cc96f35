"""What a bulk upload does in which order, over a journal and a driver that only remember."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.runners.action import JournaledAction, StepDesk
from agent.runners.messages import ActionRecord, ActionStep, StepAnswer
from agent.tasks import bulk_upload
from agent.tasks.catalogue import TASKS, task_for
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, Placement, PostKind
from common.domain.states import ActionState
from common.errors import (
    AmbiguousEffectError,
    FlotillaError,
    NotFoundError,
    OperationCancelledError,
    OperationUnsupportedError,
    SessionExpiredError,
    StoreError,
)
from common.items import ItemSpec, MediaRef, PublishSpec
from common.operations import Post, PreparedPost, PublishedPost, SignedIn
from common.tasks.catalogue import TASK_TYPES

RESUME = {"upload_ids": "1"}


class Story:
    """Everything that happened, in order; the journal, the context and the driver in one."""

    def __init__(
        self,
        state: ActionState = ActionState.PLANNED,
        *,
        session: str | None = "{}",
        refuse: ActionState | None = None,
        cancel_at: str = "",
    ) -> None:
        self.told: list[str] = []
        self._refuse = refuse
        self._cancel_at = cancel_at
        self._desk = StepDesk(self._journal)
        record = ActionRecord(action_id="action", state=state, remote_id="9", remote_url="http://9")
        self.action = JournaledAction("item", record, self._desk)
        self.item = _item(session)
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
        return PreparedPost(post, resume)

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        self.told.append("sent")
        return PublishedPost("7", "http://7")

    def _journal(self, step: ActionStep) -> None:
        self.told.append(step.state.value)
        refused = step.state is self._refuse
        error = StoreError("The disk is full.").to_wire() if refused else None
        self._desk.answer(StepAnswer(step_id=step.step_id, error=error))


def _item(session: str | None) -> ItemSpec:
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
            intent_id="action",
            content_key="key",
            placement=Placement.FEED,
            kind=PostKind.PHOTO,
            media=[media],
            caption="",
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
        (lambda: Story(ActionState.SENDING), AmbiguousEffectError, []),
        (lambda: Story(ActionState.IN_DOUBT), AmbiguousEffectError, []),
        (lambda: Story(ActionState.UNRESOLVED), AmbiguousEffectError, []),
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
    ids=["no session", "sending", "in doubt", "unresolved", "no journal", "no fsync", "cancelled"],
)
async def test_nothing_is_sent_where_it_must_not_be(
    story: type[Story], error: type[FlotillaError], told: list[str]
) -> None:
    made = story()
    with pytest.raises(error):
        await bulk_upload.run(made, made)
    assert made.told == told


async def test_a_driver_that_cannot_publish_is_refused() -> None:
    with pytest.raises(OperationUnsupportedError):
        await bulk_upload.run(Story(), object())


def test_every_task_type_has_its_side_at_the_agent() -> None:
    assert set(TASKS) == {task_type.kind for task_type in TASK_TYPES}


def test_a_task_type_of_a_newer_desktop_is_refused_by_name() -> None:
    with pytest.raises(NotFoundError, match="warp_drive"):
        task_for("warp_drive")
