"""How far the history of each store is, as its desktop told: that shows one that was put back.

A number per store, the highest that was heard, kept in the journal and given back in every hello.
What a desktop makes of it is not here.
"""

from collections.abc import Callable, Mapping
from functools import partial

from agent.jobs.journal import Transaction
from agent.jobs.meta import numbers_of, write_number

_PREFIX = "mark."

Write = Callable[[str, Callable[[Transaction], object]], object]
"""Writes something small, named first, whose result nobody waits for."""


class StoreMarks:
    """The marks of the stores that have dialled."""

    def __init__(self, known: Mapping[str, int], write: Write) -> None:
        self._known = dict(known)
        self._write = write

    def seen(self, store_id: str) -> int:
        """Return the highest mark that was heard of a store; 0 for none."""
        return self._known.get(store_id, 0)

    def note(self, store_id: str, mark: int) -> None:
        """Take note of a store's mark."""
        if mark > self.seen(store_id):
            self._known[store_id] = mark
            self._write("note a store's mark", partial(_save, store_id=store_id, mark=mark))


def load_marks(transaction: Transaction) -> dict[str, int]:
    """Return the highest mark of each store, by its id."""
    return {store_id: int(mark) for store_id, mark in numbers_of(transaction, _PREFIX).items()}


def _save(transaction: Transaction, store_id: str, mark: int) -> None:
    write_number(transaction, f"{_PREFIX}{store_id}", mark)
