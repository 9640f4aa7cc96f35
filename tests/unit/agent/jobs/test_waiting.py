"""Whose turn it is: first come first served within an account, in turn among accounts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.jobs.waiting import WaitingItem, WaitingItems
from agent.runners.messages import RunnerKind
from common.domain.ids import new_id

API = RunnerKind.API


def an_item(
    account: str,
    position: int,
    *,
    kind: RunnerKind = API,
    not_before: float = 0.0,
    blobs: tuple[str, ...] = (),
    publishes: bool = True,
    in_doubt: bool = False,
) -> WaitingItem:
    return WaitingItem(new_id(), 1, account, kind, position, not_before, blobs, publishes, in_doubt)


def take(queue: WaitingItems, kind: RunnerKind = API, now: float = 0.0) -> WaitingItem | None:
    return queue.take(kind, now, lambda _account: True)


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_each_item_runs_once_in_its_accounts_order(accounts: list[str]) -> None:
    queue = WaitingItems(lambda _sha256: True)
    for position, account in enumerate(accounts):
        queue.add(an_item(account, position))
    taken: list[WaitingItem] = []
    busy: list[str] = []
    while True:
        item = take(queue)
        if item is None:
            if not busy:
                break
            queue.release(busy.pop(0))
            continue
        assert item.account_id not in busy
        busy.append(item.account_id)
        taken.append(item)
    assert len(taken) == len(accounts)
    assert len(queue) == 0
    assert queue.accounts() == 0
    for account in set(accounts):
        positions = [item.position for item in taken if item.account_id == account]
        assert positions == sorted(positions)


def test_accounts_take_turns() -> None:
    queue = WaitingItems(lambda _sha256: True)
    for position, account in enumerate("aaabc"):
        queue.add(an_item(account, position))
    order = []
    for _ in range(5):
        item = take(queue)
        assert item is not None
        order.append(item.account_id)
        queue.release(item.account_id)
    assert order == ["a", "b", "c", "a", "a"]


def test_missing_file_and_early_hour_let_others_pass() -> None:
    here: set[str] = set()
    queue = WaitingItems(here.__contains__)
    queue.add(an_item("a", 1, blobs=("f" * 64,)))
    queue.add(an_item("a", 2, not_before=50.0))
    third = an_item("a", 3)
    queue.add(third)
    assert take(queue) == third
    queue.release("a")
    assert take(queue) is None
    assert queue.wake(10.0) == 50.0
    assert queue.wake(50.0) is None
    timed = take(queue, now=50.0)
    assert timed is not None
    assert timed.position == 2
    queue.release("a")
    here.add("f" * 64)
    queue.blob_arrived("f" * 64)
    late = take(queue)
    assert late is not None
    assert late.position == 1


def test_held_account_signs_in_and_does_not_publish() -> None:
    queue = WaitingItems(lambda _sha256: True)
    post, login = an_item("a", 1), an_item("a", 2, publishes=False)
    queue.add(post)
    queue.add(login)
    assert queue.hold("a", "other") == [post]
    assert take(queue) == login
    queue.release("a")
    assert take(queue) is None
    queue.lift("a", "other")
    assert take(queue) == post


def test_account_is_held_until_each_that_holds_it_is_settled() -> None:
    queue = WaitingItems(lambda _sha256: True)
    post = an_item("a", 1)
    queue.add(post)
    queue.hold("a", "one")
    queue.hold("a", "two")
    queue.lift("a", "one")
    assert take(queue) is None
    queue.lift("a", "two")
    assert take(queue) == post


def test_post_in_doubt_goes_first_and_alone_though_held_and_early() -> None:
    queue = WaitingItems(lambda _sha256: True)
    first, login = an_item("a", 1), an_item("a", 2, publishes=False)
    doubtful = an_item("a", 3, in_doubt=True, not_before=50.0)
    for item in (first, login, doubtful):
        queue.add(item)
    queue.hold("a", "other")
    assert queue.held_back(doubtful) == [first]
    assert not queue.may_publish("a", first.item_id)
    assert take(queue) == doubtful
    queue.release("a")
    assert take(queue) == login
    queue.release("a")
    assert take(queue) is None
    queue.lift("a", "other")
    assert take(queue) == first


def test_post_waits_while_another_of_its_account_waits_to_be_looked_for() -> None:
    here: set[str] = set()
    queue = WaitingItems(here.__contains__)
    first, doubtful = an_item("a", 1), an_item("a", 2, in_doubt=True, blobs=("f" * 64,))
    queue.add(first)
    queue.add(doubtful)
    assert take(queue) is None
    here.add("f" * 64)
    queue.blob_arrived("f" * 64)
    assert take(queue) == doubtful
    queue.release("a")
    assert take(queue) == first


def test_nobody_publishes_while_that_is_stopped_and_doubts_are_looked_at() -> None:
    queue = WaitingItems(lambda _sha256: True)
    post, login = an_item("a", 1), an_item("b", 2, publishes=False)
    doubtful = an_item("c", 3, in_doubt=True)
    for item in (post, login, doubtful):
        queue.add(item)
    queue.allow_publishing(False)
    assert {take(queue), take(queue)} == {login, doubtful}
    assert take(queue) is None
    queue.allow_publishing(True)
    assert take(queue) == post


def test_full_runner_keeps_the_turn() -> None:
    queue = WaitingItems(lambda _sha256: True)
    queue.add(an_item("a", 1))
    queue.add(an_item("b", 2))
    second = queue.take(API, 0.0, lambda account: account == "b")
    assert second is not None
    assert second.account_id == "b"
    first = take(queue)
    assert first is not None
    assert first.account_id == "a"


def test_both_kinds_of_one_account_keep_their_order() -> None:
    queue = WaitingItems(lambda _sha256: True)
    queue.add(an_item("a", 1, kind=RunnerKind.BROWSER))
    queue.add(an_item("a", 2))
    assert take(queue) is None
    first = take(queue, RunnerKind.BROWSER)
    assert first is not None
    queue.release("a")
    assert take(queue) is not None


def test_removed_item_never_runs() -> None:
    queue = WaitingItems(lambda _sha256: True)
    item = an_item("a", 1)
    queue.add(item)
    assert queue.remove(item.item_id) == item
    assert queue.remove(item.item_id) is None
    assert take(queue) is None
