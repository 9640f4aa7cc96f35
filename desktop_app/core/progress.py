"""How far running items are: told often, kept in memory only, and gone with the link."""

from common.domain.states import ItemState
from common.protocol.messages import Progress
from desktop_app.contract.runs import ItemRow

_MOST = 20_000


class LiveProgress:
    """The newest progress of each running item."""

    def __init__(self) -> None:
        self._of: dict[str, Progress] = {}

    def note(self, progress: Progress) -> None:
        """Take the newest word on an item."""
        if progress.item_id in self._of or len(self._of) < _MOST:
            self._of[progress.item_id] = progress

    def forget(self, item_id: str) -> None:
        """An item runs no longer."""
        self._of.pop(item_id, None)

    def shown(self, row: ItemRow) -> ItemRow:
        """Return an item's row with its progress, where that belongs to this attempt."""
        known = self._of.get(row.id)
        if known is None:
            return row
        if row.state is not ItemState.RUNNING or known.attempt != row.attempt:
            return row
        return row.model_copy(update={"step": known.step, "fraction": known.fraction})
