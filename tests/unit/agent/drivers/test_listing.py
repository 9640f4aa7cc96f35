"""What counts as the account's list of posts, and what does not."""

from typing import Any

import pytest

from agent.drivers.private_api.listing import read_one, read_page
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import ListedPost, PostKind
from common.errors import DriverError

ACCOUNT = AccountAccess(
    account_id="a",
    platform=Platform.INSTAGRAM,
    username="somebody",
    driver=DriverName.PRIVATE_API,
)
ITEM: dict[str, Any] = {
    "pk": 104,
    "id": "104_5",
    "code": "Bo",
    "taken_at": 1_700_000_000,
    "media_type": 1,
    "caption": {"text": "A caption"},
}
POST = ListedPost(
    remote_id="104_5",
    url="https://www.instagram.com/p/Bo/",
    kind=PostKind.PHOTO,
    caption="A caption",
    taken_at=1_700_000_000.0,
)


def answer(*items: Any, **fields: Any) -> dict[str, Any]:
    return {"status": "ok", "items": list(items), **fields}


def test_a_whole_page_is_read() -> None:
    page = read_page(answer(ITEM, next_max_id="104_5", more_available=True), ACCOUNT, "5")
    assert (page.posts, page.next_max_id) == ((POST,), "104_5")


def test_an_empty_list_is_empty_where_the_platform_says_so() -> None:
    page = read_page(answer(more_available=False), ACCOUNT, "5")
    assert (page.posts, page.next_max_id) == ((), "")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"media_type": 2}, {"kind": PostKind.REEL}),
        ({"media_type": 8}, {"kind": PostKind.CAROUSEL}),
        ({"media_type": 19}, {"kind": None}),
        ({"caption": None}, {"caption": ""}),
        ({"pk": "104"}, {}),
        ({"id": "104_77"}, {}),
    ],
)
def test_what_the_platform_may_say_is_understood(
    changed: dict[str, Any], expected: dict[str, Any]
) -> None:
    (post,) = read_page(answer({**ITEM, **changed}), ACCOUNT, "5").posts
    assert post == POST.model_copy(update=expected)


def test_a_post_without_a_word_on_its_caption_has_an_unknown_one() -> None:
    bare = {name: value for name, value in ITEM.items() if name != "caption"}
    (post,) = read_page(answer(bare), ACCOUNT, "5").posts
    assert post.caption is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"items": []},
        {"status": "fail", "items": []},
        {"status": "ok"},
        {"status": "ok", "items": None},
        {"status": "ok", "items": {}},
        {"status": "ok", "items": [None]},
        answer(more_available=True),
        *(
            answer({key: value for key, value in ITEM.items() if key != name})
            for name in ITEM
            if name != "caption"
        ),
        answer(ITEM, {**ITEM, "pk": "x"}),
        answer({**ITEM, "id": "105_5"}),
        answer({**ITEM, "code": ""}),
        answer({**ITEM, "taken_at": "yesterday"}),
        answer({**ITEM, "taken_at": True}),
        answer({**ITEM, "media_type": "1"}),
        answer({**ITEM, "caption": "text"}),
        answer({**ITEM, "caption": {"text": None}}),
    ],
)
def test_anything_else_is_an_error_and_no_list(broken: Any) -> None:
    with pytest.raises(DriverError):
        read_page(broken, ACCOUNT, "5")
    with pytest.raises(DriverError):
        read_one(broken, ACCOUNT, "5")


def test_one_post_is_one_post() -> None:
    assert read_one(answer(ITEM), ACCOUNT, "5") == POST
    with pytest.raises(DriverError):
        read_one(answer(ITEM, ITEM), ACCOUNT, "5")
