from collections import Counter
from typing import Any

import pytest

from common.domain.accounts import Platform
from common.domain.content import MediaKind, Placement, PostKind
from common.items import MediaRef
from common.limits.rules import load_limits
from common.tasks.bulk_upload import TASK_TYPE, BulkUploadParameters, Distribution, PostDraft
from common.tasks.task_type import Plan, PlanAccount, PlanContext


def media(number: int, kind: MediaKind = MediaKind.PHOTO, **values: Any) -> MediaRef:
    video = kind is MediaKind.VIDEO
    known: dict[str, Any] = {
        "sha256": f"{number:064x}",
        "size": 1000,
        "name": f"file-{number}.{'mp4' if video else 'jpg'}",
        "kind": kind,
        "width": 1080,
        "height": 1920 if video else 1350,
        "duration": 6.0 if video else 0.0,
    }
    return MediaRef(**(known | values))


def account(number: int) -> PlanAccount:
    name = f"shop{number}"
    return PlanAccount(name, name, f"Shop {number}", Platform.PRACTICE, ("north",))


PHOTO, REEL = media(1), media(2, MediaKind.VIDEO)


def plan(
    *files: MediaRef,
    posts: list[list[MediaRef]] | None = None,
    accounts: int = 2,
    **parameters: Any,
) -> Plan:
    drafts = posts if posts is not None else [[file] for file in files]
    library = {file.sha256: file for draft in drafts for file in draft}
    context = PlanContext(
        accounts=[account(number) for number in range(1, accounts + 1)],
        media=library,
        media_titles={sha256: f"Title {int(sha256, 16)}" for sha256 in library},
        limits=load_limits(),
    )
    known = {"posts": [{"media": [file.sha256 for file in draft]} for draft in drafts]}
    return TASK_TYPE.plan(BulkUploadParameters.model_validate(known | parameters), context)


def errors(found: Plan) -> list[str]:
    return [p.problem.message for p in found.problems if p.problem.severity == "error"]


def test_split_gives_each_post_to_one_account_in_turn() -> None:
    found = plan(*(media(number) for number in range(1, 6)), accounts=2)
    assert Counter(item.account_id for item in found.items) == {"shop1": 3, "shop2": 2}
    assert len({item.publish.content_key for item in found.items if item.publish}) == 5


def test_same_to_all_gives_every_post_to_every_account() -> None:
    found = plan(PHOTO, REEL, accounts=3, distribution=Distribution.SAME_TO_ALL)
    assert len(found.items) == 6


def test_a_table_gives_exactly_what_it_says_and_names_its_wrong_lines() -> None:
    table = [
        {"username": "shop2", "post": 1},
        {"username": "nobody", "post": 1},
        {"username": "shop1", "post": 9},
    ]
    found = plan(PHOTO, REEL, distribution=Distribution.TABLE, table=table)
    assert [item.account_id for item in found.items] == ["shop2"]
    assert errors(found) == [
        "Line 2 of the table names nobody, which is not among the targets.",
        "Line 3 of the table names post 9; there are 2.",
    ]
    assert not found.may_start


def test_kind_and_placement_follow_the_files() -> None:
    found = plan(posts=[[PHOTO], [REEL], [media(3), media(4)]], accounts=1)
    kinds = [(i.publish.kind, i.publish.placement) for i in found.items if i.publish]
    assert kinds == [
        (PostKind.PHOTO, Placement.FEED),
        (PostKind.REEL, Placement.REEL),
        (PostKind.CAROUSEL, Placement.FEED),
    ]


def test_the_caption_is_filled_per_account_and_overridden_by_name() -> None:
    found = plan(
        PHOTO,
        distribution=Distribution.SAME_TO_ALL,
        caption="{title} by {full_name} ({tag}, no. {number})",
        captions={"shop2": "Only for {username}"},
        hashtags=["sea", "#coast"],
    )
    captions = [item.publish.caption for item in found.items if item.publish]
    assert captions == [
        "Title 1 by Shop 1 (north, no. 1)\n\n#sea #coast",
        "Only for shop2\n\n#sea #coast",
    ]


def test_a_caption_changes_nothing_about_the_key() -> None:
    one, other = plan(PHOTO, caption="typo"), plan(PHOTO, caption="mended")
    keys = {i.publish.content_key for p in (one, other) for i in p.items if i.publish}
    assert len(keys) == 1
    again = plan(PHOTO, repeat=1).items[0].publish
    assert again is not None
    assert again.content_key not in keys


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"caption": "x" * 2201}, "The caption has 2201 characters; 2200 fit."),
        (
            {"hashtags": [f"t{number}" for number in range(31)]},
            "The caption has 31 hashtags; 30 are allowed.",
        ),
        ({"caption": "Hello {nmae}"}, "The caption uses {nmae}, which is not a variable."),
    ],
)
def test_a_caption_that_the_platform_would_refuse_stops_the_batch(
    parameters: dict[str, Any], message: str
) -> None:
    found = plan(PHOTO, accounts=1, **parameters)
    assert message in errors(found)
    assert not found.may_start


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (media(1, MediaKind.VIDEO, duration=2.0), "lasts 2.0 s; a reel lasts at least 3 s"),
        (media(1, MediaKind.VIDEO, duration=901.0), "lasts 901 s; a reel lasts at most 900 s"),
        (media(1, MediaKind.VIDEO, width=2160), "2160 wide; 1920 is the most"),
        (media(1, width=200, height=200), "200 wide; 320 is the least"),
        (media(1, size=9_000_000), "larger than 8 MiB"),
    ],
)
def test_a_file_that_the_platform_would_refuse_stops_the_batch(
    file: MediaRef, message: str
) -> None:
    found = plan(file, accounts=1)
    assert any(message in text for text in errors(found))
    assert found.problems[0].post == 1


def test_a_ratio_that_would_be_cropped_is_a_warning_only() -> None:
    found = plan(media(1, width=1080, height=1920), accounts=1)
    assert found.may_start
    assert "crops it" in found.problems[0].problem.message


def test_the_same_media_twice_in_a_batch_is_named() -> None:
    found = plan(PHOTO, PHOTO, accounts=1)
    assert errors(found) == ["Post 2 is made of the same media as post 1."]


def test_eleven_files_are_too_many_for_a_carousel() -> None:
    found = plan(posts=[[media(number) for number in range(11)]], accounts=1)
    assert errors(found) == ["A carousel has 2 to 10 files, not 11."]


def test_a_file_that_the_library_lost_and_a_missing_target_are_named() -> None:
    context = PlanContext([], {}, {}, load_limits())
    found = TASK_TYPE.plan(BulkUploadParameters(posts=[PostDraft(media=["f" * 64])]), context)
    assert errors(found) == [
        "Post 1 names 1 file(s) that the library does not have.",
        "No account is chosen.",
    ]
