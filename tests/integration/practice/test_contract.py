"""What instagrapi sends, operation by operation.

A new release of the library shows here, before anything else breaks, which requests it changed.
Numbers and names that differ from run to run are replaced in the sequences.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from instagrapi import Client

from tests.support.practice_client import LoopbackAdapter, PracticeClient
from tests.support.practice_process import TOTP_SEED, SeededAccount

BLOKS = "/api/v1/bloks/async_action/com.bloks.www"
PREFLIGHT = [
    "POST /graphql_www",
    f"POST {BLOKS}.bloks.caa.login.process_client_data_and_redirect/",
    "POST /api/v1/attestation/create_android_keystore/",
    f"POST {BLOKS}.caa.login.oauth.token.fetch.async/",
    "GET /api/v1/qe/sync/",
    f"POST {BLOKS}.bloks.caa.login.async.send_login_request/",
]
TWO_STEP = [
    "POST /api/v1/bloks/apps/com.bloks.www.two_step_verification.entrypoint/",
    "POST /api/v1/bloks/apps/com.bloks.www.two_step_verification.method_picker/",
    f"POST {BLOKS}.two_step_verification.method_picker.navigation.async/",
    f"POST {BLOKS}.two_step_verification.verify_code.async/",
]
AFTER = ["POST /api/v1/feed/reels_tray/", "POST /api/v1/feed/timeline/"]
PHOTO = "POST /rupload_igphoto/*"
VIDEO = ["GET /rupload_igvideo/*", "POST /rupload_igvideo/*"]

NewAccount = Callable[..., SeededAccount]
NewClient = Callable[..., PracticeClient]
SignedIn = tuple[PracticeClient, SeededAccount]


def taken(client: PracticeClient) -> list[str]:
    """The requests since the last call."""
    sent = [
        re.sub(r"(rupload_ig\w+|upload_settings)/.+|/\d+/", _blur, line)
        for line in client.loopback.sent
    ]
    client.loopback.sent.clear()
    return sent


def _blur(found: re.Match[str]) -> str:
    return f"{found[1]}/*" if found[1] else "/N/"


def test_signing_in(new_account: NewAccount, new_client: NewClient) -> None:
    account, client = new_account(), new_client()
    client.login(account.username, account.password)
    assert taken(client) == PREFLIGHT + AFTER
    client.relogin()
    assert taken(client) == PREFLIGHT[1:] + AFTER


def test_signing_in_with_a_second_factor(new_account: NewAccount, new_client: NewClient) -> None:
    account, client = new_account(totp_seed=TOTP_SEED), new_client()
    code = client.totp_generate_code(TOTP_SEED)
    client.login(account.username, account.password, verification_code=code)
    assert taken(client) == PREFLIGHT + TWO_STEP + AFTER


def test_publishing(signed_in: SignedIn, photos: list[Path], reel: Path) -> None:
    client, _ = signed_in
    taken(client)
    client.publish_photo(photos[0], "photo")
    assert taken(client) == [PHOTO, "POST /api/v1/media/configure/"]

    upload_id, width, height, duration, cover = client.video_rupload(reel, photos[0])
    assert taken(client) == VIDEO
    client.video_configure(upload_id, width, height, duration, cover, "video")
    assert taken(client) == [PHOTO, "POST /api/v1/media/configure/"]

    client.clip_upload(reel, "reel", thumbnail=photos[0], configure_timeout=0)
    assert taken(client) == [
        "POST /upload_settings/*",
        *VIDEO,
        PHOTO,
        "POST /api/v1/media/configure_to_clips/",
    ]

    client.album_upload(photos, "album", configure_timeout=0)
    assert taken(client) == [PHOTO] * 3 + ["POST /api/v1/media/configure_sidecar/"]


def test_reading_back(signed_in: SignedIn, photos: list[Path]) -> None:
    client, account = signed_in
    made = client.publish_photo(photos[0], "photo")
    taken(client)
    client.account_info()
    client.media_info_v1(made["pk"])
    client.user_medias_v1(account.user_id)
    client.user_info_v1(str(account.user_id))
    client.logout()
    assert taken(client) == [
        "GET /api/v1/accounts/current_user/",
        "GET /api/v1/media/N/info/",
        "GET /api/v1/feed/user/N/",
        "GET /api/v1/users/N/info/",
        "POST /api/v1/accounts/logout/",
    ]


@pytest.mark.parametrize(
    "hook", ["_configure_private_session_retry", "_configure_public_session_retry"]
)
def test_the_hooks_that_choose_the_transport_still_exist(hook: str) -> None:
    assert callable(getattr(Client, hook))


def test_no_way_of_setting_up_a_client_puts_another_transport_back(
    signed_in: SignedIn, new_client: NewClient, tmp_path: Path
) -> None:
    client, _ = signed_in
    client.dump_settings(tmp_path / "settings.json")
    later = new_client()
    later.load_settings(tmp_path / "settings.json")
    later.set_settings(client.get_settings())
    later.set_retry_config(request_timeout=0, private_transport="curl")
    for session in (later.private, later.public, later.graphql):
        assert {type(adapter) for adapter in session.adapters.values()} == {LoopbackAdapter}
