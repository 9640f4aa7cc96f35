"""What the browser driver reads of an account's own posts, with a real Chromium."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, async_playwright

from agent.drivers.browser.driver import BrowserDriver
from agent.drivers.browser.executable import require_browser
from agent.drivers.browser.grid import OwnGrid
from agent.drivers.browser.host import BrowserHost
from agent.drivers.browser.pages import Pages
from agent.drivers.browser.sign_in import SignInPages
from agent.drivers.browser.vocabulary import load_vocabulary
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, ListedPost, MediaKind, PostKind
from common.errors import DriverError, FlotillaError, SessionExpiredError
from common.operations import FindsPublished, Post
from tests.support.driving import (
    PASSWORD,
    Remembered,
    credentials_of,
    media_file,
    seed_account,
)
from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo, make_reel

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest.fixture
async def host() -> AsyncIterator[BrowserHost]:
    host = BrowserHost(slots=1, visible=False, send_screen=lambda _: None)
    yield host
    await host.close()


@asynccontextmanager
async def signed_in(
    host: BrowserHost, practice: PracticeProcess, name: str, folder: Path
) -> AsyncIterator[tuple[AccountAccess, BrowserDriver]]:
    account = seed_account(practice, name).model_copy(update={"driver": DriverName.BROWSER})
    async with host.open(account, folder, Remembered().hooks()) as driver:
        await driver.sign_in(credentials_of(account))
        yield account, driver


def publish_by_phone(practice: PracticeProcess, account: AccountAccess, folder: Path) -> None:
    phone = PracticeClient(practice.url)
    phone.login(account.username, PASSWORD)
    phone.publish_photo(make_photo(folder / "phone.jpg", 9), "By phone\n\n  früh ☀")
    phone.close()


async def test_every_kind_of_post_is_listed_as_the_platform_has_it(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    photo = media_file(make_photo(tmp_path / "a.jpg"), MediaKind.PHOTO, (1080, 1350))
    other = media_file(make_photo(tmp_path / "b.jpg", 2), MediaKind.PHOTO, (1080, 1350))
    video = media_file(make_reel(tmp_path / "c.mp4"), MediaKind.VIDEO, (360, 640), duration=3.0)
    posts = [
        Post(PostKind.PHOTO, [photo], ""),
        Post(PostKind.REEL, [video], "A reel"),
        Post(PostKind.CAROUSEL, [photo, other], "Two  spaces"),
    ]
    async with signed_in(host, practice, "lists_all", tmp_path) as (account, driver):
        assert isinstance(driver, FindsPublished)
        empty = await driver.take_baseline()
        assert empty.post_ids == ()
        assert await driver.find_published(empty) == []
        for post in posts:
            await driver.publish(await driver.prepare_publish(post, {}))
        publish_by_phone(practice, account, tmp_path)
        listed = await driver.find_published(empty)
        baseline = await driver.take_baseline()
        newer = Baseline(post_ids=baseline.post_ids[1:], platform_time=baseline.platform_time)
        newest = await driver.find_published(newer)
    truth = practice.posts(account.username)
    by_time = sorted(truth, key=lambda one: int(one["post_id"].partition("_")[0]), reverse=True)
    assert [one.remote_id for one in listed] == [one["post_id"] for one in by_time]
    assert list(baseline.post_ids) == [one["post_id"] for one in by_time]
    assert [one.taken_at for one in listed] == [float(one["taken_at"]) for one in by_time]
    assert [one.kind for one in listed] == [PostKind.PHOTO, *(one.kind for one in reversed(posts))]
    captions = [(one.caption or "").split() for one in listed]
    assert captions == [(one["caption"] or "").split() for one in by_time]
    assert newest == listed[:1]


async def test_a_page_that_is_not_the_accounts_own_grid_is_no_empty_list(
    practice: PracticeProcess, host: BrowserHost, tmp_path: Path
) -> None:
    async with signed_in(host, practice, "grid_fails", tmp_path) as (account, driver):
        publish_by_phone(practice, account, tmp_path)
        before = Baseline(platform_time=1.0)
        bodies: list[tuple[int, object]] = [(500, None), (429, "slow down"), (404, "<h1>Gone</h1>")]
        for route in (f"/{account.username}/", "/p/*"):
            for status, body in bodies:
                practice.fault(
                    "refuse_status", route, account=account.username, status=status, body=body
                )
                with pytest.raises(DriverError, match="answered with"):
                    await driver.find_published(before)
            practice.fault("drop_before_apply", route, account=account.username, count=9)
            with pytest.raises(FlotillaError):
                await driver.find_published(before)
            practice.clear_faults()
        assert len(await driver.find_published(before)) == 1
        practice.fault("expire_session", f"/{account.username}/", account=account.username)
        with pytest.raises(SessionExpiredError):
            await driver.find_published(before)
        with pytest.raises(SessionExpiredError):
            await driver.take_baseline()


NAV = "<nav><button>New post</button><a href='/odd/'>odd</a></nav>"
GRID = """<h1>odd</h1><section aria-label="Posts"><a href="/p/Bo/">Photo</a></section>"""
ARTICLE = """<article><a href="/odd/">odd</a><b role="group" aria-label="Kind of post">Photo</b>
<section aria-label="Caption">A caption</section>
<time datetime="2026-11-23T10:00:00+00:00">today</time></article>"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of a browser without an account."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require_browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield await browser.new_page()
        await browser.close()


