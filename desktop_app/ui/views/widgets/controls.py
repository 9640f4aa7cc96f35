"""Small makers of controls: each comes with its words, its look and its accessible name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.ui.theme.theme import Theme

_LEAST_WIDTH = 48
ICON_GAP = "\u2009 "
"""Stands between an icon and its words: the style sheet cannot set that room."""

Box = TypeVar("Box", bound=QBoxLayout)
ButtonKind = Literal["primary", "secondary", "ghost", "danger"]
_ICON_COLOURS: dict[ButtonKind, str] = {
    "primary": "accent_text",
    "secondary": "text_muted",
    "ghost": "text_muted",
    "danger": "danger",
}


def button(
    theme: Theme,
    text: str,
    kind: ButtonKind = "secondary",
    *,
    icon: str = "",
    name: str = "",
    on_click: Callable[[], object] | None = None,
) -> QPushButton:
    """Return a button; `name` is its accessible name where its words need more."""
    made = QPushButton(f"{ICON_GAP}{text}" if icon else text)
    made.setProperty("kind", kind)
    made.setAccessibleName(name or text)
    made.setAutoDefault(False)
    if icon:
        colour = _ICON_COLOURS[kind]
        made.setIcon(theme.icon(icon, colour, colour))
        made.setIconSize(QSize(14, 14))
    if on_click is not None:
        made.clicked.connect(lambda: on_click())
    return made


def add_menu(
    theme: Theme, made: QPushButton, acts: Sequence[tuple[str, str, Callable[[], object]]]
) -> None:
    """Give a button a menu of acts, each with its words and its icon."""
    menu = QMenu(made)
    for words, icon, run in acts:
        menu.addAction(theme.icon(icon), words).triggered.connect(lambda _=False, run=run: run())
    made.setMenu(menu)


def icon_button(
    theme: Theme, icon: str, name: str, *, on_click: Callable[[], object] | None = None
) -> QToolButton:
    """Return a button with an icon alone; `name` is its tool tip and its accessible name."""
    made = QToolButton()
    made.setIcon(theme.icon(icon))
    made.setIconSize(QSize(16, 16))
    made.setToolTip(name)
    made.setAccessibleName(name)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if on_click is not None:
        made.clicked.connect(lambda: on_click())
    return made


def label(text: str = "", role: str = "", *, wrap: bool = False, select: bool = False) -> QLabel:
    """Return a label of plain text in one of the style sheet's roles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if wrap:
        made.setWordWrap(True)
        policy = made.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        made.setSizePolicy(policy)
    if select:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


class ElidedLabel(QLabel):
    """A line of plain text that gives way: what does not fit ends in an ellipsis."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Return the least room: a few letters."""
        return QSize(_LEAST_WIDTH, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much as fits; all of it is in the tool tip."""
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() + 1)
        self.setToolTip(self.text() if text != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


def set_role(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at, and have it looked at again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def row(*parts: QWidget | QLayout | int, spacing: int = 8) -> QHBoxLayout:
    """Return parts beside each other; a number is a stretch."""
    return _fill(QHBoxLayout(), parts, spacing)


def column(*parts: QWidget | QLayout | int, spacing: int = 8) -> QVBoxLayout:
    """Return parts under each other; a number is a stretch."""
    return _fill(QVBoxLayout(), parts, spacing)


def card(*parts: QWidget | QLayout | int, spacing: int = 12, margin: int = 16) -> QFrame:
    """Return a panel with parts under each other."""
    frame = QFrame()
    frame.setProperty("card", "true")
    layout = column(*parts, spacing=spacing)
    layout.setContentsMargins(margin, margin, margin, margin)
    frame.setLayout(layout)
    return frame


def separator() -> QFrame:
    """Return a hairline."""
    line = QFrame()
    line.setProperty("separator", "true")
    line.setFixedHeight(1)
    return line


def clear_layout(layout: QLayout) -> None:
    """Delete everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear_layout(inner)


def _fill(layout: Box, parts: tuple[QWidget | QLayout | int, ...], spacing: int) -> Box:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(part)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return layout
