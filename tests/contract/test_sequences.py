"""Which requests the library makes for what we use of it. An upgrade shows what changed."""

import inspect
from collections.abc import Callable
from pathlib import Path

from instagrapi import Client

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.configure import configure
from agent.drivers.private_api.uploads import upload_photo, upload_video
from agent.media.cover import ensure_cover
from common.access import AccountAccess
from common.domain.content import MediaKind, PostKind
from common.operations import MediaFile, Post
from tests.contract.recording import record
from tests.support.driving import PASSWORD, media_file, photo_post, seed_account
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo, make_reel

Approved = Callable[[str, str], None]

HOOKS = (
    "_configure_private_session_retry",
    "_configure_public_session_retry",
    "album_configure",
    "account_info",
    "bloks_caa_login_send_request",
    "bloks_two_step_verification_verify_code",
    "challenge_code_handler",
    "change_password_handler",
    "clip_configure",
    "get_settings",
    "login",
    "login_legacy",
    "photo_configure",
    "photo_rupload",
    "private_headers",
    "private_request",
    "set_retry_config",
)


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def signed_in(account: AccountAccess) -> AccountClient:
    client = AccountClient(account)
    client.sign_in(account.username, PASSWORD, None)
    return client


def test_the_hooks_we_rely_on_exist_with_the_arguments_we_know(approved: Approved) -> None:
    lines = [f"{name}{inspect.signature(getattr(Client, name))}" for name in HOOKS]
    approved("hooks", text_of(lines))


def test_sign_in(practice: PracticeProcess, approved: Approved) -> None:
    account = seed_account(practice, "contract_login")
    client = AccountClient(account)
    lines = record(client)
    client.sign_in(account.username, PASSWORD, None)
    client.close()
    approved("sign_in", text_of(lines))


def test_sign_in_with_a_one_time_password(practice: PracticeProcess, approved: Approved) -> None:
    import pyotp

    account = seed_account(practice, "contract_totp", totp=True)
    seed = account.totp_seed.get_secret_value() if account.totp_seed else ""
    client = AccountClient(account)
    lines = record(client)
    client.sign_in(account.username, PASSWORD, pyotp.TOTP(seed).now)
    client.close()
    approved("sign_in_totp", text_of(lines))


def test_a_saved_session_signs_in_without_a_password(
    practice: PracticeProcess, approved: Approved
) -> None:
    account = seed_account(practice, "contract_settings")
    first = signed_in(account)
    client = AccountClient(account, first.settings_to_keep())
    first.close()
    lines = record(client)
    client.login(account.username, PASSWORD)
    client.close()
    approved("relogin_from_settings", text_of(lines))


def test_account_info(practice: PracticeProcess, approved: Approved) -> None:
    client = signed_in(seed_account(practice, "contract_info"))
    lines = record(client)
    client.account_info()
    client.close()
    approved("account_info", text_of(lines))


def test_our_photo(practice: PracticeProcess, approved: Approved, tmp_path: Path) -> None:
    client = signed_in(seed_account(practice, "contract_photo"))
    post = photo_post(make_photo(tmp_path / "a.jpg"))
    lines = record(client)
    sent = upload_photo(client, tmp_path / "a.jpg", "1700000000000")
    configure(client, post, ["1700000000000"], {"1700000000000": (sent.width, sent.height)})
    client.close()
    approved("our_photo", text_of(lines))


async def reel_file(folder: Path) -> MediaFile:
    video = make_reel(folder / "a.mp4")
    cover = await ensure_cover(video, "a", folder)
    return media_file(video, MediaKind.VIDEO, (360, 640), duration=3.0, cover=cover)


async def test_our_reel(practice: PracticeProcess, approved: Approved, tmp_path: Path) -> None:
    client = signed_in(seed_account(practice, "contract_reel"))
    file = await reel_file(tmp_path)
    lines = record(client)
    upload_video(client, file, "1700000000000")
    configure(client, Post(PostKind.REEL, [file], "A reel"), ["1700000000000"], {})
    client.close()
    approved("our_reel", text_of(lines))


async def test_our_album(practice: PracticeProcess, approved: Approved, tmp_path: Path) -> None:
    client = signed_in(seed_account(practice, "contract_album"))
    video = await reel_file(tmp_path)
    photo = media_file(make_photo(tmp_path / "a.jpg"), MediaKind.PHOTO, (1080, 1350))
    lines = record(client)
    upload_photo(client, tmp_path / "a.jpg", "1700000000000", in_album=True)
    upload_video(client, video, "1700000000001", in_album=True)
    post = Post(PostKind.CAROUSEL, [photo, video], "Two")
    configure(client, post, ["1700000000000", "1700000000001"], {"1700000000000": (1080, 1350)})
    client.close()
    approved("our_album", text_of(lines))


async def test_the_librarys_own_uploads(
    practice: PracticeProcess, approved: Approved, tmp_path: Path
) -> None:
    """Ours are made after these: where they change, ours may have to."""
    client = signed_in(seed_account(practice, "contract_library"))
    file = await reel_file(tmp_path)
    photos = [make_photo(tmp_path / f"{number}.jpg", number) for number in range(2)]
    lines = record(client)
    lines.append("# photo_rupload and photo_configure")
    client.photo_configure(*client.photo_rupload(photos[0]), "A photo")
    lines.append("# video_rupload into an album")
    client.video_rupload(Path(file.path), file.cover, to_album=True)
    lines.append("# album_upload")
    client.album_upload(photos, "Two", configure_timeout=0)
    lines.append("# clip_upload")
    client.clip_upload(Path(file.path), "A reel", thumbnail=file.cover, configure_timeout=0)
    client.close()
    approved("library_uploads", text_of(lines))
