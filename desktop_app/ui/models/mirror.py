"""Keeps a table equal to a list of the core: a full copy, then every later change in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from desktop_app.ui.models.table import RowTable

Row = TypeVar("Row")


class Mirror(Generic[Row]):
    """One list of the core and the table that shows it.

    Changes that arrive while the copy is being read wait for it; those that the copy already
    holds, by revision, are dropped.
    """

    def __init__(self, table: RowTable[Row]) -> None:
        self.table = table
        self.revision = -1
        """Of the copy or the change that was applied last; -1 before the first copy."""
        self._waiting: list[tuple[int, Sequence[Row], Sequence[str]]] | None = []

    @property
    def is_loaded(self) -> bool:
        """True once a copy was read, and while none is being read."""
        return self._waiting is None

    def begin(self) -> None:
        """Note that a copy is being read: changes wait from now on."""
        if self._waiting is None:
            self._waiting = []

    def show_first(self, rows: Iterable[Row]) -> None:
        """Show the beginning of a copy whose rest is still being read."""
        self.table.set_rows(rows)

    def load(self, rows: Iterable[Row], revision: int) -> None:
        """Take a whole copy as of `revision`, then the changes that waited for it."""
        waiting, self._waiting = self._waiting or [], None
        self.table.set_rows(rows)
        self.revision = revision
        for change in waiting:
            self.apply(*change)

    def apply(
        self, revision: int, changed: Sequence[Row] = (), removed: Sequence[str] = ()
    ) -> None:
        """Take one change of the list."""
        if self._waiting is not None:
            self._waiting.append((revision, changed, removed))
        elif revision > self.revision:
            self.revision = revision
            if changed or removed:
                self.table.apply(changed, removed)

    def clear(self) -> None:
        """Forget everything, as before the first copy."""
        self._waiting = []
        self.revision = -1
        self.table.set_rows(())
