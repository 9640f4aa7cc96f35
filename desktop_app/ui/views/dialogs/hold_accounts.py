"""Holding accounts: the reason that everybody sees later."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_app.ui.models.formats import count_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import label


class HoldDialog(Dialog):
    """Asks for the reason of a hold."""

    def __init__(self, theme: Theme, parent: QWidget, count: int) -> None:
        what = count_of(count, "account")
        super().__init__(theme, parent, f"Hold {what}", width=440)
        text = "Nothing is done with a held account until you release it."
        self.body.addWidget(label(text, "muted", wrap=True))
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, for later")
        self.reason.setAccessibleName("Reason of the hold")
        self.body.addWidget(self.reason)
        self.add_foot(f"Hold {what}").clicked.connect(self.accept)
