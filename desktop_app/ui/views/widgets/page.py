"""What every page has: a head with title, count, search and acts, and room below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import label
from desktop_app.ui.views.widgets.search_box import SearchBox

_HEAD_HEIGHT = 56


class Page(QWidget):
    """One place of the rail."""

    def __init__(self, theme: Theme, title: str, search: str = "") -> None:
        super().__init__()
        self.theme = theme
        self.name = title
        self.setProperty("page", "true")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        self.title = label(title, "title")
        self.count = label("", "faint")
        self.search: SearchBox | None = SearchBox(theme, search) if search else None
        self.acts = QHBoxLayout()
        self.acts.setSpacing(8)
        head = QFrame()
        head.setFixedHeight(_HEAD_HEIGHT)
        line = QHBoxLayout(head)
        line.setContentsMargins(20, 0, 16, 0)
        line.setSpacing(8)
        line.addWidget(self.title)
        line.addWidget(_lowered(self.count))
        line.addStretch(1)
        if self.search is not None:
            line.addWidget(self.search)
        line.addLayout(self.acts)
        self.main: QWidget | None = None
        """What gets the focus when the page is shown."""
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addLayout(self.body, 1)

    def shown(self) -> None:
        """Note that the page is looked at now."""
        if self.main is not None:
            self.main.setFocus()

    def hidden(self) -> None:
        """Note that another page is looked at now."""

    def focus_search(self) -> None:
        """Go to the search field, where there is one."""
        if self.search is not None:
            self.search.setFocus()
            self.search.selectAll()


def _lowered(shown: QLabel) -> QLabel:
    """Sit a small text on the base line of the large title beside it."""
    shown.setContentsMargins(0, 5, 0, 0)
    return shown
