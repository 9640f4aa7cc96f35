"""One post that the platform showed: its link, caption and time, and what of it fits."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from common.domain.content import ListedPost
from desktop_app.ui.models.cards import Sighting
from desktop_app.ui.models.formats import exact_time, moment
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ICON_GAP, button, column, label, row
from desktop_app.ui.views.widgets.flow import Flow

_MOST_LETTERS = 240


class SightingTile(QFrame):
    """A post of the account's own list; `use` takes its link where it may be the one."""

    def __init__(
        self, theme: Theme, sighting: Sighting, use: Callable[[str], object] | None = None
    ) -> None:
        super().__init__()
        self._theme = theme
        post = sighting.post
        self.setObjectName("sighting")
        self.setAccessibleName(f"Post {post.remote_id} on the platform")
        head = row(_link(theme, post), 1, spacing=8)
        if use is not None:
            link = post.url or post.remote_id
            name = f"Use the link of post {post.remote_id}"
            self.use = button(theme, "Use this link", name=name, on_click=lambda: use(link))
            head.addWidget(self.use)
        layout = column(head, spacing=6)
        layout.setContentsMargins(12, 8, 8, 10)
        layout.addWidget(_caption(post))
        said = label(sighting.when or moment(post.taken_at), "caption")
        said.setToolTip(exact_time(post.taken_at))
        if said.text():
            layout.addWidget(said)
        if sighting.marks:
            marks = Flow(spacing=12)
            marks.show_parts([_mark(theme, words, fits) for words, fits in sighting.marks])
            layout.addWidget(marks)
        self.setLayout(layout)


def _link(theme: Theme, post: ListedPost) -> QToolButton:
    made = QToolButton()
    made.setProperty("kind", "link")
    made.setIcon(theme.icon("external-link", "accent", "accent"))
    made.setIconSize(QSize(12, 12))
    made.setText(f"{ICON_GAP}{QUrl(post.url).path().strip('/') or post.remote_id}")
    made.setToolTip(f"Open {post.url}" if post.url else "The platform showed no address.")
    made.setAccessibleName(f"Open post {post.remote_id}")
    made.setEnabled(bool(post.url))
    made.setToolButtonStyle(made.toolButtonStyle().ToolButtonTextBesideIcon)
    made.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(post.url)))
    return made


def _caption(post: ListedPost) -> QLabel:
    if post.caption is None:
        return label("The list shows no caption.", "faint")
    text = post.caption.strip()
    cut = text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS].rstrip()}…"
    shown = label(cut or "No caption", "" if cut else "faint", wrap=True, select=True)
    shown.setToolTip(text if cut != text else "")
    return shown


def _mark(theme: Theme, words: str, fits: bool) -> QWidget:
    """Return words with an icon that says whether they speak for the post."""
    made, icon = QWidget(), QLabel()
    ratio = icon.devicePixelRatioF()
    name, colour = ("check", "success") if fits else ("x", "attention")
    icon.setPixmap(theme.pixmap(name, colour, 12, ratio))
    made.setLayout(row(icon, label(words, "caption"), spacing=4))
    made.setAccessibleName(f"{words}: {'fits' if fits else 'does not fit'}")
    return made
