"""The dialog for a new post: up to the caption, and then the one click that shares it."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Error, Locator, Page, Request, Response

from agent.drivers.answers import json_object
from agent.drivers.browser.errors import (
    PublishAnswer,
    publish_refusal,
    translated,
    translated_effect,
)
from agent.drivers.browser.once import SendOnce
from agent.drivers.browser.vocabulary import Vocabulary
from common.domain.content import MediaKind
from common.errors import ContentRefusedError, PlatformUnreachableError
from common.operations import MediaFile, Post

_STEP_MS = 30_000
_SHARE_MS = 120_000
_READ_SECONDS = 10.0
_STEPS_TO_CAPTION = 2


class Composer:
    """One new post in one page."""

    def __init__(self, page: Page, words: Vocabulary, username: str) -> None:
        self._page = page
        self._words = words
        self._username = username
        self._answer = PublishAnswer()
        self._reading: set[asyncio.Task[None]] = set()
        self._once = SendOnce(page, self._decides)

    async def fill(self, post: Post, folder: Path) -> None:
        """Open the dialog, choose the files (named copies go to `folder`) and write the caption."""
        with translated(self._username, "preparing the post"):
            await self._find("new_post_button").click(timeout=_STEP_MS)
            dialog = self._dialog()
            await dialog.wait_for(timeout=_STEP_MS)
            files = await asyncio.to_thread(_with_endings, post, folder)
            await self._within("file_input").set_input_files(files, timeout=_STEP_MS)
            for _ in range(_STEPS_TO_CAPTION):
                await self._within("next_button").click(timeout=_STEP_MS)
            box = self._within("caption_box")
            await box.fill(post.caption, timeout=_STEP_MS)
            await self._require_caption(box, post.caption)
            await self._once.open(self._username)

    async def share(self) -> str:
        """Click Share and return the address of the new post's page, or nothing where none shows.

        Raises ContentRefusedError, SessionExpiredError, ProxyFailedError or
        PlatformUnreachableError where the page's own request proves that nothing was published,
        and AmbiguousEffectError for everything else.
        """
        self._page.on("response", self._note_response)
        self._page.on("requestfailed", self._note_failure)
        try:
            with translated_effect(self._username):
                await self._once.arm()
                return await self._share()
        finally:
            self._page.remove_listener("response", self._note_response)
            self._page.remove_listener("requestfailed", self._note_failure)
            for task in self._reading:
                task.cancel()
            with contextlib.suppress(Error):
                await self._once.disarm()

    async def _share(self) -> str:
        shared = self._within("shared_text")
        alert = self._words.find(self._page, "alert").filter(visible=True)
        await self._within("share_button").click(timeout=_STEP_MS)
        await shared.or_(alert).first.wait_for(timeout=_SHARE_MS)
        if not await shared.is_visible():
            said = await alert.first.inner_text()
            if self._reading:
                await asyncio.wait(self._reading, timeout=_READ_SECONDS)
            # An alert without a request that we know proves nothing: the page may share otherwise.
            if self._once.was_held_back and not self._once.left:
                raise PlatformUnreachableError(
                    f"The post of {self._username} was not sent: the browser's connections could "
                    "not be closed before.",
                    subject=self._username,
                )
            raise publish_refusal(self._username, said, self._answer)
        link = self._within("view_post")
        return await self._absolute(link) if await link.count() else ""

    async def _absolute(self, link: Locator) -> str:
        address: str = await link.first.evaluate("element => element.href")
        return address

    async def _require_caption(self, box: Locator, caption: str) -> None:
        """A caption that the page changed while it was typed is not shared."""
        written = await box.inner_text()
        if _essence(written) != _essence(caption):
            raise ContentRefusedError(
                f"The page of {self._username} does not take the caption as it is.",
                advice="Use plain text in the caption, or publish by the private API.",
                subject=self._username,
            )

    def _note_response(self, response: Response) -> None:
        if self._decides(response.request):
            task = asyncio.create_task(self._read(response), name="publish answer")
            self._reading.add(task)

    async def _read(self, response: Response) -> None:
        body = json_object(await response.text()) if response.status >= 400 else None
        self._answer = PublishAnswer(response.status, str((body or {}).get("message") or ""))

    def _note_failure(self, request: Request) -> None:
        if self._decides(request):
            self._answer = PublishAnswer(failure=request.failure or "net::ERR_FAILED")

    def _decides(self, request: Request) -> bool:
        path = urlsplit(request.url).path
        return request.method == "POST" and path in self._words.routes.publish

    def _dialog(self) -> Locator:
        return self._words.find(self._page, "create_dialog").filter(visible=True)

    def _within(self, name: str) -> Locator:
        return self._words.find(self._dialog(), name)

    def _find(self, name: str) -> Locator:
        return self._words.find(self._page, name)


def _with_endings(post: Post, folder: Path) -> list[Path]:
    """Return the files under names whose endings say what they are; a page goes by them."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_named(file, folder) for file in post.files]


def _named(file: MediaFile, folder: Path) -> Path:
    source = Path(file.path)
    target = folder / f"{file.sha256}{_ending(file, source)}"
    if not target.exists():
        try:
            os.link(source, target)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(source, target)
    return target


def _ending(file: MediaFile, source: Path) -> str:
    if file.kind is MediaKind.VIDEO:
        return ".mp4"
    with source.open("rb") as data:
        head = data.read(12)
    if head.startswith(b"\x89PNG"):
        return ".png"
    return ".webp" if head[8:12] == b"WEBP" else ".jpg"


def _essence(text: str) -> str:
    """Return `text` without what a page may lay out differently: kinds and runs of white space."""
    return " ".join(text.split())
