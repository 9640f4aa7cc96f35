"""Pairing an agent: paste the line that it printed; errors say what to do, in place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from common.errors import FlotillaError
from desktop_app.ui.aio import Tasks
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import icon_button, label, row

COMMAND = "flotilla-agent pair"


class PairDialog(Dialog):
    """The pairing of one agent."""

    def __init__(
        self, theme: Theme, parent: QWidget, tasks: Tasks, pair: Callable[[str], Awaitable[object]]
    ) -> None:
        super().__init__(theme, parent, "Pair an agent", width=560)
        self._tasks = tasks
        self._pair = pair
        first = "1.  On the worker machine, run this. It prints one line that works once."
        self.body.addWidget(label(first, "muted", wrap=True))
        copy = icon_button(theme, "copy", "Copy the command", on_click=_copy_command)
        command = label(COMMAND, "mono", select=True)
        self.body.addLayout(row(command, copy, 1))
        self.body.addWidget(label("2.  Paste the line here.", "muted"))
        self.line = QLineEdit()
        self.line.setPlaceholderText("flotilla://worker:8088/…#…")
        self.line.setAccessibleName("Pairing line")
        self.line.textChanged.connect(self._changed)
        self.body.addWidget(self.line)
        self.progress = label("", "muted")
        self.body.addWidget(self.progress)
        self._main = self.add_foot("Pair")
        self._main.setEnabled(False)
        self._main.clicked.connect(lambda: tasks.spawn(self, self._run(), "pair"))
        self.line.setFocus()

    def _changed(self, text: str) -> None:
        self.show_problem(None)
        self._main.setEnabled(bool(text.strip()))

    async def _run(self) -> None:
        self._main.setEnabled(False)
        self.show_problem(None)
        self.progress.setText("Checking the agent's certificate, then trading the code…")
        try:
            await self._pair(self.line.text())
        except FlotillaError as problem:
            self.progress.setText("")
            self.show_problem(problem)
            self._main.setEnabled(True)
            return
        self.accept()


def _copy_command() -> None:
    QGuiApplication.clipboard().setText(COMMAND)
