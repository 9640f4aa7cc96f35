"""Both sides of a doubt beside each other: what we sent, and what the platform showed."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from common.errors import WireError
from desktop_app.contract.cards import CardRow, OurSide, TheirSide
from desktop_app.ui.models.accounts import driver_label
from desktop_app.ui.models.cards import sighting_of
from desktop_app.ui.models.formats import count_of, moment, relative_time, sentence
from desktop_app.ui.presenters.thumbnails import Thumbnails
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import card as panel
from desktop_app.ui.views.widgets.controls import clear_layout, column, label, row
from desktop_app.ui.views.widgets.copy_chip import CopyChip
from desktop_app.ui.views.widgets.flow import Flow
from desktop_app.ui.views.widgets.inspector import Facts
from desktop_app.ui.views.widgets.sighting import SightingTile
from desktop_app.ui.views.widgets.thumb_strip import ThumbStrip

_MOST_LETTERS = 420


class CardSides(QWidget):
    """The two panels of a card that is about a post."""

    def __init__(
        self, theme: Theme, thumbnails: Thumbnails, use_link: Callable[[str], object]
    ) -> None:
        super().__init__()
        self._theme = theme
        self._thumbnails = thumbnails
        self._use_link = use_link
        self._said: tuple[object, ...] = ()
        self._ours, self._theirs = _body(), _body()
        line = row(panel(self._ours), panel(self._theirs), spacing=16)
        line.setStretch(0, 1)
        line.setStretch(1, 1)
        self.setLayout(line)

    def show_card(self, card: CardRow) -> None:
        """Show both sides of a card."""
        may_use = "it_is_there" in card.acts
        said = (card.id, card.ours, card.theirs, may_use)
        if said == self._said:
            return
        self._said = said
        clear_layout(self._ours)
        clear_layout(self._theirs)
        self._show_ours(card.ours)
        self._show_theirs(card, may_use)

    def _show_ours(self, ours: OurSide | None) -> None:
        body = self._ours
        body.addWidget(label("What we sent", "section"))
        if ours is None:
            body.addWidget(label("Nothing is known of it here.", "muted", wrap=True))
            body.addStretch(1)
            return
        strip = ThumbStrip(self._theme, self._thumbnails)
        strip.show_files(ours.media)
        title = label(ours.title, "strong", wrap=True, select=True)
        words = column(title, _caption(ours.caption), 1, spacing=6)
        if len(ours.media) > 1:
            body.addWidget(strip)
            body.addLayout(words)
        else:
            line = row(strip, words, spacing=12)
            line.setAlignment(strip, Qt.AlignmentFlag.AlignTop)
            line.setStretch(1, 1)
            body.addLayout(line)
        facts = Facts(self._theme)
        facts.show_facts(
            [
                ("Kind", str(ours.kind or "").capitalize()),
                ("Sent", moment(ours.sent_at) or "Not known"),
                ("Driver", driver_label(ours.driver)),
                ("Agent", ours.agent),
            ]
        )
        body.addWidget(facts)
        if ours.resume:
            chips = Flow()
            chips.show_parts(
                [
                    CopyChip(self._theme, name.replace("_", " "), value)
                    for name, value in ours.resume.items()
                ]
            )
            body.addWidget(chips)
        if ours.error is not None:
            body.addWidget(_error(ours.error))
        body.addStretch(1)

    def _show_theirs(self, card: CardRow, may_use: bool) -> None:
        body, theirs = self._theirs, card.theirs or TheirSide()
        body.addWidget(label("What the platform showed", "section"))
        body.addWidget(label(_looked(theirs), "muted", wrap=True))
        if theirs.note:
            body.addWidget(label(sentence(theirs.note), wrap=True, select=True))
        for post in theirs.posts:
            sighting = sighting_of(card.ours, post)
            use = self._use_link if may_use else None
            body.addWidget(SightingTile(self._theme, sighting, use))
        if not theirs.posts and theirs.looked_at is not None:
            body.addWidget(_nothing(self._theme))
        body.addStretch(1)


def _body() -> QVBoxLayout:
    return column(spacing=10)


def _looked(theirs: TheirSide) -> str:
    if theirs.looked_at is None:
        return "It could not be asked."
    when = relative_time(theirs.looked_at, time.time())
    if not theirs.posts:
        return f"Looked {when}: nothing new is listed."
    return f"Looked {when}: {count_of(len(theirs.posts), 'post')} may be the one."


def _caption(caption: str) -> QLabel:
    text = caption.strip()
    cut = text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS].rstrip()}…"
    shown = label(cut or "No caption", "" if cut else "faint", wrap=True, select=True)
    shown.setToolTip(text if cut != text else "")
    return shown


def _error(error: WireError) -> QFrame:
    box = QFrame()
    box.setProperty("card", "attention")
    inner = column(label(error.message, wrap=True, select=True), spacing=4)
    inner.setContentsMargins(12, 8, 12, 8)
    if error.advice:
        inner.addWidget(label(error.advice, "muted", wrap=True, select=True))
    box.setLayout(inner)
    return box


def _nothing(theme: Theme) -> QWidget:
    shown, icon = QWidget(), QLabel()
    icon.setPixmap(theme.pixmap("image-off", "text_faint", 20, icon.devicePixelRatioF()))
    words = label("No post that could be this one.", "faint", wrap=True)
    line = row(icon, words, spacing=10)
    line.setStretch(1, 1)
    shown.setLayout(line)
    return shown
