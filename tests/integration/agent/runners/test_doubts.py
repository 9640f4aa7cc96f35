"""What becomes of a post whose request ended badly: it exists once, by the platform's own ledger.

A real API runner with the real library, against the practice platform and its faults.
"""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from agent.runners.messages import (
    ActionRecord,
    ActionStep,
    CancelItem,
    ItemEnded,
    SessionFound,
    StartItem,
)
from common.access import AccountAccess
from common.domain.content import Baseline, NamedPost
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.operations import Post
from tests.support.driving import PASSWORD, photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess
from tests.support.runner_process import RunnerUnderTest, runner_process
from tests.support.sample_media import make_photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIGURE = "/api/v1/media/configure*"
FEED = "/api/v1/feed/user/*"
INFO = "/api/v1/media/*/info/"
S = ActionState
FOUND = [S.PREPARED, S.SENDING, S.IN_DOUBT, S.RECONCILING, S.CONFIRMED]
SENT_TWICE = [*FOUND[:-1], S.PROVEN_ABSENT, S.PLANNED, S.SENDING, S.CONFIRMED]


@dataclass
class Scene:
    """An account of its own that is signed in, a post for it, and where they meet."""

    practice: PracticeProcess
    account: AccountAccess
    folder: Path
    post: Post

    def fault(self, kind: str, route: str = CONFIGURE, **fields: object) -> None:
        """Let something go wrong for this account."""
        self.practice.fault(kind, route, account=self.account.username, **fields)

    def published(self) -> list[str]:
        """Ids of the account's posts, by the platform's ledger."""
        records = self.practice.ledger(kind="published")
        return [one["post_id"] for one in records if one["account"] == self.account.username]

    def faults_left(self) -> int:
        """How many faults of this account nothing has met."""
        waiting = self.practice.faults()
        return sum(one["account"] == self.account.username for one in waiting)

    def publish_by_phone(self, number: int, caption: str) -> None:
        """Publish a photo as the account's owner does, beside us."""
        phone = PracticeClient(self.practice.url)
        phone.login(self.account.username, PASSWORD)
        phone.publish_photo(make_photo(self.folder / "phone.jpg", number), caption)
        phone.close()

    def photo(self, number: int, caption: str) -> Post:
        """Another post."""
        return photo_post(make_photo(self.folder / f"{number}.jpg", number), caption)

    async def run(
        self, runner: RunnerUnderTest, record: ActionRecord | None = None, post: Post | None = None
    ) -> tuple[ItemEnded, list[ActionStep]]:
        """Run an item to its end; returns that and its steps."""
        start = upload_item(self.account, self.folder, post or self.post, record)
        runner.send(start)
        ended = await runner.ended(start.item.item_id)
        return ended, runner.steps(start.item.item_id)

    async def run_up_to(
        self, runner: RunnerUnderTest, state: ActionState
    ) -> tuple[StartItem, ActionStep]:
        """Run an item until its step into `state` waits to be journaled."""
        runner.hold_at = state
        start = upload_item(self.account, self.folder, self.post)
        runner.send(start)
        return start, await runner.held(start.item.item_id)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunnerUnderTest]:
    """A runner for every test that leaves it running."""
    log = tmp_path_factory.mktemp("runner") / "runner.log"
    async with runner_process("api", log) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def own(tmp_path: Path) -> AsyncIterator[RunnerUnderTest]:
    """A runner for one test, which may end it, or which must know nothing yet."""
    async with runner_process("api", tmp_path / "runner.log") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def scene(practice: PracticeProcess, runner: RunnerUnderTest, tmp_path: Path) -> Scene:
    account = seed_account(practice, f"doubt_{new_id()[-10:].lower()}")
    start = login_item(account, tmp_path)
    runner.send(start)
    found = await runner.wait_for(SessionFound, lambda one: one.item_id == start.item.item_id)
    await runner.ended(start.item.item_id)
    account = account.model_copy(update={"session": found.session, "user_id": found.user_id})
    post = photo_post(make_photo(tmp_path / "a.jpg"), "Harbour at dusk, früh ☀\n\n#sea")
    return Scene(practice, account, tmp_path, post)


