"""What can be done with an attention card: each act, and in plain language what it does.

Publishing what may be there already is asked for once more, in place, with the risk by its name.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QPushButton, QWidget

from common.errors import FlotillaError
from desktop_app.contract.cards import CardAct, CardRow
from desktop_app.ui.models.cards import ACT_LABELS, ActWords, acts_of, risk
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    ICON_GAP,
    ButtonKind,
    button,
    clear_layout,
    column,
    label,
    row,
    set_role,
)

_KINDS: dict[CardAct, ButtonKind] = {"it_is_there": "primary", "close": "danger"}
_WIDE = 880
"""From this width on, all acts stand beside each other."""


class CardActs(QFrame):
    """The acts of one card, at the foot of the page."""

    answered = Signal(str, str)
    """An act, and the link that goes with it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._said: tuple[object, ...] = ()
        self._card_id = ""
        self._cells: list[QWidget] = []
        self._columns = 0
        self._buttons: dict[CardAct, QPushButton] = {}
        self.setObjectName("cardActs")
        self.setAccessibleName("What can be done")
        self.link = QLineEdit()
        self.link.setPlaceholderText("Link of the post, or its id: with “It is there”")
        self.link.setAccessibleName("Link of the post")
        self.link.setClearButtonEnabled(True)
        self.link.returnPressed.connect(lambda: self.answer("it_is_there"))
        self.link.textChanged.connect(lambda: self._refuse(""))
        self._refusal = label("", "danger", wrap=True)
        self._refusal.hide()
        self.confirm, self._risk = QFrame(), label("", wrap=True)
        self.publish = button(theme, "Publish it", "danger", icon="send")
        self._build_confirm()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(10)
        layout = column(self.link, self._refusal, self.confirm, self._grid, spacing=10)
        layout.setContentsMargins(20, 12, 20, 14)
        self.setLayout(layout)

    def show_card(
        self, card: CardRow, answering: CardAct | None, problem: FlotillaError | None
    ) -> None:
        """Show the acts of a card; `answering` is one that is on its way."""
        if card.id != self._card_id:
            self._card_id = card.id
            self.link.clear()
            self.confirm.hide()
        acts = acts_of(card)
        if (card.id, acts) != self._said:
            self._said = (card.id, acts)
            self._rebuild(acts)
        self.link.setVisible("it_is_there" in self._buttons)
        self._risk.setText(risk(card))
        for act, made in self._buttons.items():
            made.setEnabled(answering is None)
            text = "Answering…" if act == answering else ACT_LABELS[act][0]
            made.setText(f"{ICON_GAP}{text}")
        self.publish.setEnabled(answering is None)
        self._refuse(f"{problem.message} {problem.advice}".strip() if problem else "")

    def use_link(self, link: str) -> None:
        """Take a link into the field, and go there."""
        self.link.setText(link)
        self.link.setFocus()

    def answer(self, act: CardAct) -> None:
        """Answer as a click on the act does: publishing asks first, and a link must be there."""
        if act not in self._buttons or not self._buttons[act].isEnabled():
            return
        if act == "publish_it":
            self.confirm.show()
            self.publish.setFocus()
            return
        link = self.link.text().strip() if act == "it_is_there" else ""
        if act == "it_is_there" and not link:
            self._refuse("Paste the link of the post, or take one that the platform showed.")
            self.link.setFocus()
            return
        self.answered.emit(act, link)

    def focus_first(self) -> None:
        """Go to the first thing that can be done."""
        target: QWidget | None = self.link if "it_is_there" in self._buttons else None
        target = target or next(iter(self._buttons.values()), None)
        if target is not None:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Set the acts beside each other where there is room, else two by two."""
        super().resizeEvent(event)
        self._place()

    def _build_confirm(self) -> None:
        self.confirm.setProperty("card", "attention")
        self.publish.clicked.connect(self._publish)
        keep = button(self._theme, "Keep waiting", "ghost", on_click=self.confirm.hide)
        inner = row(self._risk, self.publish, keep, spacing=10)
        inner.setStretch(0, 1)
        inner.setContentsMargins(12, 8, 8, 8)
        self.confirm.setLayout(inner)
        self.confirm.hide()

    def _publish(self) -> None:
        self.confirm.hide()
        self.answered.emit("publish_it", "")

    def _rebuild(self, acts: tuple[ActWords, ...]) -> None:
        clear_layout(self._grid)
        self._buttons = {}
        self._columns = 0
        self._cells = [self._cell(words) for words in acts]
        self._place()

    def _place(self) -> None:
        columns = len(self._cells) if self.width() >= _WIDE else 2
        if columns == self._columns or not self._cells:
            return
        self._columns = columns
        for cell in self._cells:
            self._grid.removeWidget(cell)
        for place, cell in enumerate(self._cells):
            self._grid.addWidget(cell, *divmod(place, columns), Qt.AlignmentFlag.AlignTop)
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)

    def _cell(self, words: ActWords) -> QWidget:
        kind = _KINDS.get(words.act, "secondary")
        made = button(self._theme, words.label, kind, icon=words.icon)
        made.setAccessibleDescription(words.consequence)
        made.clicked.connect(lambda: self.answer(words.act))
        self._buttons[words.act] = made
        cell = QWidget()
        cell.setLayout(column(made, label(words.consequence, "caption", wrap=True), spacing=4))
        return cell

    def _refuse(self, text: str) -> None:
        self._refusal.setText(text)
        self._refusal.setVisible(bool(text))
        set_role(self.link, "invalid", "true" if text else "false")
