"""Choosing files of the library for posts, in the order in which they are clicked."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop_app.ui.models.formats import count_of
from desktop_app.ui.models.media import media_table
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import button, label, row
from desktop_app.ui.views.widgets.media_grid import MediaGrid
from desktop_app.ui.views.widgets.search_box import SearchBox


class PickMediaDialog(Dialog):
    """The library, to choose from. `chosen` holds the files in the order of the choice."""

    def __init__(self, context: ViewContext, parent: QWidget) -> None:
        super().__init__(context.theme, parent, "Add posts from the library", width=700)
        self.resize(840, 640)
        self.chosen: list[str] = []
        self._table = media_table()
        self._table.set_rows(context.fleet.media.table.rows())
        search = SearchBox(context.theme, "media")
        search.asked.connect(self._table.set_search)
        hint = label("Each file becomes a post; carousels are grouped afterwards.", "muted")
        everything = button(context.theme, "Select all", "ghost", on_click=self._select_all)
        self.body.addLayout(row(hint, 1, everything, search))
        thumbnails = context.presenters.thumbnails
        self.grid = MediaGrid(context.theme, self._table, thumbnails, "Library to choose from")
        self.grid.setAcceptDrops(False)
        self.grid.chosen.connect(self._changed)
        self.grid.doubleClicked.connect(lambda _: self.accept())
        self.body.addWidget(self.grid, 1)
        self._main = self.add_foot("Add")
        self._main.clicked.connect(self.accept)
        self._changed([])

    def _select_all(self) -> None:
        self.grid.selectAll()

    def _changed(self, ids: list[str]) -> None:
        still = [key for key in self.chosen if key in set(ids)]
        self.chosen = still + [key for key in ids if key not in set(still)]
        self._main.setEnabled(bool(self.chosen))
        count = len(self.chosen)
        self._main.setText(f"Add {count_of(count, 'post')}" if count else "Add")