async def look_at(
    page: Page, grid: str, article: str, known: frozenset[str] = frozenset()
) -> list[ListedPost]:
    """Look at pages that say exactly this, knowing some of the posts."""
    account = AccountAccess(
        account_id="a",
        platform=Platform.PRACTICE,
        platform_url="http://127.0.0.1:9",
        username="odd",
        user_id="5",
        driver=DriverName.BROWSER,
    )

    async def answer(route: Route) -> None:
        html = article if "/p/" in route.request.url else grid
        await route.fulfill(body=NAV + html, content_type="text/html")

    await page.route("**/*", answer)
    pages = Pages(page, load_vocabulary(Platform.PRACTICE), account.platform_url, "odd")
    own = OwnGrid(pages, SignInPages(pages), account)
    try:
        return await own.newer(await own.codes(), known, None, whole=True)
    finally:
        await page.unroute_all()


async def test_a_page_that_says_less_than_it_should_is_no_empty_list(page: Page) -> None:
    (post,) = await look_at(page, GRID, ARTICLE)
    assert (post.kind, post.caption, post.remote_id) == (PostKind.PHOTO, "A caption", "104_5")
    assert await look_at(page, "<h1>odd</h1><p>This account has no posts.</p>", "") == []
    broken = [
        (GRID.replace("/p/Bo/", "/elsewhere/"), ARTICLE, "The grid of posts"),
        ("<h1>odd</h1><section aria-label='Posts'>Nothing</section>", ARTICLE, "The grid of posts"),
        (GRID, ARTICLE.replace(">Photo<", ">Film<"), "The kind of a post"),
        (GRID, ARTICLE.replace("Caption", "Words"), "The caption of a post"),
        (GRID, ARTICLE.replace("2026-11-23T10", "yesterday"), "The time of a post"),
        (GRID, ARTICLE.replace("+00:00", ""), "The time of a post, which has no zone"),
        (GRID, ARTICLE.replace("/odd/", "/somebody/"), "A post, which names another account"),
    ]
    for grid, article, said in broken:
        with pytest.raises(DriverError, match=said):
            await look_at(page, grid, article)


def grid_of(letters: str) -> str:
    links = "".join(f"<a href='/p/{letter}/'>Photo</a>" for letter in letters)
    return f"<h1>odd</h1><section aria-label='Posts'>{links}</section>"


async def test_more_new_posts_than_can_be_opened_are_no_whole_list(page: Page) -> None:
    with pytest.raises(DriverError, match="more newer posts"):
        await look_at(page, grid_of("BCDEFGHIJKLMN"), ARTICLE)


async def test_a_grid_that_ends_before_the_older_posts_is_no_whole_list(page: Page) -> None:
    twelve = grid_of("BCDEFGHIJKLM")
    for pinned in ("", "BCD"):
        with pytest.raises(DriverError, match="ends before the older posts"):
            await look_at(page, twelve, ARTICLE, frozenset(pinned))
    assert len(await look_at(page, twelve, ARTICLE, frozenset("M"))) == 11