@pytest.mark.parametrize(
    ("faults", "steps"),
    [
        ({"drop_after_apply": {}}, FOUND),
        ({"status_after_apply": {"status": 500}}, FOUND),
        ({"status_after_apply": {"status": 502, "body": "bad gateway"}}, FOUND),
        ({"apply_late": {"delay_ms": 600}}, FOUND),
        ({"drop_after_apply": {}, "list_late": {"delay_ms": 600}}, FOUND),
        ({"drop_before_apply": {}}, SENT_TWICE),
        ({"refuse_status": {"status": 500}}, SENT_TWICE),
        ({"refuse_status": {"status": 429, "body": {"message": "slow down"}}}, SENT_TWICE),
        ({"refuse_status": {"status": 404, "body": "Not Found"}}, SENT_TWICE),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
async def test_whatever_ends_the_request_the_post_is_there_once(
    scene: Scene,
    runner: RunnerUnderTest,
    faults: dict[str, dict[str, object]],
    steps: list[ActionState],
) -> None:
    for kind, fields in faults.items():
        scene.fault(kind, **fields)
    ended, taken = await scene.run(runner)
    assert ended.state is ItemState.DONE, ended.error
    assert [step.state for step in taken] == steps
    (remote_id,) = scene.published()
    assert ended.result["remote_id"] == taken[-1].remote_id == remote_id


async def test_the_journal_says_what_settled_it(scene: Scene, runner: RunnerUnderTest) -> None:
    await scene.run(runner)
    scene.fault("drop_after_apply")
    _, taken = await scene.run(runner, post=scene.photo(2, "The second"))
    first, second = scene.published()
    sending, confirmed = taken[1], taken[-1]
    assert sending.baseline
    assert sending.baseline.post_ids == (first,)
    assert abs((sending.baseline.platform_time or 0) - time.time()) < 60
    assert confirmed.note.startswith("found by its marks and time")
    assert [(one.remote_id, one.caption) for one in confirmed.sighted] == [(second, "The second")]


@pytest.mark.parametrize("route", [FEED, INFO])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("refuse_status", {"status": 500}),
        ("refuse_status", {"status": 429, "body": {"message": "slow down"}}),
        ("refuse_status", {"status": 503, "body": "<html>Sorry</html>"}),
        ("drop_before_apply", {}),
        ("drop_after_apply", {}),
    ],
)
async def test_a_list_that_cannot_be_read_is_no_absence(
    scene: Scene, runner: RunnerUnderTest, route: str, kind: str, fields: dict[str, object]
) -> None:
    scene.fault("drop_after_apply")
    start, held = await scene.run_up_to(runner, S.SENDING)
    scene.fault(kind, route, count=3, **fields)
    runner.let_go(held)
    ended = await runner.ended(start.item.item_id)
    assert ended.state is ItemState.DONE, ended.error
    assert [step.state for step in runner.steps(start.item.item_id)] == FOUND
    assert len(scene.published()) == 1
    assert scene.faults_left() == 0


async def test_a_session_that_ends_while_it_is_looked_for_leaves_it_to_a_person(
    scene: Scene, runner: RunnerUnderTest
) -> None:
    scene.fault("drop_after_apply")
    start, held = await scene.run_up_to(runner, S.SENDING)
    scene.fault("expire_session", FEED)
    runner.let_go(held)
    assert (await runner.ended(start.item.item_id)).state is ItemState.NEEDS_OPERATOR
    last = runner.steps(start.item.item_id)[-1]
    assert last.state is S.UNRESOLVED
    assert "no longer accepts the session" in last.note
    assert len(scene.published()) == 1


async def test_a_session_that_ends_before_the_request_publishes_nothing(
    scene: Scene, runner: RunnerUnderTest
) -> None:
    scene.fault("expire_session")
    ended, taken = await scene.run(runner)
    assert ended.error
    assert (ended.state, ended.error.code) == (ItemState.FAILED, "session_expired")
    assert taken[-1].state is S.PROVEN_ABSENT
    assert not scene.published()


async def test_a_post_by_hand_in_the_same_moment_is_not_taken_for_it(
    scene: Scene, runner: RunnerUnderTest
) -> None:
    scene.fault("drop_before_apply")
    start, held = await scene.run_up_to(runner, S.IN_DOUBT)
    scene.publish_by_phone(9, "By phone")
    runner.let_go(held)
    assert (await runner.ended(start.item.item_id)).state is ItemState.NEEDS_OPERATOR
    last = runner.steps(start.item.item_id)[-1]
    assert (last.state, [one.caption for one in last.sighted]) == (S.UNRESOLVED, ["By phone"])
    assert len(scene.published()) == 1


