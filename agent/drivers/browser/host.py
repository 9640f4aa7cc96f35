"""The browsers of one runner: opened when an item needs one, closed soon after the last item."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import BrowserContext, Error, Page, Playwright, async_playwright

from agent.drivers.browser.driver import BrowserDriver
from agent.drivers.browser.launch import PROFILE, launch
from agent.drivers.browser.profile_lock import ProfileLock
from agent.drivers.browser.vocabulary import Vocabulary, load_vocabulary
from agent.drivers.hooks import ItemHooks
from agent.drivers.sessions import open_session
from agent.live.channels import Channels
from agent.live.screencast import Screencast
from agent.runners.pipe import ScreenFrame
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.errors import DriverError

_log = logging.getLogger(__name__)
_LINGER_SECONDS = 4.0
"""How long a browser stays open for a further item of its account."""
_CLOSE_SECONDS = 8.0
_START_SECONDS = 30.0


@dataclass(slots=True)
class _OpenProfile:
    access: AccountAccess
    context: BrowserContext
    page: Page
    words: Vocabulary
    lock: ProfileLock
    is_closed: bool = False
    in_use: bool = True
    screencast: Screencast | None = None
    lingering: asyncio.Task[None] | None = None


class BrowserHost:
    """All browser accounts of one runner. At most one item per account is open at any time."""

    interruptible = True

    def __init__(
        self, *, slots: int, visible: bool, send_screen: Callable[[ScreenFrame], None]
    ) -> None:
        self._visible = visible
        self._slots = asyncio.Semaphore(slots)
        self._slot_count = slots
        self._profiles: dict[str, _OpenProfile] = {}
        self._playwright: Playwright | None = None
        self._starting = asyncio.Lock()
        self._gates: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One per account: its browser opens and closes in turn."""
        self._channels = Channels(lambda channel, jpeg: send_screen(ScreenFrame(channel, jpeg)))
        self._screens: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(
        self, account: AccountAccess, folder: Path, hooks: ItemHooks
    ) -> AsyncIterator[BrowserDriver]:
        """Give the driver of `account` for one item, in an open browser."""
        async with self._slots:
            hooks.progress("Opening the browser", None)
            profile = await self._profile_for(account, folder)
            try:
                yield BrowserDriver(account, profile.page, profile.words, folder, hooks)
            finally:
                profile.in_use = False
                profile.lingering = asyncio.create_task(
                    self._linger(profile), name=f"close browser of {account.username}"
                )

    def watch(self, account_id: str, channel: int, width: int) -> None:
        """Send frames of the account's page on `channel`, now and whenever its browser opens."""
        self._channels.watch(account_id, channel, width)
        self._refresh_screen(account_id)

    def stop_watching(self, account_id: str, channel: int) -> None:
        """Send no more frames on `channel`."""
        self._channels.stop(channel)
        if not self._channels.width_for(account_id):
            self._refresh_screen(account_id)

    def screen_seen(self, channel: int) -> None:
        """The next frame of `channel` may come."""
        self._channels.seen(channel)

    async def close(self) -> None:
        """Close every browser and the Playwright behind them."""
        profiles = list(self._profiles.values())
        for profile in profiles:
            if profile.lingering:
                profile.lingering.cancel()
        await asyncio.gather(*(self._close(profile) for profile in profiles))
        await asyncio.gather(*self._screens.values())
        if self._playwright:
            await self._playwright.stop()
            self._playwright = None

    async def _profile_for(self, account: AccountAccess, folder: Path) -> _OpenProfile:
        async with self._gates[account.account_id]:
            known = self._profiles.get(account.account_id)
            if known and known.lingering:
                known.lingering.cancel()
                known.lingering = None
            if known and _fits(known, account):
                known.in_use = True
                return known
            if known:
                await self._close(known)
            await self._make_room()
            return await self._open_profile(account, folder)

    async def _make_room(self) -> None:
        """Close a browser that only lingers, where all slots are taken."""
        while len(self._profiles) >= self._slot_count:
            idle = next((one for one in self._profiles.values() if not one.in_use), None)
            if idle is None:
                return
            if idle.lingering:
                idle.lingering.cancel()
            async with self._gates[idle.access.account_id]:
                if not idle.in_use:
                    await self._close(idle)

    async def _open_profile(self, account: AccountAccess, folder: Path) -> _OpenProfile:
        state = open_session(account, DriverName.BROWSER)
        words = load_vocabulary(account.platform)
        lock = ProfileLock(folder, account.username)
        try:
            is_new = not (folder / PROFILE / "Local State").exists()
            playwright = await self._started()
            context = await self._launch(playwright, account, folder, words)
        except BaseException:
            lock.release()
            raise
        page = context.pages[0] if context.pages else await context.new_page()
        profile = _OpenProfile(account, context, page, words, lock)
        self._profiles[account.account_id] = profile
        context.on("close", lambda _: self._note_closed(profile))
        if is_new and state:
            await _restore(context, state)
        self._refresh_screen(account.account_id)
        return profile

    async def _launch(
        self, playwright: Playwright, account: AccountAccess, folder: Path, words: Vocabulary
    ) -> BrowserContext:
        """Launch to the end even where the item is stopped: half a browser could not be closed."""
        launching = asyncio.create_task(
            launch(playwright, account, folder, words, visible=self._visible),
            name=f"launch browser of {account.username}",
        )
        try:
            return await asyncio.shield(launching)
        except asyncio.CancelledError:
            await asyncio.wait([launching])
            if not launching.exception():
                await launching.result().close()
            raise

    async def _started(self) -> Playwright:
        async with self._starting:
            if self._playwright is None:
                try:
                    async with asyncio.timeout(_START_SECONDS):
                        self._playwright = await async_playwright().start()
                except TimeoutError:
                    raise DriverError(
                        "Playwright did not start in time.",
                        advice="Run `flotilla-agent doctor` on the worker machine.",
                    ) from None
            return self._playwright

    async def _linger(self, profile: _OpenProfile) -> None:
        if not profile.is_closed:
            await asyncio.sleep(_LINGER_SECONDS)
        async with self._gates[profile.access.account_id]:
            profile.lingering = None  # from here on it closes, whoever comes
            await self._close(profile)

    async def _close(self, profile: _OpenProfile) -> None:
        account_id = profile.access.account_id
        if self._profiles.get(account_id) is profile:
            del self._profiles[account_id]
        self._refresh_screen(account_id)
        try:
            with contextlib.suppress(Error):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await profile.context.close()
        except TimeoutError:
            _log.warning("the browser of %s did not close in time", profile.access.username)
        finally:
            profile.lock.release()

    def _note_closed(self, profile: _OpenProfile) -> None:
        profile.is_closed = True

    def _refresh_screen(self, account_id: str) -> None:
        """Start, stop or change the account's screencast, one change after the other."""
        before = self._screens.get(account_id)
        task = asyncio.create_task(
            self._set_screen(account_id, before), name=f"screen of {account_id}"
        )
        self._screens[account_id] = task
        task.add_done_callback(lambda done: self._forget_screen(account_id, done))

    def _forget_screen(self, account_id: str, done: asyncio.Task[None]) -> None:
        if self._screens.get(account_id) is done:
            del self._screens[account_id]

    async def _set_screen(self, account_id: str, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait([before])
        profile = self._profiles.get(account_id)
        width = self._channels.width_for(account_id)
        if profile is None:
            return
        if profile.screencast:
            await profile.screencast.stop()
            profile.screencast = None
        if width and not profile.is_closed:
            profile.screencast = Screencast(
                profile.page, width, lambda jpeg: self._channels.show(account_id, jpeg)
            )
            await profile.screencast.start()


def _fits(profile: _OpenProfile, account: AccountAccess) -> bool:
    """Say whether an open browser may serve `account` as it is given now."""
    before = profile.access
    return (
        not profile.is_closed
        and not profile.page.is_closed()
        and before.proxy == account.proxy
        and before.username == account.username
        and (before.platform, before.platform_url) == (account.platform, account.platform_url)
    )


async def _restore(context: BrowserContext, state: dict[str, object]) -> None:
    """Put the saved cookies into a profile that is new on this machine."""
    saved = state.get("storage_state")
    cookies = saved.get("cookies") if isinstance(saved, dict) else None
    if isinstance(cookies, list) and cookies:
        with contextlib.suppress(Error):
            await context.add_cookies(cookies)
