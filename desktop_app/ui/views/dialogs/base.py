"""The frame of every dialog: a title, a body, an inline message, and buttons at the foot."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop_app.ui.presenters.notices import notice_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ButtonKind, button, label, separator


class Dialog(QDialog):
    """A dialog with one main act. It is shown through `aio.ask`."""

    def __init__(self, theme: Theme, parent: QWidget, title: str, width: int = 480) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setMinimumWidth(width)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(24, 20, 24, 20)
        self.body.setSpacing(12)
        self.body.addWidget(label(title, "section"))
        self._message = QFrame()
        self._message.setProperty("card", "attention")
        self._words = label("", wrap=True, select=True)
        self._advice = label("", "muted", wrap=True, select=True)
        message = QVBoxLayout(self._message)
        message.setContentsMargins(12, 10, 12, 10)
        message.setSpacing(4)
        message.addWidget(self._words)
        message.addWidget(self._advice)
        self._message.hide()
        self.foot = QHBoxLayout()
        self.foot.setContentsMargins(24, 12, 24, 12)
        self.foot.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.body, 1)
        layout.addWidget(separator())
        layout.addLayout(self.foot)

    def add_foot(
        self, act: str, kind: ButtonKind = "primary", *, cancel: str = "Cancel"
    ) -> QPushButton:
        """Add the buttons at the foot; returns the main one, not yet connected."""
        self.body.addWidget(self._message)
        self.foot.addStretch(1)
        self.foot.addWidget(button(self.theme, cancel, "ghost", on_click=self.reject))
        main = button(self.theme, act, kind)
        main.setDefault(True)
        self.foot.addWidget(main)
        return main

    def show_problem(self, problem: BaseException | None) -> None:
        """Show an error in the dialog; None hides it."""
        self._message.setVisible(problem is not None)
        if problem is not None:
            notice = notice_of(problem)
            self._words.setText(notice.text)
            self._advice.setText(notice.advice)
            self._advice.setVisible(bool(notice.advice))


class ConfirmDialog(Dialog):
    """Asks before something that cannot be undone; says the count and what stays."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        title: str,
        text: str,
        act: str,
        kind: ButtonKind = "danger",
    ) -> None:
        super().__init__(theme, parent, title, width=420)
        self.body.addWidget(label(text, "muted", wrap=True))
        self.add_foot(act, kind).clicked.connect(self.accept)
