"""One page's screencast: Chromium pushes a frame when the page changes, the newest one wins.

A page that stands still may be pushed late, or never: then one picture of it is taken.
"""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import Any

from playwright.async_api import CDPSession, Error, Page

_QUALITY = 60
_EVERY_NTH = 3
_TALLEST = 1920
_SECONDS = 10.0
_FIRST_SECONDS = 1.0
"""How long the first frame may take before a picture is taken instead."""


class Screencast:
    """Frames of one page, from `start` until `stop`."""

    def __init__(self, page: Page, width: int, show: Callable[[bytes], None]) -> None:
        self._page = page
        self._width = width
        self._show = show
        self._session: CDPSession | None = None
        self._acks: set[asyncio.Task[None]] = set()
        self._has_frame = asyncio.Event()
        self._first: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin. A page that has closed meanwhile shows nothing."""
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(_SECONDS):
                session = await self._page.context.new_cdp_session(self._page)
                self._session = session
                session.on("Page.screencastFrame", self._take)
                await session.send(
                    "Page.startScreencast",
                    {
                        "format": "jpeg",
                        "quality": _QUALITY,
                        "maxWidth": self._width,
                        "maxHeight": _TALLEST,
                        "everyNthFrame": _EVERY_NTH,
                    },
                )
                self._first = asyncio.create_task(self._ensure_first(session), name="first frame")

    async def stop(self) -> None:
        """End. Returns within seconds, whatever the page does."""
        session, self._session = self._session, None
        if session:
            with contextlib.suppress(Error, TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await session.detach()
        tasks = [*self._acks, *([self._first] if self._first else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, event: dict[str, Any]) -> None:
        if self._session is None:
            return
        # Always acknowledged, or Chromium sends no more; how often is up to `everyNthFrame`.
        task = asyncio.create_task(self._acknowledge(event["sessionId"]), name="frame ack")
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)
        self._has_frame.set()
        self._show(base64.b64decode(event["data"]))

    async def _ensure_first(self, session: CDPSession) -> None:
        """Show a picture of the page where Chromium pushes none by itself."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_SECONDS):
                await self._has_frame.wait()
                return
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(_SECONDS):
                picture = await session.send("Page.captureScreenshot", await self._view(session))
                if not self._has_frame.is_set():
                    self._show(base64.b64decode(picture["data"]))

    async def _view(self, session: CDPSession) -> dict[str, Any]:
        metrics = await session.send("Page.getLayoutMetrics")
        view = metrics["cssVisualViewport"]
        width, height = view["clientWidth"], view["clientHeight"]
        clip = {
            "x": view["pageX"],
            "y": view["pageY"],
            "width": width,
            "height": height,
            "scale": min(1.0, self._width / width),
        }
        return {"format": "jpeg", "quality": _QUALITY, "clip": clip}

    async def _acknowledge(self, number: int) -> None:
        session = self._session
        if session:
            with contextlib.suppress(Error, TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await session.send("Page.screencastFrameAck", {"sessionId": number})
