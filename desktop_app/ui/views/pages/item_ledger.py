"""The ledger of one item: how it stands, what may be done, and its steps as a timeline."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFrame, QLabel, QStackedWidget, QVBoxLayout, QWidget

from common.domain.states import ActionState, look_of
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from desktop_app.client.wishes import asked_of, is_cancel_asked, waits_for
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.models.cells import pill_of
from desktop_app.ui.models.ledger import POINT_HELP, POINT_OF_NO_RETURN, ledger_text, story_of
from desktop_app.ui.models.runs import cannot_cancel
from desktop_app.ui.presenters.runs import RunsPresenter
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ElidedLabel,
    button,
    icon_button,
    label,
    row,
    separator,
)
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.state_pill import StatePill
from desktop_app.ui.views.widgets.timeline import Timeline

_UNSURE = (ActionState.IN_DOUBT, ActionState.RECONCILING)


class ItemLedgerView(QWidget):
    """Steps of the selected item."""

    cancel_wanted = Signal(list)
    card_wanted = Signal(str)
    """The item whose doubt only the operator can settle."""

    def __init__(self, theme: Theme, presenter: RunsPresenter) -> None:
        super().__init__()
        self._theme = theme
        self._presenter = presenter
        self.title = ElidedLabel("strong")
        self.pill = StatePill(theme)
        self.open_post = button(theme, "Open post", "ghost", icon="external-link")
        self.open_post.clicked.connect(self._open_post)
        self.answer = button(theme, "Answer it", "primary", icon="hand")
        self.answer.clicked.connect(self._answer)
        self.cancel = button(theme, "Cancel item", icon="square")
        self.cancel.clicked.connect(self._cancel)
        copy = icon_button(theme, "copy", "Copy the ledger", on_click=self._copy)
        head = row(
            self.title, self.pill, 1, self.open_post, self.answer, self.cancel, copy, spacing=8
        )
        head.setContentsMargins(20, 6, 12, 6)
        self.notice = QFrame()
        self._notice_icon, self.notice_words = QLabel(), label("", "caption", wrap=True)
        notice = row(self._notice_icon, self.notice_words, spacing=8)
        notice.setStretch(1, 1)
        notice.setContentsMargins(20, 0, 12, 8)
        self.notice.setLayout(notice)
        self.timeline = Timeline(theme, "Ledger of the item")
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addLayout(head)
        inner.addWidget(self.notice)
        inner.addWidget(separator())
        inner.addWidget(self.timeline, 1)
        self.empty = EmptyState(theme)
        self.stack = QStackedWidget()
        self.stack.addWidget(body)
        self.stack.addWidget(self.empty)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)
        theme.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the item and its ledger as they are now."""
        item, ledger = self._presenter.item, self._presenter.ledger
        if item is None:
            self._show_empty("Select an item", "Each step of what it did is here.")
            return
        self._show_head(item)
        entries = ledger.entries if ledger else []
        self.timeline.show_steps(story_of(entries))
        if entries:
            self.stack.setCurrentIndex(0)
        elif ledger is None:
            self.empty.show_empty(Empty("loader", "Reading…"))
            self.stack.setCurrentIndex(1)
        else:
            self._show_empty(
                "Nothing in the ledger", "It has had no effect on the platform so far."
            )

    def _show_head(self, item: ItemRow) -> None:
        self.title.setText(f"{item.username}: {item.title}")
        self.pill.set_pill(pill_of(look_of(item.action or item.state)))
        self.open_post.setVisible(bool(item.link))
        self.answer.setVisible(item.action is ActionState.UNRESOLVED)
        refusal = self._cancel_refusal(item)
        self.cancel.setVisible(item.state not in ITEM_FINAL)
        self.cancel.setEnabled(not refusal)
        self.cancel.setToolTip(refusal)
        self.cancel.setAccessibleDescription(refusal)
        icon, colour, words = self._notice_of(item)
        self.notice.setVisible(bool(words))
        self.notice_words.setText(words)
        if words:
            ratio = self.devicePixelRatioF()
            self._notice_icon.setPixmap(self._theme.pixmap(icon, colour, 14, ratio))

    def _cancel_refusal(self, item: ItemRow) -> str:
        if is_cancel_asked(item):
            return f"A cancel was asked for: {waits_for(item)}."
        return cannot_cancel(item)

    def _notice_of(self, item: ItemRow) -> tuple[str, str, str]:
        """Return icon, colour and words of what matters most right now; often nothing."""
        if item.state in ITEM_FINAL:
            return "", "", ""
        if is_cancel_asked(item):
            late = f"{POINT_OF_NO_RETURN}: " if item.action in IN_DOUBT_STATES else ""
            words = (
                f"{late}{asked_of(item)}; {waits_for(item)}. "
                "If the post turns out to be there, the item is done, not cancelled."
            )
            return "circle-slash", "warning", words
        if item.action is ActionState.SENDING:
            return "milestone", "running", f"{POINT_OF_NO_RETURN}. {POINT_HELP}"
        if item.action in _UNSURE:
            look = look_of(item.action)
            words = self._presenter.next_look() or look.help
            return look.icon, look.colour, f"{words} {item.step}".strip()
        if item.action is ActionState.UNRESOLVED:
            look = look_of(item.action)
            return look.icon, look.colour, look.help
        return "", "", ""

    def _show_empty(self, title: str, text: str) -> None:
        self.empty.show_empty(Empty("scroll-text", title, text))
        self.stack.setCurrentIndex(1)

    def _open_post(self) -> None:
        if self._presenter.item is not None:
            QDesktopServices.openUrl(QUrl(self._presenter.item.link))

    def _answer(self) -> None:
        if self._presenter.item is not None:
            self.card_wanted.emit(self._presenter.item.id)

    def _cancel(self) -> None:
        if self._presenter.item is not None:
            self.cancel_wanted.emit([self._presenter.item.id])

    def _copy(self) -> None:
        ledger = self._presenter.ledger
        QGuiApplication.clipboard().setText(ledger_text(ledger.entries if ledger else []))
