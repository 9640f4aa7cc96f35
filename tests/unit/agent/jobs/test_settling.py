"""A person's word on a post in doubt: what it makes of the post, and of its item."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.jobs import doubts, endings, holdings, items
from agent.jobs.actions import action_of_item
from agent.jobs.database import open_database
from agent.jobs.journal import Transaction
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, ListedPost, NamedPost, PostKind
from common.domain.states import ActionState, ItemState
from common.errors import ConflictError, InputError, ProxyFailedError, StaleFenceError
from common.items import ItemSpec
from common.limits.rules import visibility_of
from common.protocol.events import ActionChanged, ItemChanged
from tests.support.agent_items import a_publish, an_account
from tests.support.journal_file import JournalFile

BOUND = visibility_of(Platform.PRACTICE, DriverName.PRIVATE_API).bound


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    opened = JournalFile(open_database(tmp_path / "journal.sqlite"))
    yield opened
    opened.connection.close()


@pytest.fixture
def asked(file: JournalFile) -> ItemSpec:
    """An item that waits for a person's word."""
    item = a_publish(an_account())
    file.accept(item)
    send_into_doubt(file, item)
    return item


def send_into_doubt(file: JournalFile, item: ItemSpec, *seen: str) -> None:
    """Send it, and ask a person, who sees these posts."""
    file.start(item)
    before = Baseline(post_ids=("r0",), platform_time=1000.0)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING, baseline=before)
    file.step(item, ActionState.IN_DOUBT)
    sighted = [ListedPost(remote_id=one, url=f"http://127.0.0.1/{one}") for one in seen]
    file.step(item, ActionState.UNRESOLVED, sighted=sighted)
    file.finish(item, ItemState.NEEDS_OPERATOR)
    assert file.state(item) == ("needs_operator", "unresolved")


def told_last(file: JournalFile) -> ActionChanged:
    return [event for event in file.events() if isinstance(event, ActionChanged)][-1]


def test_it_is_there(file: JournalFile, asked: ItemSpec) -> None:
    for _ in range(2):
        file.say(asked, "there", "r1")
        assert file.state(asked) == ("done", "confirmed")
    told = told_last(file)
    assert (told.remote_id, told.by) == ("r1", "Astrid")
    with pytest.raises(ConflictError, match="settled already"):
        file.say(asked, "there", "r2")
    with pytest.raises(ConflictError, match="is published"):
        file.say(asked, "absent")


def test_a_desktop_that_has_lost_the_end_of_an_item_is_told_again(
    file: JournalFile, asked: ItemSpec
) -> None:
    file.say(asked, "there", "r1")
    told = len(file.events())
    file.say(asked, "there", "r1")
    (again,) = file.events()[told:]
    assert isinstance(again, ItemChanged)
    assert (again.item_id, again.state) == (asked.item_id, ItemState.DONE)


def test_nobody_is_asked_about_posts_that_settle_other_items_by_now(
    file: JournalFile, asked: ItemSpec
) -> None:
    looking = a_publish(an_account(), sha256="b" * 64)
    file.accept(looking)
    file.force(looking, ItemState.RUNNING, ActionState.RECONCILING)
    file.say(asked, "there", "r1")
    seen = [ListedPost(remote_id=one, url=f"http://127.0.0.1/{one}") for one in ("r1", "r2")]
    with pytest.raises(ConflictError, match="settles another item"):
        file.step(looking, ActionState.UNRESOLVED, sighted=seen[:1])
    assert file.state(looking) == ("running", "reconciling")
    file.step(looking, ActionState.UNRESOLVED, sighted=seen)


def test_it_is_not_there_and_is_published_again(file: JournalFile, asked: ItemSpec) -> None:
    for _ in range(2):
        file.say(asked, "absent")
        assert file.state(asked) == ("assigned", "proven_absent")
    assert [waiting.in_doubt for waiting in file.do(holdings.load_waiting)] == [False]
    file.ahead += BOUND
    file.start(asked)
    file.step(asked, ActionState.PLANNED)
    with pytest.raises(ConflictError, match="at work"):
        file.say(asked, "absent")


