"""The grid of the media library: cards that flow, dropped files, selection kept by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from desktop_app.ui.models.table import RowTable
from desktop_app.ui.presenters.thumbnails import Thumbnails
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.delegates.media_card import CARD, MediaCardDelegate


class MediaGrid(QListView):
    """Files as cards."""

    chosen = Signal(list)
    files_dropped = Signal(list)
    """Paths of local files."""

    def __init__(
        self, theme: Theme, model: RowTable[Any], thumbnails: Thumbnails, name: str
    ) -> None:
        super().__init__()
        self._table = model
        self._kept: list[str] = []
        self.setAccessibleName(name)
        self.setModel(model)
        self.setItemDelegate(MediaCardDelegate(theme, thumbnails, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setTabKeyNavigation(False)
        self.setViewportMargins(12, 8, 12, 8)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        thumbnails.arrived.connect(lambda _: self.viewport().update())
        theme.changed.connect(self.viewport().update)

    def selected_ids(self) -> list[str]:
        """Return the SHA-256 of each selected file, in the grid's order."""
        lines = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self._table.id_at(line) for line in lines]

    def select_ids(self, ids: Sequence[str]) -> None:
        """Select the files that are shown."""
        self.clearSelection()
        for key in ids:
            if (line := self._table.line(key)) is not None:
                flag = QItemSelectionModel.SelectionFlag.Select
                self.selectionModel().select(self._table.index(line, 0), flag)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the cards the whole width."""
        room = self.viewport().width() - 1
        columns = max(1, room // CARD.width())
        self.setGridSize(QSize(room // columns, CARD.height()))
        super().resizeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files."""
        if local_files(event):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Take local files."""
        if local_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand dropped files on."""
        files = local_files(event)
        if files:
            event.acceptProposedAction()
            self.files_dropped.emit(files)

    def _keep(self) -> None:
        self._kept = self.selected_ids()

    def _restore(self) -> None:
        kept, self._kept = self._kept, []
        if kept:
            self.select_ids(kept)

    def _selection_changed(self, *_: object) -> None:
        self.chosen.emit(self.selected_ids())


def local_files(event: QDropEvent) -> list[str]:
    """Return the local files that are dragged."""
    data = event.mimeData()
    if not data.hasUrls() or not event.possibleActions() & Qt.DropAction.CopyAction:
        return []
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
