"""What readers see of posts that are listed late."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from practice.publishing import Publisher
from practice.state.accounts import NewAccount
from practice.state.listings import Listings
from practice.state.platform import PlatformState
from practice.values import Account, MediaItem, Post, RequestContext

CONTEXT = RequestContext("test", "private_api")
PHOTO = MediaItem("photo", "ab" * 32, 1080, 1350)
LATE_MS = 5_000


@pytest.fixture
def state(tmp_path: Path) -> Iterator[PlatformState]:
    with contextlib.closing(PlatformState(tmp_path)) as opened:
        yield opened


@pytest.fixture
def ada(state: PlatformState) -> Account:
    return state.create_account(NewAccount("ada", "secret"), CONTEXT)


def publish(state: PlatformState, account: Account, *, late_ms: int = 0) -> Post:
    context = replace(CONTEXT, list_late_ms=late_ms)
    return Publisher(state).publish(account, (PHOTO,), ("1",), "", "feed", context)


def published_at(state: PlatformState) -> float:
    (line,) = state.ledger.lines_after(state.ledger.last_sequence - 1, 1)
    return datetime.fromisoformat(line.split(b'"at":"')[1].split(b'"')[0].decode()).timestamp()


def seen(listings: Listings, post: Post) -> set[bool]:
    """Whether a post is there, once for each way to look for it."""
    return {
        listings.by_pk(post.pk) == post,
        listings.by_code(post.code) == post,
        post in listings.page_of(post.user_id, 10)[0],
        post in listings.newest(10),
        listings.count_of(post.user_id) == 1,
    }


def test_a_post_listed_late_is_nowhere_until_its_time(state: PlatformState, ada: Account) -> None:
    post = publish(state, ada, late_ms=LATE_MS)
    made = published_at(state)
    assert list(state.posts.of_user(ada.user_id)) == [post]
    for after, expected in ((0.0, False), (4.9, False), (5.1, True)):
        listings = Listings(state.posts, itertools.repeat(made + after).__next__)
        assert seen(listings, post) == {expected}


def test_the_delay_outlives_the_platform(tmp_path: Path) -> None:
    with contextlib.closing(PlatformState(tmp_path)) as old:
        ada = old.create_account(NewAccount("ada", "secret"), CONTEXT)
        post = publish(old, ada, late_ms=10 * LATE_MS)
    with contextlib.closing(PlatformState(tmp_path)) as new:
        assert list(new.posts.of_user(ada.user_id)) == [post]
        assert seen(new.listings, post) == {False}


def test_pages_go_on_over_a_post_that_is_not_listed(state: PlatformState, ada: Account) -> None:
    oldest, held, newest = (publish(state, ada, late_ms=late) for late in (0, LATE_MS, 0))
    assert state.listings.page_of(ada.user_id, 1) == ([newest], True)
    assert state.listings.page_of(ada.user_id, 1, before=newest.pk) == ([oldest], False)
    assert state.listings.page_of(ada.user_id, 5, before=held.pk) == ([oldest], False)


def test_an_ordinary_post_stays_listed_when_the_clock_goes_back(
    state: PlatformState, ada: Account
) -> None:
    post = publish(state, ada)
    assert seen(Listings(state.posts, lambda: 0.0), post) == {True}
