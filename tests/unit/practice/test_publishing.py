"""The platform's rules for captions and albums, and its refusal to recognise repetitions."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from practice.publishing import Publisher, PublishError, caption_problem
from practice.state.accounts import NewAccount
from practice.state.platform import PlatformState
from practice.values import Account, MediaItem, RequestContext

CONTEXT = RequestContext("test", "private_api")
PHOTO = MediaItem("photo", "ab" * 32, 1080, 1350)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[PlatformState]:
    with contextlib.closing(PlatformState(tmp_path)) as opened:
        yield opened


@pytest.fixture
def ada(state: PlatformState) -> Account:
    return state.create_account(NewAccount("ada", "secret"), CONTEXT)


@pytest.mark.parametrize("caption", ["", "x" * 2200, "#a " * 30, "# not a tag " * 40])
def test_captions_within_the_limits_are_taken(caption: str) -> None:
    assert caption_problem(caption) is None


@pytest.mark.parametrize(
    ("caption", "number"), [("x" * 2201, "2201"), (" ".join(f"#t{n}" for n in range(31)), "31")]
)
def test_captions_over_a_limit_are_refused_with_the_number(caption: str, number: str) -> None:
    assert number in (caption_problem(caption) or "")


def test_publishing_one_upload_twice_makes_two_posts(state: PlatformState, ada: Account) -> None:
    publisher = Publisher(state)
    publisher.receive(ada, "1", PHOTO, CONTEXT)
    posts = [
        publisher.publish(
            ada, (publisher.uploaded_photo(ada, "1"),), ("1",), "again", "feed", CONTEXT
        )
        for _ in range(2)
    ]
    assert posts[0].pk != posts[1].pk
    assert len(state.posts.of_user(ada.user_id)) == 2


def test_an_upload_belongs_to_its_account(state: PlatformState, ada: Account) -> None:
    bob = state.create_account(NewAccount("bob", "secret"), CONTEXT)
    publisher = Publisher(state)
    publisher.receive(ada, "1", PHOTO, CONTEXT)
    with pytest.raises(PublishError, match="media_needs_reupload"):
        publisher.uploaded_photo(bob, "1")


@pytest.mark.parametrize("count", [1, 11])
def test_an_album_of_one_or_eleven_is_refused(
    state: PlatformState, ada: Account, count: int
) -> None:
    ids = tuple(str(number) for number in range(count))
    with pytest.raises(PublishError, match=str(count)):
        Publisher(state).publish(ada, (PHOTO,) * count, ids, "", "carousel_container", CONTEXT)
    assert not state.posts.of_user(ada.user_id)


def test_a_video_takes_the_photo_with_its_upload_id_as_cover(
    state: PlatformState, ada: Account
) -> None:
    publisher = Publisher(state)
    publisher.receive(ada, "7", MediaItem("video", "cd" * 32, 720, 1280, 5.0), CONTEXT)
    publisher.receive(ada, "7", PHOTO, CONTEXT)
    assert publisher.uploaded_video(ada, "7").cover_sha256 == PHOTO.sha256
    assert publisher.uploaded_any(ada, "7").kind == "video"
