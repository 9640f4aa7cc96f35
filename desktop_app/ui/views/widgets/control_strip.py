"""The strip that says, in place, how far a command over many items is, and what was refused."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from desktop_app.ui.models.control import ControlReport
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import (
    button,
    clear_layout,
    column,
    icon_button,
    label,
    row,
)

_ICON = 16


class ControlStrip(QFrame):
    """One command's report. It stays until it is dismissed or another command is given."""

    dismissed = Signal()
    undo_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._report: ControlReport | None = None
        self.setObjectName("controlStrip")
        self._icon = QLabel()
        self._icon.setFixedSize(QSize(_ICON, _ICON))
        self.words = label("", select=True)
        self.more = button(theme, "Refused", "ghost")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_refused)
        self.undo = button(theme, "Undo", "ghost", icon="undo-2")
        self.undo.clicked.connect(self.undo_wanted)
        close = icon_button(theme, "x", "Dismiss the report", on_click=self.dismissed.emit)
        self.refused = QFrame()
        self._reasons = QVBoxLayout(self.refused)
        self._reasons.setContentsMargins(_ICON + 8, 0, 0, 4)
        self._reasons.setSpacing(4)
        line = row(self._icon, self.words, self.more, 1, self.undo, close)
        layout = column(line, self.refused, spacing=2)
        layout.setContentsMargins(20, 4, 12, 4)
        self.setLayout(layout)
        theme.changed.connect(self._dress)
        self.hide()

    def show_report(self, report: ControlReport | None, *, may_undo: bool = False) -> None:
        """Show a report; None hides the strip."""
        self.setVisible(report is not None)
        if report is None:
            self._report = None
            return
        fresh = self._report is None or self._report.refused != report.refused
        self._report = report
        self.words.setText(report.words)
        self.setAccessibleName(report.words)
        undo = f"Undo {report.verb} of {count_of(report.accepted or 0, 'item')}"
        self.undo.setText(f"\u2009 {undo}")
        self.undo.setAccessibleName(undo)
        self.undo.setVisible(may_undo and bool(report.accepted))
        refused = report.refused_count
        self.more.setVisible(bool(refused))
        self.more.setText(f"{refused:,} refused")
        self.more.setAccessibleName(f"{refused:,} refused: show why")
        if fresh:
            self._fill(report)
        self._dress()

    def _fill(self, report: ControlReport) -> None:
        clear_layout(self._reasons)
        for refusal in report.refused:
            self._reasons.addWidget(label(refusal.text, "muted", wrap=True, select=True))
        self.more.setChecked(bool(report.refused))
        self._show_refused(self.more.isChecked())

    def _show_refused(self, shown: bool) -> None:
        self.refused.setVisible(shown and self._report is not None and bool(self._report.refused))

    def _dress(self) -> None:
        report = self._report
        if report is None:
            return
        icon, colour = "loader", "running"
        if report.is_over and report.refused:
            icon, colour = "triangle-alert", "warning"
        elif report.is_over:
            icon, colour = "circle-check", "success"
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(self._theme.pixmap(icon, colour, _ICON, ratio))
