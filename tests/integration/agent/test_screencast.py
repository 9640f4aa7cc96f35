"""A watched page is seen, be it one on which nothing moves."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from playwright.async_api import async_playwright

from agent.chromium import find_chromium
from agent.live import screencast
from agent.live.screencast import Screencast

pytestmark = pytest.mark.browser
_STILL = "data:text/html,<title>Still</title><body style='background:teal'>"


@pytest.mark.parametrize("is_pushed", [True, False])
async def test_a_still_page_is_seen_once_it_is_watched(
    monkeypatch: pytest.MonkeyPatch, is_pushed: bool
) -> None:
    if not is_pushed:
        # Chromium pushes every nth frame of a page that changes; this one never does.
        monkeypatch.setattr(screencast, "_EVERY_NTH", 1_000_000)
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), chromium_sandbox=False
        )
        page = await browser.new_page(viewport={"width": 800, "height": 600})
        await page.goto(_STILL)
        cast = Screencast(page, 400, frames.put_nowait)
        await cast.start()
        async with asyncio.timeout(15):
            jpeg = await frames.get()
        await cast.stop()
        await browser.close()
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.width == 400
        red, green, blue = picture.convert("RGB").getpixel((200, 150))  # type: ignore[misc]
    assert red < 60 < green
    assert blue > 60
