"""Whether work may be handed to agents at all, and what is waited for where it may not.

Two things close it: a history that was lost, until every agent was compared with the store
(docs/decisions/0007), and a disk that is too full to note what was handed over.
"""

from collections.abc import Callable, Sequence
from functools import partial

from common.errors import WireError
from desktop_app.store import generations
from desktop_app.store.store import Store


class DispatchGate:
    """Asked before every item that is handed over."""

    def __init__(self, store: Store, opened: Callable[[], object]) -> None:
        """`opened` is called when it opens, or when there is something new to compare."""
        self._store = store
        self._opened = opened
        self._missing: Sequence[str] = ()
        self._full_disk: WireError | None = None
        self.generation = 0
        """The store's generation, as it was read last."""
        self.mark = 0
        """How far the store's history is, as it was raised last."""

    @property
    def is_open(self) -> bool:
        """Say whether anything may be handed over."""
        return not self._missing and self._full_disk is None

    def notice(self) -> WireError | None:
        """Say what keeps work from every agent; None where nothing does."""
        if self._full_disk is not None or not self._missing:
            return self._full_disk
        return WireError(
            code="link",
            message=(
                "Nothing is handed over: a history was lost, and what is at "
                f"{_list(self._missing)} has to be compared first."
            ),
            advice="Start those agents. One that will not come back can be forgotten.",
        )

    async def look(self) -> None:
        """Read the store's generation, and which agents were not compared in it."""
        was = (self.generation, self.is_open)
        self.generation = await self._store.read(generations.current)
        self._missing = await self._store.read(generations.not_heard)
        if was != (self.generation, self.is_open):
            self._opened()

    async def note_heard(self, agent_id: str, generation: int) -> None:
        """Take note that an agent was compared."""
        await self._store.write(
            partial(generations.note_heard, agent_id=agent_id, generation=generation)
        )
        await self.look()

    def note_mark(self, mark: int) -> None:
        """Take note that the store's mark was raised."""
        self.mark = max(self.mark, mark)

    def set_full_disk(self, problem: WireError | None) -> None:
        """Close for a full disk, or open again."""
        self._full_disk = problem
        self._opened()


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} others" if len(names) > 3 else shown
