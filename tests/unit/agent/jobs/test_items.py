"""Items in the journal: every rule of what may follow what, on a real file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.jobs import actions, holdings, items
from agent.jobs.database import open_database
from agent.jobs.sessions import save_session
from common.domain.accounts import DriverName
from common.domain.content import Baseline
from common.domain.states import ActionState, ItemState
from common.errors import (
    ConflictError,
    DuplicateIntentError,
    IllegalTransitionError,
    StaleFenceError,
    VaultError,
)
from common.items import ItemSpec
from common.protocol.events import ActionChanged, ItemChanged
from common.security.sealing import new_key
from tests.support.agent_items import SESSION, a_login, a_photo, a_publish, an_account
from tests.support.journal_file import JournalFile

STEPS = (ActionState.PREPARED, ActionState.SENDING, ActionState.CONFIRMED)


def with_doubt(item: ItemSpec, known: Baseline | None = None) -> ItemSpec:
    """The same item from a desktop that does not know whether the post exists."""
    assert item.publish is not None
    publish = item.publish.model_copy(update={"doubt": known or Baseline()})
    return item.model_copy(update={"publish": publish})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    opened = JournalFile(open_database(tmp_path / "journal.sqlite"))
    yield opened
    opened.connection.close()


def test_secrets_come_back_whole_and_go_when_the_item_ends(file: JournalFile) -> None:
    item = a_login(an_account())
    file.accept(item)
    assert file.start(item).item == item
    file.finish(item, ItemState.DONE)
    left = file.connection.execute("SELECT count(*) FROM item_access").fetchone()
    assert left == (0,)


def test_sealed_secrets_do_not_open_with_another_key(file: JournalFile) -> None:
    item = a_login(an_account())
    file.accept(item)
    file.key = new_key()
    with pytest.raises(VaultError):
        file.start(item)
    assert file.state(item)[0] == "assigned"


def test_newest_session_is_used_while_the_account_has_items(file: JournalFile) -> None:
    account = an_account()
    first, second = a_login(account), a_login(account)
    file.accept(first)
    file.accept(second)
    file.start(first)
    fresh = SecretStr("fresh")
    file.do(lambda transaction: save_session(transaction, account, fresh, "7", "ada"))
    file.finish(first, ItemState.DONE)
    started = file.start(second).item.account
    assert (started.session, started.session_version) == (fresh, 2)
    file.finish(second, ItemState.DONE)
    third = a_login(account)
    file.accept(third)
    assert file.start(third).item.account.session == SecretStr(SESSION)


def test_one_account_runs_one_item(file: JournalFile) -> None:
    account = an_account()
    first, second = a_login(account), a_login(account)
    file.accept(first)
    file.accept(second)
    file.start(first)
    with pytest.raises(sqlite3.IntegrityError):
        file.start(second)


@pytest.mark.parametrize("reached", [0, 1])
def test_failed_item_may_be_tried_again_while_nothing_was_sent(
    file: JournalFile, reached: int
) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS[:reached]:
        file.step(item, state)
    file.finish(item, ItemState.FAILED)
    again = item.model_copy(update={"attempt": 2})
    file.accept(again)
    assert file.state(again) == ("assigned", "planned")


@pytest.mark.parametrize(
    ("last", "said"), [("confirmed", "already published"), ("in_doubt", "may")]
)
def test_sent_post_is_never_taken_again(file: JournalFile, last: str, said: str) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in (ActionState.PREPARED, ActionState.SENDING, ActionState(last)):
        file.step(item, state, remote_id="r1" if last == state else "")
    file.finish(item, ItemState.DONE)
    if last == "in_doubt":
        file.start(item)
        file.step(item, ActionState.UNRESOLVED)
        file.finish(item, ItemState.NEEDS_OPERATOR)
        assert file.cancel(item)
    for copy in (item.model_copy(update={"attempt": 2}), a_publish(item.account)):
        with pytest.raises(DuplicateIntentError, match=said):
            file.accept(copy)


def test_other_intent_takes_over_a_key_that_was_never_sent(file: JournalFile) -> None:
    first = a_publish(an_account())
    file.accept(first)
    second = a_publish(first.account)
    with pytest.raises(DuplicateIntentError, match="on its way"):
        file.accept(second)
    file.cancel(first)
    file.accept(second)
    assert file.state(second) == ("assigned", "planned")
    with pytest.raises(DuplicateIntentError):
        file.accept(first.model_copy(update={"attempt": 2}))


def test_intent_of_one_post_cannot_carry_another(file: JournalFile) -> None:
    first = a_publish(an_account())
    file.accept(first)
    file.cancel(first)
    assert first.publish is not None
    other = a_publish(first.account, sha256="b" * 64)
    assert other.publish is not None
    forged = other.publish.model_copy(update={"intent_id": first.publish.intent_id})
    with pytest.raises(ConflictError, match="other media"):
        file.accept(other.model_copy(update={"publish": forged}))


def test_key_holds_when_the_user_id_becomes_known(file: JournalFile) -> None:
    unknown = an_account(is_known=False)
    first = a_publish(unknown, fence=3)
    file.accept(first)
    known = unknown.model_copy(update={"user_id": "7"})
    with pytest.raises(DuplicateIntentError):
        file.accept(a_publish(known, fence=3))
    with pytest.raises(StaleFenceError):
        file.accept(a_login(known, fence=2))


def test_one_account_under_two_names_has_one_post(file: JournalFile) -> None:
    """Removed from a store, imported again, and given the same post before its first sign-in."""
    known = an_account()
    first = a_publish(known)
    file.accept(first)
    file.start(first)
    for state in STEPS:
        file.step(first, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    file.finish(first, ItemState.DONE)
    with pytest.raises(DuplicateIntentError, match="already published"):
        file.accept(a_publish(an_account(is_known=False)))


def test_an_old_name_that_becomes_known_late_has_no_second_post(file: JournalFile) -> None:
    """The same post was published by one name while it waited under another."""
    known = an_account()
    waiting = a_publish(known)
    file.accept(waiting)
    renamed = an_account("ada.lovelace", is_known=False)
    file.publish(a_publish(renamed), "r1")
    file.accept(a_login(renamed.model_copy(update={"user_id": known.user_id})))
    with pytest.raises(DuplicateIntentError, match="already published"):
        file.start(waiting)


def test_a_doubt_under_one_name_holds_the_posts_of_the_other(file: JournalFile) -> None:
    known = an_account()
    file.accept(a_login(known))
    doubtful = a_publish(an_account(is_known=False))
    file.accept(doubtful)
    file.start(doubtful)
    for state in (ActionState.PREPARED, ActionState.SENDING, ActionState.IN_DOUBT):
        file.step(doubtful, state)
    other = a_publish(known, sha256="b" * 64)
    file.accept(other)
    with pytest.raises(ConflictError, match="not settled"):
        file.start(other)


def test_retry_waits_for_the_end_of_the_attempt_before(file: JournalFile) -> None:
    item = a_login(an_account())
    file.accept(item)
    with pytest.raises(ConflictError, match="not ended"):
        file.accept(item.model_copy(update={"attempt": 2}))
    file.cancel(item)
    file.accept(item.model_copy(update={"attempt": 2}))
    assert file.accept(item).later_attempt == 2


def test_a_post_that_was_being_sent_is_in_doubt_and_runs_again_to_look(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING)
    assert file.finish(item, ItemState.FAILED) is ItemState.ASSIGNED
    assert file.state(item) == ("assigned", "in_doubt")
    with pytest.raises(IllegalTransitionError):
        file.step(item, ActionState.PREPARED)
    assert [waiting.in_doubt for waiting in file.do(holdings.load_waiting)] == [True]


def test_a_look_that_is_always_interrupted_is_left_to_a_person(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING)
    ends = [file.finish(item, ItemState.FAILED, counted=True)]
    while ends[-1] is ItemState.ASSIGNED:
        file.start(item)
        ends.append(file.finish(item, ItemState.FAILED, counted=True))
    assert len(ends) == 11
    assert file.state(item) == ("needs_operator", "unresolved")


def test_done_without_a_confirmed_post_is_a_failure(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    assert file.finish(item, ItemState.DONE) is ItemState.FAILED


@pytest.mark.parametrize("said", [ItemState.CANCELLED, ItemState.FAILED, ItemState.NEEDS_OPERATOR])
def test_a_confirmed_post_is_done_whatever_its_runner_says(
    file: JournalFile, said: ItemState
) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    for state in STEPS:
        file.step(item, state, remote_id="r1" if state is ActionState.CONFIRMED else "")
    assert file.finish(item, said, cancelled=True) is ItemState.DONE
    (result,) = file.connection.execute("SELECT result FROM item").fetchone()
    assert '"r1"' in result


def test_a_runner_is_told_what_it_needs_to_look(file: JournalFile) -> None:
    account = an_account()
    earlier, item = a_publish(account, sha256="b" * 64), a_publish(account)
    file.publish(earlier, "r1")
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED, resume={"upload_id": "7"})
    baseline = Baseline(post_ids=("p1", "p2"), platform_time=1000.0)
    file.step(item, ActionState.SENDING, baseline=baseline)
    file.finish(item, ItemState.NEEDS_OPERATOR)
    told = file.start(item).action
    assert told is not None
    assert (told.state, told.baseline, told.settled_ids) == (ActionState.IN_DOUBT, baseline, ["r1"])
    assert told.resume == {"upload_id": "7"}
    assert told.accepted_at is not None
    sent = [event for event in file.events() if getattr(event, "state", "") == "sending"]
    assert [event.baseline for event in sent if isinstance(event, ActionChanged)][-1] == baseline


def test_the_newest_settled_posts_are_told_and_no_more(
    file: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "SETTLED_IDS", 3)
    account = an_account()
    for number in range(5):
        file.publish(a_publish(account, sha256=f"{number:064d}"), f"r{number}")
        file.connection.execute(
            "UPDATE action SET updated_at = ? WHERE remote_id = ?", (number, f"r{number}")
        )
    item = a_publish(account)
    file.accept(item)
    told = file.start(item).action
    assert told is not None
    assert told.settled_ids == ["r4", "r3", "r2"]


def test_files_are_needed_until_their_item_has_ended(file: JournalFile) -> None:
    photo = a_photo("c" * 64, 10)
    item = a_publish(an_account(), media=[photo])
    file.accept(a_login(an_account("bob")))
    file.accept(item)
    file.do(lambda transaction: items.pause(transaction, item.item_id))
    assert file.do(holdings.needed_blobs) == {photo.sha256}
    file.cancel(item)
    assert file.do(holdings.needed_blobs) == set()


def test_one_remote_post_settles_one_intent(file: JournalFile) -> None:
    account = an_account()
    first, second = a_publish(account), a_publish(account, sha256="b" * 64)
    file.publish(first, "r1")
    file.accept(second)
    file.start(second)
    file.step(second, ActionState.PREPARED)
    file.step(second, ActionState.SENDING)
    with pytest.raises(ConflictError, match="already settles"):
        file.step(second, ActionState.CONFIRMED, "r1")
    file.finish(second, ItemState.DONE)
    assert file.state(second) == ("assigned", "in_doubt")


def test_a_found_post_that_may_be_either_of_two_settles_neither(file: JournalFile) -> None:
    account = an_account()
    pair = [
        with_doubt(a_publish(account)),
        with_doubt(a_publish(account, sha256="b" * 64)),
    ]
    for item in pair:
        file.accept(item)
    file.start(pair[0])
    file.step(pair[0], ActionState.RECONCILING)
    with pytest.raises(ConflictError, match="which of them"):
        file.step(pair[0], ActionState.CONFIRMED, "r1")
    file.step(pair[0], ActionState.UNRESOLVED)
    assert file.finish(pair[0], ItemState.NEEDS_OPERATOR) is ItemState.NEEDS_OPERATOR
    file.say(pair[0], "there", "r1")
    file.start(pair[1])
    file.step(pair[1], ActionState.RECONCILING)
    file.step(pair[1], ActionState.CONFIRMED, "r2")
    assert file.finish(pair[1], ItemState.DONE) is ItemState.DONE


def test_nothing_is_sent_while_another_post_of_the_account_is_in_doubt(file: JournalFile) -> None:
    account = an_account()
    item = a_publish(account)
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.accept(with_doubt(a_publish(account, sha256="b" * 64)))
    with pytest.raises(ConflictError, match="not settled") as refused:
        file.step(item, ActionState.SENDING)
    ended = file.finish(item, ItemState.FAILED, error=refused.value.to_wire())
    assert ended is ItemState.ASSIGNED
    assert file.state(item) == ("assigned", "prepared")


def test_runner_that_cancels_by_itself_only_interrupts(file: JournalFile) -> None:
    item = a_login(an_account())
    file.accept(item)
    file.start(item)
    assert file.finish(item, ItemState.CANCELLED) is ItemState.ASSIGNED
    file.start(item)
    assert file.finish(item, ItemState.CANCELLED, cancelled=True) is ItemState.CANCELLED


def test_an_item_that_comes_with_a_doubt_is_looked_for_first(file: JournalFile) -> None:
    known = Baseline(post_ids=("p1",), platform_time=5.0)
    item = with_doubt(a_publish(an_account()), known)
    taken = file.accept(item).waiting
    assert taken is not None
    assert taken.in_doubt
    assert file.state(item) == ("assigned", "in_doubt")
    told = file.start(item).action
    assert told is not None
    assert told.baseline == known


def test_a_doubt_about_a_post_that_is_confirmed_here_is_answered(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.publish(item, "r1")
    again = with_doubt(item.model_copy(update={"attempt": 2}))
    file.accept(again)
    assert file.state(again) == ("assigned", "confirmed")
    told = file.start(again).action
    assert told is not None
    assert told.remote_id == "r1"
    assert file.finish(again, ItemState.DONE) is ItemState.DONE


def test_a_doubt_about_a_post_that_was_given_up_begins_a_new_look(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING, baseline=Baseline(post_ids=("mine",)))
    file.step(item, ActionState.IN_DOUBT)
    file.step(item, ActionState.UNRESOLVED)
    file.finish(item, ItemState.NEEDS_OPERATOR)
    file.cancel(item)
    again = with_doubt(item.model_copy(update={"attempt": 2}), Baseline(post_ids=("theirs",)))
    file.accept(again)
    assert file.state(again) == ("assigned", "in_doubt")
    told = file.start(again).action
    assert told is not None
    assert told.baseline == Baseline(post_ids=("mine",))


def test_what_became_of_a_known_attempt_is_told_again(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.publish(item, "r1")
    before = len(file.events())
    assert file.accept(item).waiting is None
    confirmed, done = file.events()[before:]
    assert isinstance(confirmed, ActionChanged)
    assert isinstance(done, ItemChanged)
    assert (confirmed.state, confirmed.remote_id) == (ActionState.CONFIRMED, "r1")
    assert (done.state, done.result["remote_id"]) == (ItemState.DONE, "r1")


def test_an_attempt_that_only_waits_is_not_told_again(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    before = len(file.events())
    file.accept(item)
    assert file.events()[before:] == []


def test_a_store_that_was_taken_back_hears_of_the_later_attempt(file: JournalFile) -> None:
    item = a_login(an_account())
    file.accept(item)
    file.cancel(item)
    later = item.model_copy(update={"attempt": 2})
    file.accept(later)
    file.cancel(later)
    before = len(file.events())
    assert file.accept(item).later_attempt == 2
    (told,) = file.events()[before:]
    assert isinstance(told, ItemChanged)
    assert (told.attempt, told.state) == (2, ItemState.CANCELLED)


@pytest.mark.parametrize("verb", [items.pause, items.resume, items.cancel])
def test_a_holder_that_was_replaced_commands_nothing(file: JournalFile, verb: object) -> None:
    account = an_account()
    item = a_login(account, fence=3)
    file.accept(item)
    file.accept(a_login(account, fence=5))
    assert callable(verb)
    with pytest.raises(StaleFenceError):
        file.do(lambda transaction: verb(transaction, item.item_id, 4))
    file.do(lambda transaction: items.pause(transaction, item.item_id, 7))
    with pytest.raises(StaleFenceError):
        file.do(lambda transaction: verb(transaction, item.item_id, 6))


def test_inventory_says_how_far_the_effects_are_and_which_fence_was_seen(
    file: JournalFile,
) -> None:
    account = an_account()
    item = a_publish(account, fence=2)
    file.accept(item)
    file.accept(a_login(account, fence=9))
    file.start(item)
    file.step(item, ActionState.PREPARED)
    rows = {row.item_id: row for row in file.do(holdings.inventory)}
    row = rows[item.item_id]
    assert item.publish is not None
    assert (row.action_id, row.action, row.fence) == (
        item.publish.intent_id,
        ActionState.PREPARED,
        9,
    )


def test_cancel_of_a_running_item_outlives_a_crash(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    assert file.cancel(item)
    assert file.finish(item, ItemState.CANCELLED) is ItemState.CANCELLED


def test_cancel_in_doubt_waits_for_the_verdict(file: JournalFile) -> None:
    item = a_publish(an_account())
    file.accept(item)
    file.start(item)
    file.step(item, ActionState.PREPARED)
    file.step(item, ActionState.SENDING)
    assert not file.cancel(item)
    file.finish(item, ItemState.FAILED)
    assert file.start(item).cancel_asked
    file.step(item, ActionState.RECONCILING)
    file.step(item, ActionState.PROVEN_ABSENT)
    assert file.finish(item, ItemState.CANCELLED) is ItemState.CANCELLED
    assert file.state(item) == ("cancelled", "proven_absent")


def test_drivers_of_this_release_have_a_runner() -> None:
    from agent.jobs.waiting import runner_kind

    assert [str(runner_kind(driver)) for driver in DriverName] == ["api", "api", "browser"]
