"""The browser driver's operations with a real Chromium against the practice platform."""

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.drivers.browser.driver import BrowserDriver
from agent.drivers.browser.host import BrowserHost
from agent.runners.pipe import ScreenFrame
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.content import MediaKind, PostKind
from common.errors import (
    AmbiguousEffectError,
    ConflictError,
    ContentRefusedError,
    CredentialsRefusedError,
    InputError,
    ProxyFailedError,
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

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest.fixture
def frames() -> list[ScreenFrame]:
    return []


@pytest.fixture
async def host(frames: list[ScreenFrame]) -> AsyncIterator[BrowserHost]:
    host = BrowserHost(slots=2, visible=False, send_screen=frames.append)
    yield host
    await host.close()


@asynccontextmanager
async def driving(
    host: BrowserHost, account: AccountAccess, folder: Path, said: Remembered | None = None
) -> AsyncIterator[BrowserDriver]:
    async with host.open(account, folder, (said or Remembered()).hooks()) as driver:
        yield driver


def browser_account(practice: PracticeProcess, name: str, **fields: object) -> AccountAccess:
    account = seed_account(practice, name, **fields)  # type: ignore[arg-type]
    return account.model_copy(update={"driver": DriverName.BROWSER})


async def signed_in(host: BrowserHost, account: AccountAccess, folder: Path) -> AccountAccess:
    async with driving(host, account, folder) as driver:
        found = await driver.sign_in(credentials_of(account))
    return account.model_copy(update={"session": found.session, "user_id": found.identity.user_id})


async def publish(driver: BrowserDriver, post: Post) -> tuple[str, str]:
    prepared = await driver.prepare_publish(post, driver.plan_publish(post))
    published = await driver.publish(prepared)
    return published.remote_id, published.url


def submissions(practice: PracticeProcess, username: str) -> int:
    return sum(one["account"] == username for one in practice.ledger(kind="password_submitted"))


def posts_of(practice: PracticeProcess, username: str) -> list[dict[str, object]]:
    return [one for one in practice.ledger(kind="published") if one["account"] == username]


async def test_an_account_signs_in_and_publishes_every_kind_of_post(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = await signed_in(host, browser_account(practice, "by_page", totp=True), tmp_path)
    state = json.loads(account.session.get_secret_value()) if account.session else {}
    assert (state["driver"], state["platform"]) == ("browser", "practice")
    photo = photo_post(make_photo(tmp_path / "a.jpg").rename(tmp_path / "blob"), "Harbour ☀ #sea")
    video = media_file(make_reel(tmp_path / "b.mp4"), MediaKind.VIDEO, (360, 640), duration=3.0)
    other = media_file(make_photo(tmp_path / "c.jpg", 3), MediaKind.PHOTO, (1080, 1350))
    async with driving(host, account, tmp_path) as driver:
        assert isinstance(driver, SignsIn)
        assert isinstance(driver, VerifiesSession)
        assert isinstance(driver, Publishes)
        made = [
            await publish(driver, photo),
            await publish(driver, Post(PostKind.REEL, [video], "A reel")),
            await publish(driver, Post(PostKind.CAROUSEL, [photo.files[0], other], "Two")),
        ]
    records = posts_of(practice, account.username)
    assert [one["product_type"] for one in records] == ["feed", "clips", "carousel_container"]
    assert [one["post_id"] for one in records] == [remote_id for remote_id, _ in made]
    assert [f"{practice.url}/p/{one['post_code']}/" for one in records] == [url for _, url in made]
    assert records[0]["caption"] == "Harbour ☀ #sea"
    assert records[0]["content_sha256"] == [photo.files[0].sha256]


async def test_a_caption_keeps_its_lines(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = await signed_in(host, browser_account(practice, "many_lines"), tmp_path)
    async with driving(host, account, tmp_path) as driver:
        await publish(driver, photo_post(make_photo(tmp_path / "a.jpg"), "One\n\nTwo #three"))
    (record,) = posts_of(practice, account.username)
    assert record["caption"] == "One\n\nTwo #three"


async def test_a_session_outlives_the_browser_and_the_profile(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path, frames: list[ScreenFrame]
) -> None:
    account = await signed_in(host, browser_account(practice, "stays"), tmp_path)
    await host.close()
    again = BrowserHost(slots=1, visible=False, send_screen=frames.append)
    async with driving(again, account, tmp_path) as driver:
        await driver.verify_session()
    await again.close()
    shutil.rmtree(tmp_path / "browser")
    restored = BrowserHost(slots=1, visible=False, send_screen=frames.append)
    async with driving(restored, account, tmp_path) as driver:
        await driver.verify_session()
    await restored.close()
    assert submissions(practice, account.username) == 1


async def test_a_wrong_password_is_submitted_once(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_wrong")
    with pytest.raises(CredentialsRefusedError):
        async with driving(host, account, tmp_path) as driver:
            await driver.sign_in(credentials_of(account, "not the password"))
    assert submissions(practice, account.username) == 1


async def test_a_wrong_totp_seed_is_named(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_totp", totp=True)
    account = account.model_copy(update={"totp_seed": SecretStr("JBSWY3DPEHPK3PXP" * 2)})
    with pytest.raises(SecondFactorRefusedError):
        async with driving(host, account, tmp_path) as driver:
            await driver.sign_in(credentials_of(account))


async def test_a_dead_session_is_said(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = await signed_in(host, browser_account(practice, "page_dead"), tmp_path)
    practice.revoke_sessions(account.username)
    with pytest.raises(SessionExpiredError):
        async with driving(host, account, tmp_path) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))


@pytest.mark.parametrize(
    ("kind", "fields", "expected", "posts"),
    [
        ("drop_after_apply", {}, AmbiguousEffectError, 1),
        ("refuse_status", {"status": 503}, AmbiguousEffectError, 0),
        (
            "refuse_status",
            {"status": 400, "body": {"message": "Not this one.", "status": "fail"}},
            ContentRefusedError,
            0,
        ),
    ],
)
async def test_sharing_is_in_doubt_unless_the_page_proves_a_refusal(
    practice: PracticeProcess,
    host: BrowserHost,
    tmp_path: Path,
    kind: str,
    fields: dict[str, object],
    expected: type[Exception],
    posts: int,
) -> None:
    name = f"share_{kind}_{fields.get('status', '')}"
    account = await signed_in(host, browser_account(practice, name), tmp_path)
    practice.fault(kind, "/create/", account=name, **fields)
    with pytest.raises(expected):
        async with driving(host, account, tmp_path) as driver:
            await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    practice.clear_faults()
    assert len(posts_of(practice, name)) == posts


async def test_pages_come_through_the_proxy_with_its_password(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    url = practice.add_proxy("page_office", "browser", "page-password")
    account = browser_account(practice, "page_proxy", require_proxy="page_office")
    account = account.model_copy(update={"proxy": proxy_access(url)})
    account = await signed_in(host, account, tmp_path)
    async with driving(host, account, tmp_path) as driver:
        await publish(driver, photo_post(make_photo(tmp_path / "a.jpg")))
    (record,) = posts_of(practice, account.username)
    assert record["proxy"] == "page_office"


async def test_a_proxy_that_refuses_the_password_is_named(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    url = practice.proxy_url.replace("http://", "http://known:wrong-password@")
    account = browser_account(practice, "page_wrong_proxy")
    account = account.model_copy(update={"proxy": proxy_access(url)})
    with pytest.raises(ProxyFailedError):
        async with driving(host, account, tmp_path) as driver:
            await driver.sign_in(credentials_of(account))
    assert submissions(practice, account.username) == 0


async def test_a_dead_proxy_is_named(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    with no_proxy_listening() as url:
        account = browser_account(practice, "page_dead_proxy")
        account = account.model_copy(update={"proxy": proxy_access(url)})
        with pytest.raises(ProxyFailedError):
            async with driving(host, account, tmp_path) as driver:
                await driver.sign_in(credentials_of(account))


async def test_a_practice_browser_reaches_nothing_but_this_machine(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_confined")
    elsewhere = account.model_copy(update={"platform_url": "http://192.0.2.1"})
    with pytest.raises(InputError):
        async with driving(host, elsewhere, tmp_path):
            pass
    async with driving(host, account, tmp_path) as driver:
        for address in ("http://example.org/", "http://192.0.2.1/"):
            with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
                await driver._page.goto(address)


async def test_one_profile_is_open_once(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path, frames: list[ScreenFrame]
) -> None:
    account = browser_account(practice, "page_locked")
    other = BrowserHost(slots=1, visible=False, send_screen=frames.append)
    async with driving(host, account, tmp_path):
        with pytest.raises(ConflictError):
            async with driving(other, account, tmp_path):
                pass
    await other.close()


async def test_a_further_item_finds_the_browser_open(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    account = browser_account(practice, "page_lingers")
    async with driving(host, account, tmp_path) as first:
        page = first._page
    async with driving(host, account, tmp_path) as second:
        assert second._page is page


async def test_more_accounts_than_slots_take_turns(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    for number in range(3):
        account = browser_account(practice, f"page_turn_{number}")
        async with driving(host, account, tmp_path / str(number)):
            assert len(host._profiles) <= 2