@pytest.mark.parametrize("caption", ["Harbour at dusk", ""])
@pytest.mark.parametrize("shows_late", [False, True])
async def test_only_what_a_person_has_not_looked_at_keeps_a_post_back(
    scene: Scene, runner: RunnerUnderTest, caption: str, shows_late: bool
) -> None:
    """Two posts by hand look like ours; a person says that it is neither of them."""
    post = scene.photo(1, caption)
    accepted_at = time.time()
    scene.fault("drop_before_apply")
    runner.hold_at = S.IN_DOUBT
    start = upload_item(scene.account, scene.folder, post)
    runner.send(start)
    held = await runner.held(start.item.item_id)
    for number in (8, 9):
        scene.publish_by_phone(number, caption)
    runner.let_go(held)
    assert (await runner.ended(start.item.item_id)).state is ItemState.NEEDS_OPERATOR
    steps = runner.steps(start.item.item_id)
    shown = [one.remote_id for one in steps[-1].sighted]
    assert sorted(shown) == sorted(scene.published())

    sent = next(one.baseline for one in steps if one.baseline)
    record = ActionRecord(
        action_id=held.action_id,
        state=S.PROVEN_ABSENT,
        baseline=sent.model_copy(update={"post_ids": (*sent.post_ids, *shown)}),
        accepted_at=accepted_at,
    )
    if shows_late:
        scene.publish_by_phone(7, caption)
    ended, taken = await scene.run(runner, record, post)
    newest = scene.published()[-1]
    assert len(scene.published()) == 3
    if not shows_late:
        assert ended.result["remote_id"] == newest
    elif caption:
        assert [step.state for step in taken] == [S.IN_DOUBT, S.RECONCILING, S.CONFIRMED]
        assert ended.result["remote_id"] == newest
    else:
        assert [step.state for step in taken] == [S.IN_DOUBT, S.UNRESOLVED]
        assert [one.remote_id for one in taken[-1].sighted] == [newest]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_doubt_from_before_a_crash_is_settled_by_the_next_run(
    scene: Scene, runner: RunnerUnderTest, own: RunnerUnderTest, arrived: bool
) -> None:
    start, held = await scene.run_up_to(own, S.CONFIRMED if arrived else S.SENDING)
    own.process.kill()
    await own.process.wait()
    record = ActionRecord(
        action_id=held.action_id,
        state=S.SENDING,
        resume=held.resume,
        baseline=next(one.baseline for one in own.steps(start.item.item_id) if one.baseline),
    )
    ended, taken = await scene.run(runner, record)
    assert ended.state is ItemState.DONE, ended.error
    assert (S.PROVEN_ABSENT in [step.state for step in taken]) is not arrived
    assert scene.published() == [taken[-1].remote_id]


async def test_a_post_that_the_journal_forgot_is_found_and_not_sent(
    scene: Scene, runner: RunnerUnderTest, own: RunnerUnderTest
) -> None:
    accepted_at = time.time() - 1
    await scene.run(runner)
    record = ActionRecord(action_id=new_id(), state=S.PLANNED, accepted_at=accepted_at)
    ended, taken = await scene.run(own, record)
    assert ended.state is ItemState.DONE, ended.error
    assert [step.state for step in taken] == [S.IN_DOUBT, S.RECONCILING, S.CONFIRMED]
    assert scene.published() == [taken[-1].remote_id]


async def test_a_doubt_that_the_desktop_hands_over_is_settled_by_looking(
    scene: Scene, runner: RunnerUnderTest, own: RunnerUnderTest
) -> None:
    intent_id = new_id()
    await scene.run(runner, post=scene.photo(3, "Before"))
    _, first = await scene.run(runner)
    record = ActionRecord(
        action_id=intent_id,
        state=S.IN_DOUBT,
        baseline=Baseline(post_ids=tuple(scene.published()[:1])),
        accepted_at=time.time(),
    )
    ended, taken = await scene.run(own, record)
    assert ended.result == {"remote_id": first[-1].remote_id, "url": first[-1].remote_url}
    assert [step.state for step in taken] == [S.RECONCILING, S.CONFIRMED]
    assert len(scene.published()) == 2


