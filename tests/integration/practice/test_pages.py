"""A real browser uses the pages the way a person does."""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from practice.totp import code_at
from tests.support.practice_client import PracticeClient
from tests.support.practice_process import TOTP_SEED, PracticeProcess, SeededAccount

pytestmark = pytest.mark.browser

NewAccount = Callable[..., SeededAccount]
WAIT_MILLISECONDS = 10_000
WINDOW = ViewportSize(width=1280, height=800)
BANNER = "Practice platform – nothing here reaches the real one"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, practice_platform: PracticeProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=practice_platform.url, viewport=WINDOW)
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def submit_password(page: Page, account: SeededAccount, password: str | None = None) -> None:
    page.goto("/")
    page.get_by_label("Phone number, username, or email").fill(account.username)
    page.get_by_label("Password").fill(password or account.password)
    page.get_by_role("button", name="Log in").click()


def sign_in(page: Page, account: SeededAccount) -> None:
    submit_password(page, account)
    page.get_by_role("button", name="Not now").click()


def share(page: Page, files: list[Path], caption: str) -> str:
    """Publish by the dialog; returns the new post's path."""
    page.get_by_role("button", name="New post").click()
    dialog = page.get_by_role("dialog", name="Create new post")
    dialog.locator("input[type=file]").set_input_files(files)
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("textbox", name="Write a caption...").fill(caption)
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_text("Your post has been shared.")).to_be_visible()
    path = dialog.get_by_role("link", name="View post").get_attribute("href")
    assert path
    return path


def test_signing_in_with_a_second_factor_and_publishing_a_photo(
    practice_platform: PracticeProcess, new_account: NewAccount, page: Page, photos: list[Path]
) -> None:
    account = new_account(totp_seed=TOTP_SEED)
    submit_password(page, account)
    page.get_by_label("Security Code").fill(code_at(TOTP_SEED, time.time()))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    path = share(page, [photos[0]], "Evening light\n\n#lamps")

    record = practice_platform.ledger(kind="published")[-1]
    assert (record["account"], record["source"]) == (account.username, "web")
    assert (record["media_type"], record["product_type"]) == (1, "feed")
    assert record["caption"] == "Evening light\n\n#lamps"
    assert record["content_sha256"] == [hashlib.sha256(photos[0].read_bytes()).hexdigest()]
    assert path == f"/p/{record['post_code']}/"

    page.get_by_role("link", name="View post").click()
    expect(page.get_by_text(BANNER)).to_be_visible()
    expect(page.get_by_text("Evening light")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name=account.username)).to_be_visible()
    picture = page.get_by_role("img", name="Photo")
    expect(picture).to_have_js_property("naturalWidth", 1080)


@pytest.mark.parametrize("caption", ["", "One line", "One\n\nThree\nfour", "  two  blanks  each"])
@pytest.mark.parametrize("way", ["fill", "press_sequentially", "insert"])
def test_a_caption_arrives_as_it_was_seen(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    page: Page,
    photos: list[Path],
    caption: str,
    way: str,
) -> None:
    sign_in(page, new_account())
    page.get_by_role("button", name="New post").click()
    page.locator("input[type=file]").set_input_files([photos[0]])
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    box = page.get_by_role("textbox", name="Write a caption...")
    expect(box).to_be_focused()
    if way == "insert":
        page.keyboard.insert_text(caption)
    else:
        getattr(box, way)(caption)
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Your post has been shared.")).to_be_visible()
    assert practice_platform.ledger(kind="published")[-1]["caption"] == caption


def test_a_video_becomes_a_reel_that_plays(
    practice_platform: PracticeProcess, new_account: NewAccount, page: Page, reel: Path
) -> None:
    account = new_account()
    sign_in(page, account)
    path = share(page, [reel], "")
    record = practice_platform.ledger(kind="published")[-1]
    assert (record["media_type"], record["product_type"]) == (2, "clips")
    assert record["content_sha256"] == [hashlib.sha256(reel.read_bytes()).hexdigest()]
    page.goto(path)
    video = page.locator("video")
    video.evaluate("video => video.play()")
    expect(video).to_have_js_property("videoWidth", 360)
    expect(video).to_have_js_property("error", None)


def test_files_dropped_together_make_an_album(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    page: Page,
    photos: list[Path],
    reel: Path,
) -> None:
    account = new_account()
    sign_in(page, account)
    page.goto(share(page, [photos[2], reel, photos[0]], "mixed"))
    record = practice_platform.ledger(kind="published")[-1]
    assert [item["kind"] for item in record["items"]] == ["photo", "video", "photo"]
    expect(page.get_by_role("main").locator("img[alt=Photo]")).to_have_count(2)
    page.goto(f"/{account.username}/")
    expect(page.get_by_role("heading", name=account.username)).to_be_visible()
    expect(page.get_by_role("link", name="Album: mixed")).to_have_attribute(
        "href", f"/p/{record['post_code']}/"
    )


@pytest.mark.parametrize("caption", ["", "One line", "  two  blanks\n\nand <b>lines</b>"])
def test_a_post_page_says_what_the_post_is(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    page: Page,
    reel: Path,
    caption: str,
) -> None:
    account = new_account()
    sign_in(page, account)
    page.goto(share(page, [reel], caption))
    record = practice_platform.ledger(kind="published")[-1]
    post = page.get_by_role("article", name=f"Reel by {account.username}")
    expect(post.get_by_role("group", name="Kind of post")).to_have_text("Reel")
    told = post.get_by_role("region", name="Caption")
    assert told.all_text_contents() == ([record["caption"]] if caption else [])
    assert record["caption"] == caption
    moment = post.get_by_role("time").get_attribute("datetime")
    assert moment
    published = datetime.fromisoformat(record["at"]).replace(microsecond=0)
    assert datetime.fromisoformat(moment) == published
    assert moment.endswith("+00:00")


