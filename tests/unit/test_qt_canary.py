"""Tells whether a Qt release loses references to None, before it can abort the window.

PySide6 6.12.0 under Python 3.11 drops one reference per call of a Python override that returns
None by way of C++; the interpreter aborts when the count is used up.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QAbstractListModel, QIdentityProxyModel, QModelIndex, Qt

CALLS = 300
NOISE = CALLS // 3
"""The count of None moves by a few for other reasons."""


class _Empty(QAbstractListModel):
    """A model whose one row answers None to every question."""

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else 1

    def data(self, index: QModelIndex, role: int = 0) -> None:
        return None


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_none_keeps_its_references_when_an_override_returns_it_through_qt() -> None:
    model = _Empty()
    proxy = QIdentityProxyModel()
    proxy.setSourceModel(model)
    index = proxy.index(0, 0)
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        proxy.data(index, Qt.ItemDataRole.DisplayRole)
    assert sys.getrefcount(None) > before - NOISE
