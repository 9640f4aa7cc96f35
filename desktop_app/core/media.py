"""The media library as clients command it: import, list, delete, small pictures."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from common.domain.ids import is_sha256
from common.errors import (
    ConflictError,
    InputError,
    MediaError,
    NotFoundError,
    StoreError,
    WireError,
)
from desktop_app.contract.accounts import ImportProblem
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.core import library_files
from desktop_app.core.changes import ChangeHub
from desktop_app.store import media
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

AT_ONCE = 2
"""Files that are taken in at the same time."""


class MediaService:
    """Everything that a client may do with the library."""

    def __init__(
        self, store: Store, hub: ChangeHub, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._files = asyncio.Lock()
        """Held where files come or go, so that a deletion never meets its own re-import."""

    async def page(
        self,
        *,
        search: str = "",
        kind: str = "",
        sort: str = "added_at",
        descending: bool = True,
        offset: int = 0,
        limit: int | None = None,
    ) -> Page[MediaRow]:
        """Return a slice of the library; raises InputError for an order that there is not."""
        if sort not in media.SORTS:
            raise InputError("The library cannot be sorted by that.", field="sort")
        revision = self._hub.revision

        def read(connection: Connection) -> tuple[list[MediaRow], int]:
            return media.page(
                connection,
                search=search,
                kind=kind,
                sort=sort,
                descending=descending,
                offset=offset,
                limit=limit,
            )

        rows, total = await self._store.read(read)
        return Page(rows=rows, total=total, offset=offset, revision=revision)

    async def import_files(self, command: ImportMedia) -> MediaImported:
        """Add files; good ones are added even where others are refused.

        Raises StoreError where they cannot be written down: then none of them is kept.
        """
        async with self._files:
            outcomes = await self._take_all_in(command)
            good = [outcome for outcome in outcomes if isinstance(outcome, MediaRow)]
            try:
                touched, rows = await self._store.write(lambda c: _add(c, good))
            except StoreError:
                await self._drop_unknown(good)
                raise
        problems = [
            _problem(number, path, outcome)
            for number, (path, outcome) in enumerate(
                zip(command.paths, outcomes, strict=True), start=1
            )
            if isinstance(outcome, MediaError)
        ]
        revision = self._hub.touch(touched) if touched.media else self._hub.revision
        return MediaImported(rows=rows, problems=problems, revision=revision)

    async def delete(self, command: DeleteMedia) -> Changed:
        """Remove files; one that an unfinished item needs is refused."""

        def run(connection: Connection) -> tuple[list[str], dict[str, WireError], Touched]:
            known = media.rows(connection, command.sha256s)
            needed = media.needed(connection)
            refused = {
                sha256: _refusal(sha256, known.get(sha256))
                for sha256 in command.sha256s
                if sha256 not in known or sha256 in needed
            }
            gone = [sha256 for sha256 in command.sha256s if sha256 not in refused]
            return gone, refused, media.remove(connection, gone)

        async with self._files:
            gone, refused, touched = await self._store.write(run)
            await asyncio.to_thread(self._drop, gone)
        revision = self._hub.touch(touched) if gone else self._hub.revision
        return Changed(revision=revision, ids=gone, refused=refused)

    def thumbnail_file(self, sha256: str) -> Path:
        """Return where the small picture of a file lies; raises NotFoundError."""
        if is_sha256(sha256):
            file = self._store.folder.thumbnail_file(sha256)
            if file.is_file():
                return file
        raise NotFoundError("The library has no such file.", subject=sha256[:64])

    async def _take_all_in(self, command: ImportMedia) -> list[MediaRow | MediaError]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._take_in(path, command.titles.get(path, "")))
                for path in command.paths
            ]
        return [task.result() for task in tasks]

    async def _take_in(self, path: str, title: str) -> MediaRow | MediaError:
        async with self._turns:
            try:
                return await asyncio.to_thread(
                    library_files.take_in, self._store.folder, Path(path), title, self._clock()
                )
            except MediaError as problem:
                return problem

    async def _drop_unknown(self, rows: list[MediaRow]) -> None:
        """Remove files that were taken in and of which the library knows nothing."""
        sha256s = [row.sha256 for row in rows]
        known = await self._store.read(lambda connection: media.rows(connection, sha256s))
        await asyncio.to_thread(self._drop, [each for each in sha256s if each not in known])

    def _drop(self, sha256s: list[str]) -> None:
        for sha256 in sha256s:
            library_files.drop(self._store.folder, sha256)


def _add(connection: Connection, good: list[MediaRow]) -> tuple[Touched, list[MediaRow]]:
    """Store rows; a file that was there already comes back as it was."""
    before = media.rows(connection, {row.sha256 for row in good})
    new = {row.sha256: row for row in good if row.sha256 not in before}
    touched = media.insert(connection, list(new.values()))
    rows = before | new
    return touched, [rows[row.sha256] for row in good]


def _problem(number: int, path: str, error: MediaError) -> ImportProblem:
    return ImportProblem(line=number, field=path, message=error.message, advice=error.advice)


def _refusal(sha256: str, row: MediaRow | None) -> WireError:
    if row is None:
        return NotFoundError("The library has no such file.", subject=sha256[:64]).to_wire()
    return ConflictError(
        f"An unfinished item publishes {row.name}.",
        advice="Cancel it, or wait until it has ended.",
        subject=row.name,
    ).to_wire()
