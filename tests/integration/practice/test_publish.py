"""The real client publishes, and the ledger holds what truly happened."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from instagrapi.exceptions import UnknownError

from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess, SeededAccount

SignedIn = tuple[PracticeClient, SeededAccount]


def published(practice: PracticeProcess, account: SeededAccount) -> list[dict[str, Any]]:
    records = practice.ledger(kind="published")
    return [record for record in records if record["account"] == account.username]


def fetched(url: str) -> httpx.Response:
    return httpx.get(str(url), trust_env=False)


def test_a_photo_is_published_and_read_back(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    made = client.publish_photo(photos[0], "first light #lamps")
    (record,) = published(practice_platform, account)
    assert record["post_id"] == made["id"]
    assert record["caption"] == "first light #lamps"
    assert (record["media_type"], record["product_type"]) == (1, "feed")
    assert record["source"] == "private_api"

    media = client.media_info_v1(made["pk"])
    assert (media.code, media.media_type) == (record["post_code"], 1)
    stored = fetched(media.thumbnail_url)
    assert stored.headers["content-type"] == "image/jpeg"
    assert [hashlib.sha256(stored.content).hexdigest()] == record["content_sha256"]


def test_a_feed_video_is_published(
    practice_platform: PracticeProcess, signed_in: SignedIn, reel: Path, photos: list[Path]
) -> None:
    client, account = signed_in
    upload_id, width, height, duration, cover = client.video_rupload(reel, photos[0])
    answer = client.video_configure(upload_id, width, height, duration, cover, "a video")
    (record,) = published(practice_platform, account)
    assert (record["media_type"], record["product_type"]) == (2, "feed")
    assert record["content_sha256"] == [hashlib.sha256(reel.read_bytes()).hexdigest()]
    assert record["items"][0]["cover_sha256"]
    media = client.media_info_v1(answer["media"]["pk"])
    assert fetched(media.video_url).content == reel.read_bytes()


def test_a_reel_is_published_by_the_librarys_own_call(
    practice_platform: PracticeProcess, signed_in: SignedIn, reel: Path, photos: list[Path]
) -> None:
    client, account = signed_in
    media = client.clip_upload(reel, "a reel", thumbnail=photos[1], configure_timeout=0)
    (record,) = published(practice_platform, account)
    assert record["post_id"] == media.id
    assert (record["media_type"], record["product_type"]) == (2, "clips")
    assert record["items"][0]["duration"] == pytest.approx(3.0, abs=0.1)


def test_an_album_keeps_its_order(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    media = client.album_upload(photos, "three rooms", configure_timeout=0)
    (record,) = published(practice_platform, account)
    uploads = [
        upload["content_sha256"][0]
        for upload in practice_platform.ledger(kind="upload_received")
        if upload["account"] == account.username
    ]
    assert record["content_sha256"] == uploads
    assert (record["media_type"], record["product_type"]) == (8, "carousel_container")
    assert [resource.media_type for resource in media.resources] == [1, 1, 1]


def test_a_mixed_album_is_composed(
    practice_platform: PracticeProcess, signed_in: SignedIn, reel: Path, photos: list[Path]
) -> None:
    client, account = signed_in
    photo_id, *_ = client.photo_rupload(photos[0], to_album=True)
    video_id, *_ = client.video_rupload(reel, photos[1], to_album=True)
    client.photo_rupload(photos[1], video_id)
    client.album_configure([{"upload_id": photo_id}, {"upload_id": video_id}], "mixed")
    (record,) = published(practice_platform, account)
    assert [item["kind"] for item in record["items"]] == ["photo", "video"]
    assert record["upload_ids"] == [photo_id, video_id]


def test_publishing_one_upload_twice_makes_two_posts(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path]
) -> None:
    client, account = signed_in
    upload_id, width, height = client.photo_rupload(photos[0])
    first, second = (client.photo_configure(upload_id, width, height, "x") for _ in range(2))
    assert first["media"]["pk"] != second["media"]["pk"]
    assert [record["upload_ids"] for record in published(practice_platform, account)] == [
        [upload_id],
        [upload_id],
    ]


def test_a_feed_shows_its_owners_posts_newest_first_and_nothing_more_than_promised(
    signed_in: SignedIn, new_account: Callable[..., SeededAccount], photos: list[Path]
) -> None:
    client, account = signed_in
    made = [client.publish_photo(photos[n % 3], f"post {n}")["id"] for n in range(5)]
    assert [media.id for media in client.user_medias_v1(account.user_id)] == made[::-1]
    first, cursor = client.user_medias_paginated_v1(str(account.user_id), 2)
    assert [media.id for media in first] == made[:-3:-1]
    rest, end = client.user_medias_paginated_v1(str(account.user_id), 10, end_cursor=cursor)
    assert [media.id for media in rest] == made[2::-1]
    assert not end
    assert client.user_medias_v1(new_account().user_id) == []
    answer = client.private_request(f"feed/user/{account.user_id}/")
    assert set(answer) == {"items", "status"}
    assert set(answer["items"][0]) == {
        "pk", "id", "code", "taken_at", "media_type", "product_type", "caption", "user",
        "original_width", "original_height", "image_versions2",
    }  # fmt: skip
    assert client.user_info_v1(str(account.user_id)).media_count == 5


def test_a_listing_tells_what_a_client_knows_its_own_post_by(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path], reel: Path
) -> None:
    client, account = signed_in
    client.publish_photo(photos[0], "a photo\n\nwith #lines")
    client.clip_upload(reel, "", thumbnail=photos[1], configure_timeout=0)
    client.album_upload(photos, "three rooms", configure_timeout=0)
    feed = client.private_request(f"feed/user/{account.user_id}/")["items"]
    album, clip, photo = feed
    for item, record in zip(feed[::-1], published(practice_platform, account), strict=True):
        assert (item["id"], item["code"]) == (record["post_id"], record["post_code"])
        assert client.private_request(f"media/{item['pk']}/info/")["items"] == [item]
        moment = datetime.fromisoformat(record["at"])
        assert item["taken_at"] == int(moment.timestamp())
        assert "upload_id" not in item
    assert photo["caption"] == {"text": "a photo\n\nwith #lines"}
    assert (photo["media_type"], photo["product_type"]) == (1, "feed")
    assert (photo["original_width"], photo["original_height"]) == (1080, 1350)
    assert "video_duration" not in photo
    assert clip["caption"] is None
    assert (clip["media_type"], clip["product_type"]) == (2, "clips")
    assert (clip["original_width"], clip["original_height"]) == (360, 640)
    assert clip["video_duration"] == pytest.approx(3.0, abs=0.1)
    assert (album["media_type"], album["product_type"]) == (8, "carousel_container")
    assert album["carousel_media_count"] == len(album["carousel_media"]) == 3
    assert [child["original_width"] for child in album["carousel_media"]] == [1080] * 3

    read = client.user_medias_v1(account.user_id)
    assert [media.caption_text for media in read] == ["three rooms", "", "a photo\n\nwith #lines"]
    assert read[1].video_duration == clip["video_duration"]


@pytest.mark.parametrize("caption", ["x" * 2201, " ".join(f"#t{n}" for n in range(31))])
def test_a_caption_over_a_limit_is_refused(
    practice_platform: PracticeProcess, signed_in: SignedIn, photos: list[Path], caption: str
) -> None:
    client, account = signed_in
    with pytest.raises(UnknownError, match="allowed"):
        client.publish_photo(photos[0], caption)
    assert published(practice_platform, account) == []


def test_an_upload_that_never_came_can_not_be_published(signed_in: SignedIn) -> None:
    client, _ = signed_in
    with pytest.raises(UnknownError, match="media_needs_reupload"):
        client.photo_configure("123", 10, 10, "x")


def test_bytes_that_are_no_media_are_refused(
    practice_platform: PracticeProcess, signed_in: SignedIn
) -> None:
    client, account = signed_in
    answer = client.private.post(
        "https://i.instagram.com/rupload_igphoto/1_0_1",
        data=b"no picture",
        headers=client.private_headers(
            {"X-Instagram-Rupload-Params": '{"upload_id": "1"}', "X-Entity-Length": "10"}
        ),
    )
    assert answer.status_code == 400
    uploads = practice_platform.ledger(kind="upload_received")
    assert account.username not in {record["account"] for record in uploads}


def test_a_video_goes_on_after_a_cut(
    practice_platform: PracticeProcess, signed_in: SignedIn, reel: Path
) -> None:
    client, account = signed_in
    content, url = reel.read_bytes(), "https://i.instagram.com/rupload_igvideo/77_0_1"
    middle = len(content) // 2

    def send(start: int, end: int) -> dict[str, Any]:
        headers = {
            "X-Instagram-Rupload-Params": '{"upload_id": "77"}',
            "X-Entity-Length": str(len(content)),
            "Offset": str(start),
        }
        answer: dict[str, Any] = client.private.post(
            url, data=content[start:end], headers=client.private_headers(headers)
        ).json()
        return answer

    assert send(0, middle)["offset"] == middle
    assert client.private.get(url, headers=client.private_headers()).json()["offset"] == middle
    assert send(middle + 1, len(content))["offset"] == middle
    assert send(middle, len(content))["upload_id"] == "77"
    (upload,) = [
        record
        for record in practice_platform.ledger(kind="upload_received")
        if record["account"] == account.username
    ]
    assert upload["content_sha256"] == [hashlib.sha256(content).hexdigest()]
