"""What a page shows instead of rows: first use, filtered to nothing, loading, offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import button, clear_layout, label, row

_ICON = 40
_WIDTH = 420
_LEAST_WIDTH = 120
_EDGE = 32


@dataclass(frozen=True, slots=True)
class Empty:
    """One empty state: why there is nothing, and the next act."""

    icon: str
    title: str
    text: str = ""
    act: str = ""
    on_act: Callable[[], object] | None = None
    act_icon: str = ""
    second: str = ""
    on_second: Callable[[], object] | None = None


class EmptyState(QWidget):
    """An icon, a title, a sentence, and a button with the next act."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[object, ...] | None = None
        self._empty: Empty | None = None
        self._text: QLabel | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setSpacing(8)
        self._layout.setContentsMargins(_EDGE, _EDGE, _EDGE, _EDGE)
        theme.changed.connect(self._redraw)

    def show_empty(self, empty: Empty) -> None:
        """Show one state; the same one again changes nothing."""
        said = (empty.icon, empty.title, empty.text, empty.act, empty.second)
        if said == self._shown:
            return
        self._shown = said
        self._empty = empty
        self._build(empty)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the words within the room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._text is not None:
            self._text.setFixedWidth(max(min(_WIDTH, self.width() - 2 * _EDGE), _LEAST_WIDTH))

    def _redraw(self) -> None:
        if self._empty is not None:
            self._build(self._empty)

    def _build(self, empty: Empty) -> None:
        clear_layout(self._layout)
        self._text = None
        icon = QLabel()
        ratio = self.devicePixelRatioF()
        icon.setPixmap(self._theme.pixmap(empty.icon, "text_faint", _ICON, ratio))
        icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = label(empty.title, "section")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text = label(empty.text, "muted", wrap=True)
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._text = text
        self._fit()
        self._layout.addStretch(2)
        self._layout.addWidget(icon)
        self._layout.addSpacing(8)
        self._layout.addWidget(title)
        if empty.text:
            self._layout.addLayout(row(1, text, 1))
        self._add_acts(empty)
        self._layout.addStretch(3)
        self.setAccessibleName(f"{empty.title} {empty.text}".strip())

    def _add_acts(self, empty: Empty) -> None:
        acts = []
        if empty.act:
            acts.append(
                button(
                    self._theme, empty.act, "primary", icon=empty.act_icon, on_click=empty.on_act
                )
            )
        if empty.second:
            acts.append(button(self._theme, empty.second, on_click=empty.on_second))
        if acts:
            self._layout.addSpacing(8)
            self._layout.addLayout(row(1, *acts, 1))
