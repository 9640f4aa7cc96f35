"""The private API's operations with the real library against the practice platform."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.drivers.private_api.driver import PrivateApiDriver
from agent.drivers.private_api.host import PrivateApiHost
from agent.media.cover import ensure_cover
from common.access import AccountAccess
from common.domain.content import MediaKind, PostKind
from common.errors import (
    AmbiguousEffectError,
    ConflictError,
    ContentRefusedError,
    CredentialsRefusedError,
    FlotillaError,
    InputError,
    OperationCancelledError,
    PlatformUnreachableError,
    ProxyFailedError,
    RateLimitedError,
    SecondFactorRefusedError,
    SessionExpiredError,
)
from common.operations import Post, Publishes, SignsIn, VerifiesSession
from tests.support.driving import (
    Remembered,
    credentials_of,
    media_file,
    no_proxy_listening,
    photo_post,
    proxy_access,
    seed_account,
)
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo, make_reel

CONFIGURE = "/api/v1/media/configure*"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest.fixture
async def host() -> AsyncIterator[PrivateApiHost]:
    host = PrivateApiHost(threads=4)
    yield host
    await host.close()


@asynccontextmanager
async def driving(
    host: PrivateApiHost, account: AccountAccess, said: Remembered | None = None
) -> AsyncIterator[PrivateApiDriver]:
    hooks = (said or Remembered()).hooks()
    async with host.open(account, Path("unused"), hooks) as driver:
        yield driver


async def signed_in(host: PrivateApiHost, account: AccountAccess) -> AccountAccess:
    async with driving(host, account) as driver:
        found = await driver.sign_in(credentials_of(account))
    return account.model_copy(update={"session": found.session, "user_id": found.identity.user_id})


def submissions(practice: PracticeProcess, username: str) -> int:
    return sum(one["account"] == username for one in practice.ledger(kind="password_submitted"))


def posts_of(practice: PracticeProcess, username: str) -> list[dict[str, object]]:
    return [one for one in practice.ledger(kind="published") if one["account"] == username]


async def publish(driver: PrivateApiDriver, post: Post) -> tuple[str, str]:
    prepared = await driver.prepare_publish(post, driver.plan_publish(post))
    published = await driver.publish(prepared)
    return published.remote_id, published.url


async def test_the_driver_has_the_operations_it_is_listed_with(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    async with driving(host, seed_account(practice, "operations")) as driver:
        assert isinstance(driver, SignsIn)
        assert isinstance(driver, VerifiesSession)
        assert isinstance(driver, Publishes)


@pytest.mark.parametrize("totp", [False, True])
async def test_sign_in_submits_the_password_once_and_verifies(
    practice: PracticeProcess, host: PrivateApiHost, totp: bool
) -> None:
    account = seed_account(practice, f"signs_in_{totp}".lower(), totp=totp)
    async with driving(host, account) as driver:
        found = await driver.sign_in(credentials_of(account))
    assert found.identity.username == account.username
    assert submissions(practice, account.username) == 1
    assert '"platform":"practice"' in found.session.get_secret_value()


async def test_a_wrong_password_reaches_the_platform_once(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = seed_account(practice, "wrong_password")
    with pytest.raises(CredentialsRefusedError) as refused:
        async with driving(host, account) as driver:
            await driver.sign_in(credentials_of(account, "not the password"))
    assert submissions(practice, account.username) == 1
    assert "not the password" not in str(refused.value)


async def test_a_wrong_totp_seed_is_named(practice: PracticeProcess, host: PrivateApiHost) -> None:
    account = seed_account(practice, "wrong_totp", totp=True)
    other = account.model_copy(update={"totp_seed": SecretStr("JBSWY3DPEHPK3PXP" * 2)})
    with pytest.raises(SecondFactorRefusedError):
        async with driving(host, other) as driver:
            await driver.sign_in(credentials_of(other))
    assert submissions(practice, account.username) == 1


async def test_a_missing_totp_seed_is_a_second_factor_problem(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = seed_account(practice, "missing_totp", totp=True)
    bare = account.model_copy(update={"totp_seed": None})
    with pytest.raises(SecondFactorRefusedError):
        async with driving(host, bare) as driver:
            await driver.sign_in(credentials_of(bare))


async def test_a_seed_that_is_none_is_refused_before_anything_is_sent(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = seed_account(practice, "no_seed_at_all", totp=True)
    broken = account.model_copy(update={"totp_seed": SecretStr("not base 32!")})
    with pytest.raises(SecondFactorRefusedError):
        async with driving(host, broken) as driver:
            await driver.sign_in(credentials_of(broken))
    assert submissions(practice, account.username) == 0


async def test_a_saved_session_works_in_a_new_process_without_a_password(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = await signed_in(host, seed_account(practice, "comes_back"))
    fresh = PrivateApiHost(threads=1)
    async with driving(fresh, account) as driver:
        found = await driver.verify_session()
    await fresh.close()
    assert found.identity.user_id == account.user_id
    assert submissions(practice, account.username) == 1


async def test_signing_in_anew_with_a_live_session_submits_the_password(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = await signed_in(host, seed_account(practice, "signs_in_anew"))
    await signed_in(host, account)
    assert submissions(practice, account.username) == 2


async def test_a_dead_session_is_said_and_never_renewed_silently(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "expired"))
    practice.revoke_sessions(account.username)
    with pytest.raises(SessionExpiredError):
        async with driving(host, account) as driver:
            await driver.verify_session()
    with pytest.raises(SessionExpiredError):
        async with driving(host, account) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    assert submissions(practice, account.username) == 1
    assert not posts_of(practice, account.username)


async def test_sessions_of_the_real_platform_are_not_loaded_in_practice(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    account = await signed_in(host, seed_account(practice, "not_mixed"))
    assert account.session
    real = account.session.get_secret_value().replace('"practice"', '"instagram"')
    with pytest.raises(ConflictError):
        async with driving(host, account.model_copy(update={"session": SecretStr(real)})):
            pass


@pytest.mark.parametrize("url", ["http://192.0.2.1:80", "https://127.0.0.1", "http://example.org"])
async def test_a_practice_platform_elsewhere_is_refused(
    practice: PracticeProcess, host: PrivateApiHost, url: str
) -> None:
    account = seed_account(practice, f"elsewhere{len(url)}").model_copy(
        update={"platform_url": url}
    )
    with pytest.raises(InputError):
        async with driving(host, account):
            pass


async def test_a_photo_is_published_byte_for_byte_and_read_back(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "photographer"))
    post = photo_post(make_photo(tmp_path / "a.jpg"), "Harbour, früh ☀")
    async with driving(host, account) as driver:
        remote_id, url = await publish(driver, post)
    (record,) = posts_of(practice, account.username)
    assert record["post_id"] == remote_id
    assert url == f"{practice.url}/p/{record['post_code']}/"
    assert record["caption"] == "Harbour, früh ☀"
    assert record["content_sha256"] == [post.files[0].sha256]


async def test_a_blob_without_an_ending_is_published(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "no_ending"))
    photo = make_photo(tmp_path / "a.jpg").rename(tmp_path / "blob")
    async with driving(host, account) as driver:
        await publish(driver, photo_post(photo))
    assert len(posts_of(practice, account.username)) == 1


async def test_a_reel_is_published_with_its_cover(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "film_maker"))
    video = make_reel(tmp_path / "a.mp4")
    cover = await ensure_cover(video, "a", tmp_path)
    file = media_file(video, MediaKind.VIDEO, (360, 640), duration=3.0, cover=cover)
    async with driving(host, account) as driver:
        await publish(driver, Post(PostKind.REEL, [file], "A reel"))
    (record,) = posts_of(practice, account.username)
    assert record["product_type"] == "clips"
    assert record["content_sha256"] == [file.sha256]


async def test_a_carousel_of_photos_and_a_video_keeps_its_order(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "album_maker"))
    video = make_reel(tmp_path / "b.mp4", tone=440)
    files = [
        media_file(make_photo(tmp_path / "a.jpg", 1), MediaKind.PHOTO, (1080, 1350)),
        media_file(
            video,
            MediaKind.VIDEO,
            (360, 640),
            duration=3.0,
            cover=await ensure_cover(video, "b", tmp_path),
        ),
        media_file(make_photo(tmp_path / "c.jpg", 2), MediaKind.PHOTO, (1080, 1350)),
    ]
    async with driving(host, account) as driver:
        await publish(driver, Post(PostKind.CAROUSEL, files, "Three"))
    (record,) = posts_of(practice, account.username)
    assert record["product_type"] == "carousel_container"
    assert record["content_sha256"] == [file.sha256 for file in files]


async def test_a_lost_answer_to_configure_is_ambiguous_and_sent_once(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "in_doubt"))
    practice.fault("drop_after_apply", CONFIGURE, account=account.username)
    with pytest.raises(AmbiguousEffectError):
        async with driving(host, account) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    assert len(posts_of(practice, account.username)) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"message": "The caption is too long.", "status": "fail"}, ContentRefusedError),
        (403, {"message": "login_required", "status": "fail"}, SessionExpiredError),
        (400, {"message": "Please wait a few minutes", "status": "fail"}, RateLimitedError),
        (429, {"message": "slow down", "status": "fail"}, AmbiguousEffectError),
        (408, None, AmbiguousEffectError),
        (502, "bad gateway", AmbiguousEffectError),
        (400, "not even JSON", AmbiguousEffectError),
    ],
)
async def test_an_answer_to_configure_is_a_refusal_only_where_it_proves_one(
    practice: PracticeProcess,
    host: PrivateApiHost,
    tmp_path: Path,
    status: int,
    body: object,
    expected: type[FlotillaError],
) -> None:
    name = f"answers_{status}_{expected.code}"[:30]
    account = await signed_in(host, seed_account(practice, name))
    practice.fault("refuse_status", CONFIGURE, account=name, status=status, body=body, count=5)
    with pytest.raises(expected):
        async with driving(host, account) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    used = 5 - sum(fault["count"] for fault in practice.faults())
    practice.clear_faults()
    assert used == 1, "sent again below us"


async def test_an_upload_that_fails_has_no_doubt(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "upload_cut"))
    practice.fault("drop_before_apply", "/rupload_igphoto/*", account=account.username)
    with pytest.raises(PlatformUnreachableError):
        async with driving(host, account) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    assert not posts_of(practice, account.username)


async def test_a_cancelled_item_sends_no_further_request(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "cancelled"))
    said = Remembered()
    hooks = said.hooks()
    post = photo_post(make_photo(tmp_path / "a.jpg"))
    hooks.cancel.set()
    with pytest.raises(OperationCancelledError):
        async with host.open(account, tmp_path, hooks) as driver:
            await driver.prepare_publish(post, driver.plan_publish(post))
    assert not said.lines


async def test_traffic_goes_through_the_proxy_with_its_password(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    url = practice.add_proxy("office", "agent", "p@ss:word/1".replace("@", "").replace("/", ""))
    account = seed_account(practice, "behind_proxy", require_proxy="office")
    account = account.model_copy(update={"proxy": proxy_access(url)})
    account = await signed_in(host, account)
    async with driving(host, account) as driver:
        await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    (record,) = posts_of(practice, account.username)
    assert record["proxy"] == "office"


async def test_an_answer_lost_behind_a_proxy_is_in_doubt(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    url = practice.add_proxy("lossy", "agent", "lossy-password")
    account = seed_account(practice, "behind_lossy", require_proxy="lossy")
    account = await signed_in(host, account.model_copy(update={"proxy": proxy_access(url)}))
    practice.fault("drop_after_apply", CONFIGURE, account=account.username)
    with pytest.raises(AmbiguousEffectError):
        async with driving(host, account) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    assert len(posts_of(practice, account.username)) == 1


async def test_a_proxy_that_refuses_the_password_is_named(
    practice: PracticeProcess, host: PrivateApiHost
) -> None:
    practice.add_proxy("strict", "known", "right-password")
    url = practice.proxy_url.replace("http://", "http://known:wrong-password@")
    account = seed_account(practice, "wrong_at_proxy").model_copy(
        update={"proxy": proxy_access(url)}
    )
    with pytest.raises(ProxyFailedError) as failed:
        async with driving(host, account) as driver:
            await driver.sign_in(credentials_of(account))
    assert "wrong-password" not in f"{failed.value} {failed.value.__cause__!r}"
    assert submissions(practice, account.username) == 0


async def test_a_dead_proxy_is_named(practice: PracticeProcess, host: PrivateApiHost) -> None:
    with no_proxy_listening() as url:
        account = seed_account(practice, "dead_proxy").model_copy(
            update={"proxy": proxy_access(url)}
        )
        with pytest.raises(ProxyFailedError):
            async with driving(host, account) as driver:
                await driver.sign_in(credentials_of(account))


async def test_the_log_names_requests_and_no_secret(
    practice: PracticeProcess, host: PrivateApiHost, tmp_path: Path
) -> None:
    account = await signed_in(host, seed_account(practice, "logged"))
    said = Remembered()
    async with driving(host, account, said) as driver:
        await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    assert any("POST /api/v1/media/configure/ 200" in line for line in said.lines)
    text = "\n".join(said.lines)
    assert "Bearer" not in text
    assert "sessionid" not in text