@pytest.mark.parametrize(
    ("kind", "state", "posts"),
    [
        ("drop_after_apply", ItemState.DONE, 1),
        ("drop_before_apply", ItemState.CANCELLED, 0),
    ],
)
async def test_a_cancel_waits_for_the_verdict(
    scene: Scene, runner: RunnerUnderTest, kind: str, state: ItemState, posts: int
) -> None:
    scene.fault(kind)
    start, held = await scene.run_up_to(runner, S.RECONCILING)
    runner.send(CancelItem(item_id=start.item.item_id))
    runner.let_go(held)
    assert (await runner.ended(start.item.item_id)).state is state
    assert len(scene.published()) == posts


async def test_a_stop_does_not_wait_for_the_bound_and_the_doubt_stays(
    scene: Scene, own: RunnerUnderTest
) -> None:
    scene.fault("drop_after_apply")
    start, _ = await scene.run_up_to(own, S.RECONCILING)
    assert await own.stop() == 0
    ended = await own.ended(start.item.item_id)
    assert ended.error
    assert (ended.state, ended.error.code) == (ItemState.NEEDS_OPERATOR, "ambiguous_effect")
    assert len(scene.published()) == 1


async def test_a_stop_while_sending_waits_for_the_answer_and_leaves_a_doubt(
    scene: Scene, own: RunnerUnderTest
) -> None:
    scene.fault("delay_ms", delay_ms=500)
    scene.fault("drop_before_apply")
    start, held = await scene.run_up_to(own, S.SENDING)
    own.let_go(held)
    assert await own.stop() == 0
    assert (await own.ended(start.item.item_id)).state is ItemState.NEEDS_OPERATOR
    states = [step.state for step in own.steps(start.item.item_id)]
    assert states[:3] == FOUND[:3]
    assert S.PROVEN_ABSENT not in states
    assert not scene.published()


async def test_many_posts_of_an_account_ask_for_its_list_once(
    scene: Scene, own: RunnerUnderTest
) -> None:
    before = scene.practice.metrics()["requests"]
    for number in range(4):
        ended, _ = await scene.run(own, post=scene.photo(number, f"Photo {number}"))
        assert ended.state is ItemState.DONE, ended.error
    assert scene.practice.metrics()["requests"] - before == 4 * 2 + 1


def named_record(post_id: str, practice: PracticeProcess) -> ActionRecord:
    """An effect of which a person says that it is this post."""
    post = NamedPost(remote_id=post_id, url=f"{practice.url}/p/shown/", by="Ann")
    record = ActionRecord(action_id=new_id(), state=S.IN_DOUBT, accepted_at=time.time())
    return record.model_copy(update={"named": post})


async def test_a_post_that_a_person_names_is_confirmed_by_the_platform(
    scene: Scene, runner: RunnerUnderTest
) -> None:
    scene.publish_by_phone(7, "Its caption was mended since")
    (mine,) = scene.published()
    ended, taken = await scene.run(runner, named_record(mine, scene.practice))
    assert ended.state is ItemState.DONE, ended.error
    (step,) = taken
    assert (step.state, step.remote_id) == (S.CONFIRMED, mine)
    assert step.note == "the platform shows it on this account"
    assert scene.published() == [mine]


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_post_of_somebody_else_or_none_is_not_taken_for_it(
    scene: Scene, runner: RunnerUnderTest, is_there: bool
) -> None:
    scene.publish_by_phone(7, scene.post.caption)
    (mine,) = scene.published()
    named = "3000000000000000001_7"
    if is_there:
        other = seed_account(scene.practice, f"{scene.account.username}.other")
        stranger = replace(scene, account=other)
        stranger.publish_by_phone(8, "A stranger's")
        (named,) = stranger.published()
    ended, taken = await scene.run(runner, named_record(named, scene.practice))
    assert ended.state is ItemState.NEEDS_OPERATOR
    (step,) = taken
    assert step.state is S.UNRESOLVED
    assert ("belongs to another account" if is_there else "is not on the platform") in step.note
    assert "Ann named" in step.note
    assert [one.remote_id for one in step.sighted] == [mine], "what is there, to choose from"
    assert scene.published() == [mine]


@pytest.mark.parametrize("status", [500, 404])
async def test_a_person_is_believed_where_the_platform_cannot_be_asked(
    scene: Scene, runner: RunnerUnderTest, status: int
) -> None:
    scene.fault("refuse_status", INFO, status=status, count=2)
    ended, taken = await scene.run(runner, named_record("7_42", scene.practice))
    assert ended.state is ItemState.DONE, ended.error
    (step,) = taken
    assert (step.state, step.remote_id) == (S.CONFIRMED, "7_42")
    assert step.note.startswith("taken on that word, not checked: ")
    assert scene.published() == []
