"""Parts beside each other that go on in the next line where the room ends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_USUAL_WIDTH = 240


class Flow(QWidget):
    """Parts of their own size, from the left, in as many lines as they take."""

    def __init__(self, spacing: int = 6) -> None:
        super().__init__()
        self._spacing = spacing
        self._parts: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_parts(self, parts: Sequence[QWidget]) -> None:
        """Show these parts instead of those before."""
        for old in self._parts:
            old.hide()
            old.deleteLater()
        self._parts = list(parts)
        for part in self._parts:
            part.setParent(self)
            part.ensurePolished()
            part.show()
        self.setVisible(bool(self._parts))
        self._place(self.width(), move=True)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """Say that the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines."""
        return self._place(width, move=False)

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        width = max(self.width(), _USUAL_WIDTH)
        return QSize(_USUAL_WIDTH, self._place(width, move=False))

    def minimumSizeHint(self) -> QSize:
        """Return the size of the widest part alone."""
        wide = max((part.sizeHint().width() for part in self._parts), default=0)
        return QSize(min(wide, _USUAL_WIDTH), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the parts out anew."""
        super().resizeEvent(event)
        self._place(self.width(), move=True)

    def _place(self, width: int, *, move: bool) -> int:
        left = top = height = 0
        for part in self._parts:
            hint = part.sizeHint()
            wide = min(hint.width(), width)
            if left and left + wide > width:
                left, top, height = 0, top + height + self._spacing, 0
            if move:
                part.setGeometry(QRect(left, top, wide, hint.height()))
            left += wide + self._spacing
            height = max(height, hint.height())
        return top + height
