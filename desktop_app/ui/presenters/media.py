"""The media page: adding files, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from common.domain.content import MediaKind
from desktop_app.contract.accounts import ImportProblem
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaRow
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.notices import Notice

FILE_KINDS = "Photos and videos (*.jpg *.jpeg *.png *.mp4 *.mov *.m4v);;All files (*)"


class MediaPresenter(QObject):
    """What the media page shows and does."""

    problems_changed = Signal()
    busy_changed = Signal()

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.table = context.fleet.media.table
        self.thumbnails = context.thumbnails
        self.problems: list[ImportProblem] = []
        """Files that the last addition refused."""
        self.adding = 0
        """Files that are being read."""
        self.kind: MediaKind | None = None

    def add(self, paths: Sequence[str]) -> None:
        """Add files, and the files in folders."""
        self._context.tasks.spawn(self, self._add(list(paths)), "add media")

    def delete(self, sha256s: Sequence[str]) -> None:
        """Remove files from the library."""
        self._context.tasks.spawn(self, self._delete(list(sha256s)), "delete media")

    def dismiss_problems(self) -> None:
        """Hide what was refused."""
        self.problems = []
        self.problems_changed.emit()

    def show_kind(self, kind: MediaKind | None) -> None:
        """Show files of one kind; None shows all."""
        self.kind = kind
        self.table.set_filter((lambda media: media.kind is kind) if kind else None)

    def count_of_kind(self, kind: MediaKind) -> int:
        """Return how many files of a kind the library has."""
        return sum(media.kind is kind for media in self.table.rows())

    def rows_of(self, sha256s: Sequence[str]) -> list[MediaRow]:
        """Return the files that still exist."""
        return [row for key in sha256s if (row := self.table.row(key)) is not None]

    async def _add(self, paths: list[str]) -> None:
        files = files_of(paths)
        self._set_adding(self.adding + len(files))
        try:
            done = await self._context.core.import_media(ImportMedia(paths=files))
        finally:
            self._set_adding(self.adding - len(files))
        self.problems = done.problems
        self.problems_changed.emit()
        if done.rows:
            self._context.notices.say(
                Notice("success", f"Added {count_of(len(done.rows), 'file')}.")
            )

    async def _delete(self, sha256s: list[str]) -> None:
        changed = await self._context.core.delete_media(DeleteMedia(sha256s=sha256s))
        done = len(sha256s) - len(changed.refused)
        if done:
            self._context.notices.say(Notice("success", f"Deleted {count_of(done, 'file')}."))
        self._context.notices.refused(changed.refused, "Not deleted")

    def _set_adding(self, adding: int) -> None:
        self.adding = adding
        self.busy_changed.emit()


def files_of(paths: Sequence[str]) -> list[str]:
    """Return the files at these paths, with folders replaced by what lies directly in them."""
    found: list[str] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found += sorted(str(file) for file in path.iterdir() if file.is_file())
        else:
            found.append(text)
    return found
