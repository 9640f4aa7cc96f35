"""Words and question that the pages share where work of whole accounts or agents is controlled."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop_app.ui.models.control import Verb
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import ConfirmDialog

WORK_VERBS: tuple[tuple[Verb, str, str], ...] = (
    ("pause", "Pause the work", "pause"),
    ("resume", "Resume the work", "play"),
    ("cancel", "Cancel the work", "square"),
)
"""What can be done with everything that an account or an agent has to do."""


def confirm_cancel(theme: Theme, parent: QWidget, what: str) -> ConfirmDialog:
    """Return the question before everything that `what` has to do is cancelled."""
    return ConfirmDialog(
        theme,
        parent,
        f"Cancel all work of {what}?",
        "Every item that has not begun is cancelled, in every run. An item whose deciding request "
        "is already on its way waits for the platform's answer: if the post is there, it is done.",
        "Cancel the work",
    )
