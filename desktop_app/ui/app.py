"""Builds the window and runs it: connect, show, follow, close. The composition root of `ui`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from common.domain.states import RunState
from common.errors import FlotillaError
from common.infra.paths import make_data_folder
from desktop_app.client import launcher
from desktop_app.client.launcher import CoreOptions
from desktop_app.ui import aio
from desktop_app.ui.commands.registry import CommandRegistry
from desktop_app.ui.models.core_port import Core
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.fleet import Fleet
from desktop_app.ui.presenters.notices import Notices
from desktop_app.ui.presenters.screens import Screens
from desktop_app.ui.presenters.thumbnails import Thumbnails
from desktop_app.ui.shutdown import Shutdown, Wish, heed_signals
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.main_window import MainWindow
from desktop_app.ui.views.widgets.frame_decoder import FrameDecoder
from desktop_app.ui.window_state import STATE_FILE, WindowState, keep_state, read_state

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
_ACTIVE = (RunState.STARTING, RunState.RUNNING, RunState.PAUSED)

Connect = Callable[[], Awaitable[Core]]
"""Finds or starts the core. May raise a FlotillaError; the window then offers to try again."""


class WindowHandle:
    """The window as those who host it see it: the demo, the gallery, tests."""

    def __init__(self, window: MainWindow, context: ViewContext, shutdown: Shutdown) -> None:
        self.window = window
        self.context = context
        self._shutdown = shutdown

    def show_page(self, key: str, what: str = "") -> None:
        """Go to a place: accounts, agents, media, compose, runs (`what` is a run's id), live."""
        self.window.view.go(key, what)

    async def grab_pages(self, folder: Path, keys: tuple[str, ...]) -> list[Path]:
        """Save a picture of each of these pages as they are now; returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        before = self.window.view.current
        for key in keys:
            self.window.view.show_page(key)
            await settle(self.context.tasks)
            file = folder / f"{key}.png"
            self.window.grab().save(str(file))
            files.append(file)
        self.window.view.show_page(before)
        return files

    def close(self) -> None:
        """Close the window without asking."""
        self._shutdown.request()


Beside = Callable[[WindowHandle], Awaitable[int]]
"""Runs on the window's loop from when it is connected; its result becomes the exit status.

When it returns, the window closes. It is cancelled when the window is closed first.
"""


def main(options: CoreOptions) -> int:
    """Open the window on a data folder, whose core is started where none runs."""
    make_data_folder(options.data)
    return run_with(lambda: launcher.connect(options), state_file=options.data / STATE_FILE)


def run_with(
    connect: Connect, *, beside: Beside | None = None, state_file: Path | None = None
) -> int:
    """Run the window until it is closed, with `beside` on the same event loop."""
    state = read_state(state_file)
    app = make_application()
    theme = Theme(app, state.theme)
    try:
        return aio.run(app, lambda: _live(app, theme, connect, beside, state, state_file))
    finally:
        theme.close()


def make_application() -> QApplication:
    """Return the process's QApplication, made if there is none."""
    known = QCoreApplication.instance()
    if isinstance(known, QApplication):
        return known
    QCoreApplication.setApplicationName("Flotilla")
    QApplication.setDesktopFileName("flotilla")
    return QApplication(sys.argv[:1])


async def settle(tasks: aio.Tasks, seconds: float = 2.0) -> None:
    """Wait until no further task of the window ends soon: pictures and lists are there."""
    deadline = asyncio.get_running_loop().time() + seconds
    quiet = 0
    count = tasks.count
    while quiet < 6 and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
        quiet = quiet + 1 if tasks.count == count else 0
        count = tasks.count


def build_context(theme: Theme, core: Core, notices: Notices, tasks: aio.Tasks) -> ViewContext:
    """Build everything that the window's views are given."""
    presenters = PresenterContext(
        core=core,
        fleet=Fleet(core),
        notices=notices,
        tasks=tasks,
        thumbnails=Thumbnails(core, tasks),
        screens=Screens(core, tasks),
    )
    return ViewContext(theme, tasks, CommandRegistry(), presenters, FrameDecoder())


async def _live(
    app: QApplication,
    theme: Theme,
    connect: Connect,
    beside: Beside | None,
    state: WindowState,
    state_file: Path | None,
) -> int:
    notices = Notices()
    tasks = aio.Tasks(notices.report)
    shutdown = Shutdown()
    window = MainWindow(theme)
    if state.geometry:
        window.restore_geometry_text(state.geometry)
    window.close_wanted.connect(lambda: shutdown.request(Wish.OPERATOR))
    window.show_starting()
    window.show()
    core: Core | None = None
    context: ViewContext | None = None
    status = 0
    with heed_signals(shutdown), _unexpected_errors(notices):
        try:
            core = await _connect(window, connect, shutdown)
            if core is not None:
                context = build_context(theme, core, notices, tasks)
                window.attach(context)
                fleet = context.fleet
                tasks.spawn(fleet, fleet.follow(), "follow the core")
                handle = WindowHandle(window, context, shutdown)
                status, state = await _until_closed(handle, beside, shutdown, state)
        finally:
            kept = state.model_copy(
                update={"geometry": window.geometry_text(), "theme": theme.mode}
            )
            keep_state(state_file, kept)
            window.close_now()
            await tasks.aclose()
            if context is not None:
                context.decoder.close()
            if core is not None:
                await asyncio.wait_for(core.aclose(), CLOSE_SECONDS)
            window.deleteLater()
            app.processEvents()
    return status


async def _connect(window: MainWindow, connect: Connect, shutdown: Shutdown) -> Core | None:
    """Return the core, however many tries that takes; None where the window is closed first."""
    again = asyncio.Event()
    while not shutdown.is_wanted:
        attempt = asyncio.ensure_future(connect())
        try:
            return await _or_closed(attempt, shutdown)
        except FlotillaError as problem:
            window.show_start_problem(problem, again.set)
            await _or_closed(asyncio.ensure_future(again.wait()), shutdown)
            again.clear()
            window.show_starting()
    return None


async def _or_closed(work: asyncio.Future[Any], shutdown: Shutdown) -> Any:
    """Wait for `work`; where the window is to be closed first, cancel it and return None."""
    closed = asyncio.ensure_future(shutdown.wait())
    try:
        await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        for future in (work, closed):
            if not future.done():
                future.cancel()
        await asyncio.gather(work, closed, return_exceptions=True)


async def _until_closed(
    handle: WindowHandle, beside: Beside | None, shutdown: Shutdown, state: WindowState
) -> tuple[int, WindowState]:
    if beside is not None:
        status = await _or_closed(asyncio.ensure_future(beside(handle)), shutdown)
        return (0 if status is None else status), state
    while True:
        wish = await shutdown.wait()
        if wish is Wish.SYSTEM or state.told_that_runs_go_on or not _is_busy(handle.context):
            return 0, state
        shutdown.withdraw()
        may_close = await _or_closed(asyncio.ensure_future(_may_close(handle)), shutdown)
        if may_close is None:  # wanted once more while it was asked
            return 0, state
        if may_close:
            return 0, state.model_copy(update={"told_that_runs_go_on": True})


async def _may_close(handle: WindowHandle) -> bool:
    """Explain that runs go on without the window; return whether the operator closes it."""
    dialog = ConfirmDialog(
        handle.context.theme,
        handle.window,
        "Close the window?",
        "What runs goes on. The agents finish what they hold, and Flotilla's core stays in the "
        "background until nothing runs or is due. Open Flotilla again to see everything that "
        "happened meanwhile.",
        "Close the window",
        "primary",
    )
    return await aio.ask(dialog)


def _is_busy(context: ViewContext) -> bool:
    return any(context.fleet.overview.runs.get(state) for state in _ACTIVE)


@contextmanager
def _unexpected_errors(notices: Notices) -> Iterator[None]:
    """Bring errors of slots and of forgotten futures to the one reporter."""
    loop = asyncio.get_running_loop()

    def from_slot(
        kind: type[BaseException], problem: BaseException, trace: TracebackType | None
    ) -> None:
        notices.report(problem.with_traceback(trace))

    def from_loop(_: asyncio.AbstractEventLoop, details: dict[str, Any]) -> None:
        problem = details.get("exception")
        if isinstance(problem, BaseException):
            notices.report(problem)
        else:
            _log.error("Event loop: %s", details.get("message"))

    before = sys.excepthook
    sys.excepthook = from_slot
    loop.set_exception_handler(from_loop)
    try:
        yield
    finally:
        sys.excepthook = before
        loop.set_exception_handler(None)
