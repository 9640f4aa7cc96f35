"""Notices in the corner of the window: they come, can offer one act, and go by themselves."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QLabel, QVBoxLayout, QWidget

from desktop_app.ui.presenters.notices import Notice
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.controls import button, column, icon_button, label, row

_ICONS = {
    "success": "circle-check",
    "info": "info",
    "warning": "triangle-alert",
    "danger": "circle-alert",
}
_SECONDS = {"success": 5, "info": 6, "warning": 10, "danger": 14}
_WIDTH = 380
_EDGE = 16
_MOST = 4


class Toast(QFrame):
    """One notice."""

    def __init__(self, theme: Theme, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        self.setObjectName("bulkBar")
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(f"{notice.text} {notice.advice}".strip())
        icon = QLabel()
        icon.setPixmap(theme.pixmap(_ICONS[notice.kind], notice.kind, 16, self.devicePixelRatioF()))
        icon.setFixedSize(QSize(16, 18))
        words = column(label(notice.text, wrap=True), spacing=4)
        if notice.advice:
            words.addWidget(label(notice.advice, "muted", wrap=True))
        if notice.act:
            words.addLayout(row(button(theme, notice.act, on_click=self._act), 1))
        close = icon_button(theme, "x", "Dismiss", on_click=self.leave)
        layout = row(spacing=10)
        layout.setContentsMargins(14, 10, 8, 10)
        layout.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(24)
        shadow.setOffset(0, 6)
        self.setGraphicsEffect(shadow)
        seconds = _SECONDS[notice.kind] * (2 if notice.act else 1)
        QTimer.singleShot(seconds * 1000, self, self.leave)

    def leave(self) -> None:
        """Go away."""
        self.hide()
        self.deleteLater()

    def _act(self) -> None:
        if self.notice.run is not None:
            self.notice.run()
        self.leave()


class Toasts(QWidget):
    """The stack of notices over the bottom right corner of `host`."""

    def __init__(self, theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        host.installEventFilter(self)
        self.hide()

    def show_notice(self, notice: Notice) -> None:
        """Show a notice; the same words that are still up are not said twice."""
        toasts = self.toasts()
        if any(toast.notice.text == notice.text for toast in toasts):
            return
        if len(toasts) >= _MOST:
            toasts[0].leave()
        toast = Toast(self._theme, notice)
        toast.destroyed.connect(self._place)
        self._layout.addWidget(toast)
        self.show()
        self._place()
        QTimer.singleShot(0, self, self._place)  # how high it is, is known once it was dressed

    def toasts(self) -> list[Toast]:
        """Return the notices that are up, oldest first."""
        return [toast for toast in self.findChildren(Toast) if not toast.isHidden()]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        if not self.toasts():
            self.hide()
            return
        self._layout.activate()
        height = self._layout.heightForWidth(_WIDTH)
        height = height if height > 0 else self._layout.sizeHint().height()
        room = self._host.size()
        left, top = room.width() - _WIDTH - _EDGE, room.height() - height - _EDGE - 28
        self.setGeometry(left, top, _WIDTH, height)
        self.raise_()
