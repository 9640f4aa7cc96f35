"""Where asyncio meets Qt: the runner, tasks with an owner, and dialogs that are awaited.

The only module that knows qasync. Nothing here knows the product.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import qasync
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QWidget

from desktop_app.ui.garbage import collected_here

Result = TypeVar("Result")
Reporter = Callable[[BaseException], None]
"""Told of every error that a task ends with."""

CANCEL_SECONDS = 5.0
"""How long cancelled tasks may take to end."""


def run(app: QApplication, main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run `main` on the application's event loop; leftover tasks are cancelled and awaited."""
    app.setQuitOnLastWindowClosed(False)
    with (
        collected_here(),
        asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner,
    ):
        return runner.run(main())


class Tasks:
    """Every task of the window: each has a name, an owner, and an error path.

    A task is cancelled when its owner is destroyed, and at `aclose`.
    """

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self._running: dict[asyncio.Task[Any], int] = {}
        self._owners: set[int] = set()

    def spawn(self, owner: QObject, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start `work` for `owner`; an error it ends with is reported."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        key = id(owner)
        self._running[task] = key
        if key not in self._owners:
            self._owners.add(key)
            owner.destroyed.connect(lambda: self._cancel_of(key))
        task.add_done_callback(self._ended)
        return task

    @property
    def count(self) -> int:
        """How many tasks are running."""
        return len(self._running)

    async def aclose(self) -> None:
        """Cancel everything and wait until it has ended."""
        tasks = [task for task in self._running if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)

    def _cancel_of(self, owner: int) -> None:
        self._owners.discard(owner)
        for task in [task for task, key in self._running.items() if key == owner]:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        if task.cancelled():
            return
        problem = task.exception()
        if problem is not None:
            self._report(problem)


async def ask(dialog: QDialog) -> bool:
    """Open a dialog, and return whether it was accepted. Other tasks go on meanwhile."""
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def finished(result: int) -> None:
        if not answer.done():
            answer.set_result(result == QDialog.DialogCode.Accepted.value)

    dialog.finished.connect(finished)
    dialog.open()
    try:
        return await answer
    finally:
        dialog.close()
        dialog.deleteLater()


async def choose_files(parent: QWidget, title: str, kinds: str) -> list[str]:
    """Let the operator choose files to open; empty when they chose none."""
    dialog = QFileDialog(parent, title, "", kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptOpen)
    return dialog.selectedFiles() if await ask(dialog) else []
