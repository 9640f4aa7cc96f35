"""A name and an id that a click copies."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QToolButton

from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import ICON_GAP

_SHOWN_MILLISECONDS = 1200
_MOST_LETTERS = 22
_KEPT_AT_END = 6


class CopyChip(QToolButton):
    """An id with its name; a click copies the whole of it."""

    def __init__(self, theme: Theme, name: str, value: str) -> None:
        super().__init__()
        self._theme = theme
        self._value = value
        self.setProperty("chip", "id")
        shown = f"{name}  {_shortened(value)}" if name else _shortened(value)
        self.setText(f"{ICON_GAP}{shown}")
        self.setToolTip(f"Copy {value}")
        self.setAccessibleName(" ".join(part for part in ("Copy", name, value) if part))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(12, 12))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_SHOWN_MILLISECONDS)
        self._back.timeout.connect(self._dress)
        self._dress()
        self.clicked.connect(self._copy)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._value)
        self.setIcon(self._theme.icon("check", "success", "success"))
        self._back.start()

    def _dress(self) -> None:
        self.setIcon(self._theme.icon("copy", "text_faint"))


def _shortened(value: str) -> str:
    """Leave out the middle of an id that is too long to show."""
    if len(value) <= _MOST_LETTERS:
        return value
    head = _MOST_LETTERS - _KEPT_AT_END - 1
    return f"{value[:head]}…{value[-_KEPT_AT_END:]}"
