"""The books, and that opening the folder again brings all of them back."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from practice.publishing import Publisher
from practice.state.accounts import AccountError, NewAccount
from practice.state.lock import FolderInUseError, FolderLock
from practice.state.media import MediaStore
from practice.state.platform import PlatformState
from practice.totp import SeedError
from practice.values import MediaItem, Post, RequestContext

CONTEXT = RequestContext("test", "private_api", "paris", "agent/1")
PHOTO = MediaItem("photo", "ab" * 32, 1080, 1350)

OpenState = Callable[[], PlatformState]


@pytest.fixture
def open_state(tmp_path: Path) -> Iterator[OpenState]:
    """Opens the same folder as often as it is called, as restarts would."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(PlatformState(tmp_path)))


@pytest.fixture
def state(open_state: OpenState) -> PlatformState:
    return open_state()


def published(state: PlatformState, username: str, count: int) -> list[Post]:
    account = state.accounts.by_name(username)
    assert account is not None
    publisher = Publisher(state)
    publisher.receive(account, "1", PHOTO, CONTEXT)
    return [
        publisher.publish(account, (PHOTO,), ("1",), f"post {number}", "feed", CONTEXT)
        for number in range(count)
    ]


def test_a_new_life_knows_what_the_old_one_knew(open_state: OpenState) -> None:
    old = open_state()
    account = old.create_account(
        NewAccount("ada", "secret words", "JBSWY3DPEHPK3PXP", "Ada", "Bio"), CONTEXT
    )
    old.proxies.put("paris", "marie", "proxy words")
    token, other = (old.sessions.open(account.user_id, "web") for _ in range(2))
    ended = old.sessions.find(other)
    assert ended is not None
    old.close_session(ended, account, "session_revoked", CONTEXT)
    posts = published(old, "ada", 3)

    new = open_state()
    assert new.accounts.all() == [account]
    assert new.accounts.password_of(account) == "secret words"
    assert new.accounts.totp_seed_of(account) == "JBSWY3DPEHPK3PXP"
    assert new.proxies.check("marie", "proxy words") == "paris"
    assert new.sessions.find(token) is not None
    assert new.sessions.find(other) is None
    assert new.listings.page_of(account.user_id, 10) == (posts[::-1], False)
    assert new.uploads.find(account.user_id, "1", "photo") == PHOTO
    assert new.ledger.lines_after(0, 100) == old.ledger.lines_after(0, 100)
    assert new.posts.numbers.next(0) > posts[-1].pk


def test_no_secret_is_on_disk_in_clear(tmp_path: Path, state: PlatformState) -> None:
    account = state.create_account(NewAccount("ada", "canary-one", "CANARYTWOCANARYT"), CONTEXT)
    state.proxies.put("paris", "marie", "canary-three")
    token = state.sessions.open(account.user_id, "web")
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("canary-one", "CANARYTWOCANARYT", "canary-three", token):
        assert secret.encode() not in everything


def test_a_record_has_every_field_and_counts_from_one(state: PlatformState) -> None:
    account = state.create_account(NewAccount("ada", "x"), CONTEXT)
    record = state.record("signed_out", account, CONTEXT)
    assert (record.sequence, record.proxy, record.user_agent) == (2, "paris", "agent/1")
    assert state.record_stranger("sign_in_refused", "nobody", CONTEXT, "why").user_id is None


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (NewAccount("Ada", "x"), AccountError),
        (NewAccount("a/b", "x"), AccountError),
        (NewAccount("accounts", "x"), AccountError),
        (NewAccount("ada", ""), AccountError),
        (NewAccount("ada", "x", "0189"), SeedError),
    ],
)
def test_what_can_be_no_account_is_refused(
    state: PlatformState, wanted: NewAccount, error: type[Exception]
) -> None:
    with pytest.raises(error):
        state.create_account(wanted, CONTEXT)
    assert state.accounts.all() == []


def test_an_error_about_an_account_never_shows_its_password(state: PlatformState) -> None:
    wanted = NewAccount("Bad Name", "canary-one", "CANARYTWOCANARYT")
    with pytest.raises(AccountError) as caught:
        state.create_account(wanted, CONTEXT)
    assert "anary" not in f"{caught.value} {wanted!r}"


def test_a_feed_comes_in_pages_newest_first(state: PlatformState) -> None:
    ada, bob = (state.create_account(NewAccount(name, "x"), CONTEXT) for name in ("ada", "bob"))
    mine = published(state, "ada", 5)[::-1]
    published(state, "bob", 2)
    first, older = state.listings.page_of(ada.user_id, 2)
    assert (first, older) == (mine[:2], True)
    second, older = state.listings.page_of(ada.user_id, 3, before=first[-1].pk)
    assert (second, older) == (mine[2:], False)
    assert state.listings.count_of(bob.user_id) == 2


def test_reset_forgets_everything(open_state: OpenState) -> None:
    state = open_state()
    account = state.create_account(NewAccount("ada", "x"), CONTEXT)
    token = state.sessions.open(account.user_id, "web")
    sha256 = state.media.put(b"bytes")
    published(state, "ada", 1)
    state.reset()
    for known in (state, open_state()):
        assert known.accounts.all() == []
        assert known.sessions.find(token) is None
        assert known.media.find(sha256) is None
        assert known.listings.newest(9) == []
        assert known.ledger.last_sequence == 0


@pytest.mark.parametrize(
    "name", ["", "..", "../keys", "x" * 64, "AB" * 32, "ab" * 32 + "/..", "sealing.key"]
)
def test_only_a_digest_finds_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "keys").write_text("secret")
    assert MediaStore(tmp_path / "media").find(name) is None


def test_a_folder_serves_one_platform(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(FolderInUseError, match="Another practice platform"):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()