def test_a_profile_links_its_newest_posts(
    practice_platform: PracticeProcess,
    new_account: NewAccount,
    new_client: Callable[[], PracticeClient],
    page: Page,
    photos: list[Path],
) -> None:
    account, client = new_account(), new_client()
    client.login(account.username, account.password)
    upload_id, width, height = client.photo_rupload(photos[0])
    for number in range(62):
        caption = f"post {number}" if number % 2 else ""
        client.photo_configure(upload_id, width, height, caption)
    posts = practice_platform.posts(account.username)
    page.goto(f"/{account.username}/")
    links = page.get_by_role("region", name="Posts").get_by_role("link")
    hrefs = [link.get_attribute("href") for link in links.all()]
    assert hrefs == [f"/p/{post['post_code']}/" for post in posts[::-1]][:60]
    expect(links.first).to_have_accessible_name("Photo: post 61")
    expect(links.nth(1)).to_have_accessible_name(re.compile(r"^Photo, \d+ \w+ \d{4}, .* UTC$"))
    expect(page.get_by_text("62 posts")).to_be_visible()


def test_a_file_chooser_opens_from_the_button(
    new_account: NewAccount, page: Page, photos: list[Path]
) -> None:
    sign_in(page, new_account())
    page.goto("/create/")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Select from computer").click()
    assert chosen.value.is_multiple()
    chosen.value.set_files(photos[0])
    expect(page.get_by_role("button", name="Next")).to_be_visible()


def test_wrong_credentials_are_told(
    practice_platform: PracticeProcess, new_account: NewAccount, page: Page
) -> None:
    account = new_account(totp_seed=TOTP_SEED)
    submit_password(page, account, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("password is not right")
    submit_password(page, account)
    page.get_by_label("Security Code").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("code is not right")
    reasons = [
        record["reason"]
        for record in practice_platform.ledger(kind="sign_in_refused")
        if record["account"] == account.username
    ]
    assert reasons == ["wrong", "wrong_code"]


def test_a_refused_post_says_why_and_keeps_the_caption(
    practice_platform: PracticeProcess, new_account: NewAccount, page: Page, photos: list[Path]
) -> None:
    account = new_account()
    sign_in(page, account)
    practice_platform.fault("refuse_status", "/create/", account=account.username)
    page.get_by_role("button", name="New post").click()
    dialog = page.get_by_role("dialog", name="Create new post")
    dialog.locator("input[type=file]").set_input_files([photos[0]])
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("button", name="Next").click()
    caption = dialog.get_by_role("textbox", name="Write a caption...")
    caption.fill("still here")
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_role("alert")).to_contain_text("could not be shared")
    expect(caption).to_have_text("still here")
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_text("Your post has been shared.")).to_be_visible()


def test_the_greeting_comes_once_and_the_session_stays_until_signing_out(
    new_account: NewAccount, page: Page
) -> None:
    account = new_account()
    sign_in(page, account)
    page.goto("/")
    expect(page.get_by_role("button", name="Not now")).to_have_count(0)
    page.goto("/accounts/login/")
    expect(page).to_have_url(re.compile(r"/$"))
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_an_account_bound_to_a_proxy_signs_in_through_it_alone(
    practice_platform: PracticeProcess, new_account: NewAccount, browser: Browser, page: Page
) -> None:
    practice_platform.add_proxy("rome", "romolo", "proxy-password")
    account = new_account(require_proxy="rome")
    submit_password(page, account)
    expect(page.get_by_role("alert")).to_contain_text("its own proxy")
    context = browser.new_context(
        base_url=practice_platform.url,
        proxy={
            "server": practice_platform.proxy_url,
            "username": "romolo",
            "password": "proxy-password",
        },
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    sign_in(context.new_page(), account)
    context.close()
    record = practice_platform.ledger(kind="signed_in")[-1]
    assert (record["account"], record["proxy"]) == (account.username, "rome")


def test_every_page_carries_the_banner(new_account: NewAccount, page: Page) -> None:
    account = new_account()
    for path in ("/accounts/login/", "/nobody.at.all/", f"/{account.username}/"):
        page.goto(path)
        expect(page.get_by_text(BANNER)).to_be_visible()
    sign_in(page, account)
    page.get_by_role("button", name="New post").click()
    expect(page.get_by_text(BANNER)).to_be_in_viewport()


def test_forms_of_other_sites_are_refused(practice_platform: PracticeProcess) -> None:
    with httpx.Client(base_url=practice_platform.url, trust_env=False) as client:
        for path in ("/accounts/login/", "/accounts/logout/", "/create/"):
            answer = client.post(path, headers={"Origin": "http://a.example"})
            assert answer.status_code == 403
        assert client.post("/create/", files={"files": b"x"}).status_code == 403


def test_media_come_whole_or_in_parts(
    practice_platform: PracticeProcess, new_account: NewAccount, page: Page, reel: Path
) -> None:
    sign_in(page, new_account())
    share(page, [reel], "")
    sha256 = practice_platform.ledger(kind="published")[-1]["content_sha256"][0]
    url = f"{practice_platform.url}/media/{sha256}"
    whole = httpx.get(url, trust_env=False)
    assert (whole.content, whole.headers["content-type"]) == (reel.read_bytes(), "video/mp4")
    part = httpx.get(url, headers={"Range": "bytes=4-7"}, trust_env=False)
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert httpx.get(url[:-1] + "x", trust_env=False).status_code == 404
