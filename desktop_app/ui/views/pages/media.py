"""The media page: the library as a grid, adding files, and what was refused, file by file."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from common.domain.content import MediaKind
from desktop_app.ui.aio import ask, choose_files
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.media import FILE_KINDS, MediaPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.widgets.bulk_bar import BulkBar
from desktop_app.ui.views.widgets.chip_bar import ChipBar
from desktop_app.ui.views.widgets.chips import Chip
from desktop_app.ui.views.widgets.controls import (
    button,
    clear_layout,
    icon_button,
    label,
    row,
)
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.media_grid import MediaGrid, local_files
from desktop_app.ui.views.widgets.page import Page

_MOST_PROBLEMS_HEIGHT = 180
_KINDS = (
    (MediaKind.PHOTO, "Photos", "image"),
    (MediaKind.VIDEO, "Videos", "film"),
)


class MediaPage(Page):
    """The media library."""

    compose_wanted = Signal(list)
    """SHA-256 of files to compose with."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Media", "media")
        self._context = context
        self.presenter = MediaPresenter(context.presenters)
        self.setAcceptDrops(True)
        self._build()
        self._connect()
        context.commands.add(
            Command(
                id="media.add", title="Add media files", section="Media", icon="plus",
                shortcut="Ctrl+O", run=self.add, words="photo video reel import library",
            )
        )  # fmt: skip
        self._refresh()

    def add(self) -> None:
        """Choose files to add."""
        self._context.tasks.spawn(self, self._choose(), "choose media")

    def delete(self) -> None:
        """Ask, then delete the selected files."""
        self._context.tasks.spawn(self, self._delete(self.grid.selected_ids()), "delete media")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files anywhere on the page."""
        if local_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add dropped files."""
        event.acceptProposedAction()
        self.presenter.add(local_files(event))

    async def _choose(self) -> None:
        files = await choose_files(self.window(), "Add media files", FILE_KINDS)
        if files:
            self.presenter.add(files)

    async def _delete(self, ids: list[str]) -> None:
        what = count_of(len(ids), "file")
        text = "They are removed from the library. Posts made with them stay where they are."
        dialog = ConfirmDialog(self.theme, self.window(), f"Delete {what}?", text, f"Delete {what}")
        if await ask(dialog):
            self.presenter.delete(ids)

    def _build(self) -> None:
        self.busy = label("", "muted")
        self.acts.addWidget(self.busy)
        self.acts.addWidget(
            button(self.theme, "Add files…", "primary", icon="plus", on_click=self.add)
        )
        self.kinds = ChipBar(self.theme, "Kind", shrinks=False)
        strip = QFrame()
        strip.setObjectName("toolbar")
        line = row(self.kinds, 1)
        line.setContentsMargins(20, 0, 16, 12)
        strip.setLayout(line)
        self.strip = strip
        self.grid = MediaGrid(
            self.theme, self.presenter.table, self.presenter.thumbnails, "Media library"
        )
        self.empty = EmptyState(self.theme)
        self.main = self.grid
        self.stack = QStackedWidget()
        self.stack.addWidget(self.grid)
        self.stack.addWidget(self.empty)
        self.bulk = BulkBar(self.theme, self.stack, "file")
        self.bulk.add("Compose", "pen-line", lambda: self._compose())
        self.bulk.add("Delete", "trash-2", self.delete)
        self._build_problems()
        self.body.addWidget(strip)
        self.body.addWidget(self.problems)
        self.body.addWidget(self.stack, 1)

    def _build_problems(self) -> None:
        self.problems = QFrame()
        self.problems.setProperty("card", "attention")
        self._problem_title = label("", "section")
        close = icon_button(
            self.theme, "x", "Dismiss the problems", on_click=self.presenter.dismiss_problems
        )
        inner = QWidget()
        self._problem_lines = QVBoxLayout(inner)
        self._problem_lines.setContentsMargins(0, 0, 0, 0)
        self._problem_lines.setSpacing(6)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setMaximumHeight(_MOST_PROBLEMS_HEIGHT)
        layout = QVBoxLayout(self.problems)
        layout.setContentsMargins(16, 10, 12, 12)
        layout.addLayout(row(self._problem_title, 1, close))
        layout.addWidget(scroll)
        self.problems.hide()

    def _connect(self) -> None:
        table, presenter = self.presenter.table, self.presenter
        if self.search is not None:
            self.search.asked.connect(self._search)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._refresh)
        self._context.fleet.status_changed.connect(self._refresh)
        self.kinds.chosen.connect(self._choose_kind)
        self.grid.chosen.connect(lambda ids: self.bulk.show_count(len(ids)))
        self.grid.files_dropped.connect(presenter.add)
        self.bulk.cleared.connect(self.grid.clearSelection)
        presenter.problems_changed.connect(self._show_problems)
        presenter.busy_changed.connect(self._show_busy)

    def _compose(self) -> None:
        self.compose_wanted.emit(self.grid.selected_ids())

    def _search(self, text: str) -> None:
        self.presenter.table.set_search(text)
        self._refresh()

    def _choose_kind(self, on: frozenset[str]) -> None:
        chosen = on - ({self.presenter.kind.value} if self.presenter.kind else set())
        self.presenter.show_kind(MediaKind(next(iter(chosen))) if chosen else None)
        self._refresh()

    def _clear(self) -> None:
        if self.search is not None:
            self.search.clear()
        self.presenter.show_kind(None)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        table = self.presenter.table
        shown, total = table.rowCount(), table.total
        self.count.setText(
            f"{shown:,} of {total:,}" if shown != total else f"{total:,}" if total else ""
        )
        self.strip.setVisible(total > 0)
        on = frozenset({self.presenter.kind.value}) if self.presenter.kind else frozenset[str]()
        self.kinds.set_chips(
            [
                Chip(kind.value, text, self.presenter.count_of_kind(kind), icon, "text_faint")
                for kind, text, icon in _KINDS
            ],
            on,
        )
        empty = self._empty_state()
        if empty is not None:
            self.empty.show_empty(empty)
        self.stack.setCurrentWidget(self.grid if empty is None else self.empty)

    def _empty_state(self) -> Empty | None:
        table = self.presenter.table
        if table.rowCount():
            return None
        if table.total:
            return Empty(
                "list-filter", "No file fits", "No file has this name and kind.",
                "Clear the filter", self._clear, "x",
            )  # fmt: skip
        waiting = waiting_state(self._context.fleet, self._context.fleet.media.is_loaded)
        return waiting or Empty(
            "images", "Add photos and videos",
            "Drop files here, or choose them: JPEG photos, and MP4 or MOV videos. Each file is "
            "checked and copied into the library.",
            "Add files…", self.add, "plus",
        )  # fmt: skip

    def _show_problems(self) -> None:
        problems = self.presenter.problems
        clear_layout(self._problem_lines)
        self.problems.setVisible(bool(problems))
        self._problem_title.setText(f"{count_of(len(problems), 'file')} could not be added")
        for problem in problems:
            line = label(problem.message, wrap=True, select=True)
            self._problem_lines.addWidget(line)
            if problem.advice:
                self._problem_lines.addWidget(label(problem.advice, "muted", wrap=True))

    def _show_busy(self) -> None:
        adding = self.presenter.adding
        self.busy.setText(f"Reading {count_of(adding, 'file')}…" if adding else "")
