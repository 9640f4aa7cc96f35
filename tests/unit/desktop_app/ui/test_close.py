"""The one close path: nothing is left running, and what is to be remembered is written."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from common.errors import CoreUnreachableError
from desktop_app.ui.app import WindowHandle, run_with
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.models.core_port import Core
from desktop_app.ui.theme.theme import ThemeMode
from desktop_app.ui.views.main_window import MainView, MainWindow
from desktop_app.ui.window_state import WindowState, keep_state, read_state
from tests.support.window import until, with_window

ACT_SECONDS = 20.0


class ClosingCore(SampleCore):
    """A core that notes that it was closed."""

    is_closed = False

    async def aclose(self) -> None:
        self.is_closed = True


def test_closing_leaves_no_task_and_closes_the_client(qapp: object, tmp_path: Path) -> None:
    core = ClosingCore(12, time.time())
    tasks: list[object] = []

    async def story(handle: WindowHandle) -> None:
        handle.show_page("live")
        handle.context.theme.set_mode(ThemeMode.LIGHT)
        tasks.append(handle.context.tasks)
        await asyncio.sleep(0)

    assert with_window(core, story, state_file=tmp_path / "window.json") == 0
    assert core.is_closed
    assert tasks[0].count == 0  # type: ignore[attr-defined]
    assert read_state(tmp_path / "window.json").theme is ThemeMode.LIGHT


def close_by(core: Core, act: Callable[[], Awaitable[None]], state_file: Path | None = None) -> int:
    """Open the window as an operator does, and run `act` beside it; raises what that raises."""
    problems: list[BaseException] = []

    async def acting() -> None:
        try:
            await asyncio.wait_for(act(), ACT_SECONDS)
        except BaseException as problem:
            problems.append(problem)
            for _ in range(2):  # a second wish is not asked back
                main_window().close()
            raise

    async def connect() -> Core:
        running.append(asyncio.get_running_loop().create_task(acting(), name="act"))
        return core

    running: list[asyncio.Task[None]] = []
    status = run_with(connect, state_file=state_file)
    assert not problems, problems
    return status


def main_window() -> MainWindow:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
    return next(window for window in found if window.isVisible())


def open_dialog() -> QDialog | None:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
    return found[0] if found else None


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal to itself")
def test_sigterm_closes_without_asking(qapp: object) -> None:
    core = ClosingCore(12, time.time())

    async def act() -> None:
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)

    assert close_by(core, act) == 0
    assert core.is_closed


def test_the_first_close_says_that_runs_go_on(qapp: object, tmp_path: Path) -> None:
    core = ClosingCore(12, time.time())
    file = tmp_path / "window.json"

    def is_at_work() -> bool:
        view = main_window().findChild(MainView)
        return view is not None and bool(view.status.notice.text())

    async def act() -> None:
        await until(is_at_work, "a fleet that is at work")
        main_window().close()
        await until(open_dialog, "the question")
        shown = open_dialog()
        assert shown is not None
        shown.reject()
        await until(lambda: open_dialog() is None, "the window to stay")
        main_window().close()
        await until(open_dialog, "the question again")
        again = open_dialog()
        assert again is not None
        next(b for b in again.findChildren(QPushButton) if b.isDefault()).click()

    assert close_by(core, act, file) == 0
    assert core.is_closed
    assert read_state(file).told_that_runs_go_on


def test_a_core_that_cannot_start_is_tried_again(qapp: object) -> None:
    tries: list[int] = []

    async def connect() -> Core:
        tries.append(1)
        if len(tries) == 1:
            raise CoreUnreachableError("The core ended when it started.")
        return SampleCore(0, time.time())

    async def press_retry() -> None:
        def button() -> QPushButton | None:
            found = [
                b
                for w in QApplication.topLevelWidgets()
                for b in w.findChildren(QPushButton)
                if b.accessibleName() == "Try again" and b.isVisible()
            ]
            return found[0] if found else None

        await until(button, "the offer to try again")
        found = button()
        assert found is not None
        found.click()

    async def connect_and_press() -> Core:
        if not tries:
            asyncio.get_running_loop().create_task(press_retry(), name="retry")
        return await connect()

    async def beside(handle: WindowHandle) -> int:
        return 7

    assert run_with(connect_and_press, beside=beside) == 7
    assert len(tries) == 2


def test_state_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    file.write_text("{ broken", "utf-8")
    assert read_state(file) == WindowState()
    keep_state(file, WindowState(theme=ThemeMode.DARK))
    assert read_state(file).theme is ThemeMode.DARK
    keep_state(tmp_path / "gone" / "window.json", WindowState())