@pytest.mark.parametrize("does_close", [False, True])
def test_nothing_is_sent_while_the_platform_may_still_show_what_a_person_did_not_see(
    file: JournalFile, asked: ItemSpec, does_close: bool
) -> None:
    other = a_publish(asked.account, sha256="b" * 64)
    file.accept(other)
    if does_close:
        file.cancel(asked)
    else:
        file.say(asked, "absent")
    waiting = [other] if does_close else [asked, other]
    for item in waiting:
        with pytest.raises(ConflictError, match="may still show"):
            file.start(item)
    file.ahead += BOUND
    file.start(waiting[0])


def test_what_a_person_did_not_see_takes_its_turn_once_it_would_show(
    file: JournalFile, asked: ItemSpec
) -> None:
    action = file.do(lambda transaction: action_of_item(transaction, asked.item_id))
    assert action is not None
    standing = file.say(asked, "absent")
    assert standing.waiting is not None
    assert standing.waiting.not_before == action.unseen_until > time.time() - BOUND


def test_what_a_look_has_settled_keeps_nothing_back(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in ("prepared", "sending", "in_doubt", "reconciling", "proven_absent", "planned"):
        file.step(item, ActionState(state))
    file.step(item, ActionState.SENDING)


@pytest.mark.parametrize(
    ("kind", "caption", "found"),
    [
        (PostKind.REEL, "Café", None),
        (PostKind.PHOTO, "Cafe\u0301", PostKind.PHOTO),
        (PostKind.PHOTO, " Café\n", PostKind.PHOTO),
    ],
)
def test_what_is_found_may_be_another_post_in_doubt_as_looks_compare_them(
    file: JournalFile, kind: PostKind, caption: str, found: PostKind | None
) -> None:
    account = an_account()
    one = with_content(a_publish(account), PostKind.PHOTO, "Café")
    two = with_content(a_publish(account, sha256="b" * 64), kind, caption)
    for item in (one, two):
        file.accept(item)
    file.do(doubts.doubt_unfinished)
    file.start(one)
    file.step(one, ActionState.RECONCILING)
    post = ListedPost(remote_id="r1", url="http://127.0.0.1/r1", kind=found)
    with pytest.raises(ConflictError, match="same caption"):
        file.step(one, ActionState.CONFIRMED, "r1", sighted=[post])


def test_what_is_found_is_not_another_kind_of_post(file: JournalFile) -> None:
    account = an_account()
    one = with_content(a_publish(account), PostKind.PHOTO, "Café")
    two = with_content(a_publish(account, sha256="b" * 64), PostKind.REEL, "Café")
    for item in (one, two):
        file.accept(item)
    file.do(doubts.doubt_unfinished)
    file.start(one)
    file.step(one, ActionState.RECONCILING)
    post = ListedPost(remote_id="r1", url="http://127.0.0.1/r1", kind=PostKind.PHOTO)
    file.step(one, ActionState.CONFIRMED, "r1", sighted=[post])
    assert file.state(one)[1] == "confirmed"


def with_content(item: ItemSpec, kind: PostKind, caption: str) -> ItemSpec:
    assert item.publish is not None
    publish = item.publish.model_copy(update={"kind": kind, "caption": caption})
    return item.model_copy(update={"publish": publish})


def test_what_a_person_saw_and_did_not_know_again_is_left_out_from_then_on(
    file: JournalFile,
) -> None:
    item = a_publish(an_account())
    file.accept(item)
    send_into_doubt(file, item, "r1", "r2")
    file.say(item, "absent")
    expected = Baseline(post_ids=("r0", "r1", "r2"), platform_time=1000.0)
    assert told_last(file).baseline == expected
    file.ahead += BOUND
    started = file.start(item)
    assert started.action is not None
    assert started.action.baseline == expected


def test_what_a_person_said_outlives_a_failure_and_a_retry(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    send_into_doubt(file, item, "r1")
    file.say(item, "absent")
    file.ahead += BOUND
    file.start(item)
    file.finish(item, ItemState.FAILED)
    again = item.model_copy(update={"attempt": 2})
    file.accept(again)
    started = file.start(again)
    assert started.action is not None
    assert started.action.state is ActionState.PLANNED
    assert started.action.baseline == Baseline(post_ids=("r0", "r1"), platform_time=1000.0)


def test_only_what_was_on_the_last_card_was_looked_at(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    send_into_doubt(file, item, "r1")
    file.say(item, "look_again")
    file.start(item)
    file.step(item, ActionState.RECONCILING)
    file.step(item, ActionState.UNRESOLVED)
    file.finish(item, ItemState.NEEDS_OPERATOR)
    file.say(item, "absent")
    assert told_last(file).baseline == Baseline(post_ids=("r0",), platform_time=1000.0)


@pytest.mark.parametrize("verdict", ["absent", "look_again"])
def test_a_word_that_is_told_again_does_not_speak_of_a_later_doubt(
    file: JournalFile, asked: ItemSpec, verdict: str
) -> None:
    """The link broke before the answer to the first telling came through."""
    file.say(asked, "absent", word="w1")
    file.ahead += BOUND
    file.start(asked)
    file.say(asked, "absent", word="w1")
    file.step(asked, ActionState.PLANNED)
    file.step(asked, ActionState.SENDING)
    file.finish(asked, ItemState.FAILED)
    assert file.state(asked) == ("assigned", "in_doubt")
    file.say(asked, "absent", word="w1")
    assert file.state(asked) == ("assigned", "in_doubt")
    file.start(asked)
    file.step(asked, ActionState.UNRESOLVED)
    file.finish(asked, ItemState.NEEDS_OPERATOR)
    file.say(asked, "absent", word="w1")
    assert file.state(asked) == ("needs_operator", "unresolved")
    file.say(asked, verdict, word="w2")
    assert file.state(asked)[0] == "assigned"


def test_it_is_looked_for_again(file: JournalFile, asked: ItemSpec) -> None:
    for _ in range(2):
        file.say(asked, "look_again")
        assert file.state(asked) == ("assigned", "in_doubt")
    assert [waiting.in_doubt for waiting in file.do(holdings.load_waiting)] == [True]


def test_a_post_that_waits_to_be_looked_for_may_be_settled_at_once(
    file: JournalFile, asked: ItemSpec
) -> None:
    file.say(asked, "look_again")
    file.say(asked, "absent")
    assert file.state(asked) == ("assigned", "proven_absent")


def test_a_post_that_waits_to_be_looked_for_may_be_there(
    file: JournalFile, asked: ItemSpec
) -> None:
    file.say(asked, "look_again")
    file.do(lambda transaction: items.pause(transaction, asked.item_id))
    file.say(asked, "there", "r1")
    assert file.state(asked) == ("done", "confirmed")


def test_a_cancel_that_was_asked_before_counts_once_it_is_not_there(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in (ActionState.PREPARED, ActionState.SENDING):
        file.step(item, state)
    assert not file.cancel(item)
    for state in (ActionState.IN_DOUBT, ActionState.UNRESOLVED):
        file.step(item, state)
    file.finish(item, ItemState.NEEDS_OPERATOR)
    file.say(item, "absent")
    assert file.state(item) == ("cancelled", "proven_absent")


def test_a_closed_item_stays_closed_and_its_post_may_still_be_settled(
    file: JournalFile, asked: ItemSpec
) -> None:
    assert file.cancel(asked)
    with pytest.raises(ConflictError, match="has ended"):
        file.say(asked, "look_again")
    file.say(asked, "there", "r1")
    assert file.state(asked) == ("cancelled", "confirmed")


def test_one_post_settles_one_doubt(file: JournalFile, asked: ItemSpec) -> None:
    other = a_publish(an_account("ada"), sha256="b" * 64)
    file.say(asked, "there", "r1")
    file.accept(other)
    file.force(other, ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    with pytest.raises(ConflictError, match="already settles"):
        file.say(other, "there", "r1")
    assert file.state(other) == ("needs_operator", "unresolved")


def test_a_word_without_a_post_or_of_a_replaced_holder_counts_for_nothing(
    file: JournalFile, asked: ItemSpec
) -> None:
    with pytest.raises(InputError, match="Name the post"):
        file.say(asked, "there")
    file.say(asked, "look_again", fence=4)
    with pytest.raises(StaleFenceError):
        file.say(asked, "absent", fence=3)


def test_what_is_known_elsewhere_settles_a_post_that_was_never_sent_here(
    file: JournalFile,
) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.say(item, "there", "r1")
    assert file.state(item) == ("done", "confirmed")


def test_a_post_that_a_person_names_is_checked_by_the_item_itself(
    file: JournalFile, asked: ItemSpec
) -> None:
    for _ in range(2):
        file.say(asked, "there", "r1", word="w1", check=True)
        assert file.state(asked) == ("assigned", "in_doubt")
    told = told_last(file)
    assert told.by == "Astrid"
    assert "Astrid named r1" in told.note
    assert [waiting.in_doubt for waiting in file.do(holdings.load_waiting)] == [True]
    started = file.start(asked)
    assert started.action is not None
    assert started.action.named == NamedPost(remote_id="r1", by="Astrid")
    file.step(asked, ActionState.CONFIRMED, remote_id="r1", note="the platform shows it")
    told = told_last(file)
    assert (told.remote_id, told.by, told.note) == ("r1", "Astrid", "the platform shows it")


def test_a_post_that_is_none_of_the_account_brings_the_question_back(
    file: JournalFile, asked: ItemSpec
) -> None:
    file.say(asked, "there", "r1", check=True)
    file.start(asked)
    file.step(asked, ActionState.UNRESOLVED, note="r1 belongs to another account")
    file.finish(asked, ItemState.NEEDS_OPERATOR)
    assert file.state(asked) == ("needs_operator", "unresolved")
    file.say(asked, "look_again")
    started = file.start(asked)
    assert started.action is not None
    assert started.action.named is None


def test_the_check_outlives_the_agent(file: JournalFile, asked: ItemSpec) -> None:
    file.say(asked, "there", "r1", check=True)
    file.start(asked)
    file.do(lambda transaction: endings.recover(transaction, row_of(transaction, asked), 0))
    assert file.state(asked) == ("assigned", "in_doubt")
    started = file.start(asked)
    assert started.action is not None
    assert started.action.named is not None


def test_a_word_that_cannot_be_checked_at_all_is_taken(file: JournalFile, asked: ItemSpec) -> None:
    """The item ends before it can even ask: its proxy is dead, its browser does not open."""
    file.say(asked, "there", "r1", check=True)
    file.start(asked)
    dead = ProxyFailedError("The proxy is dead.").to_wire()
    file.finish(asked, ItemState.FAILED, counted=True, error=dead)
    assert file.state(asked) == ("done", "confirmed")
    told = told_last(file)
    assert (told.remote_id, told.by) == ("r1", "Astrid")
    assert "not checked: The proxy is dead" in told.note


def test_a_post_is_not_checked_for_an_item_that_does_not_run(
    file: JournalFile, asked: ItemSpec
) -> None:
    file.say(asked, "look_again")
    file.do(lambda transaction: items.pause(transaction, asked.item_id))
    file.say(asked, "there", "r1", check=True)
    assert file.state(asked) == ("done", "confirmed")
    assert "not checked" in told_last(file).note


def test_a_post_that_settles_another_item_is_not_even_checked(
    file: JournalFile, asked: ItemSpec
) -> None:
    other = a_publish(an_account("ada"), sha256="b" * 64)
    file.say(asked, "there", "r1")
    file.accept(other)
    file.force(other, ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    with pytest.raises(ConflictError, match="settles another"):
        file.say(other, "there", "r1", check=True)
    assert file.state(other) == ("needs_operator", "unresolved")


def row_of(transaction: Transaction, item: ItemSpec) -> items.ItemRow:
    return items.require(transaction, item.item_id)
