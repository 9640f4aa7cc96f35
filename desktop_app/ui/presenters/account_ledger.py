"""The ledger of one account: every effect it has had, newest first, a page at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from common.domain.states import ActionState
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import LedgerEntry
from desktop_app.ui.presenters.context import PresenterContext

PAGE_ENTRIES = 100
_REFRESH_MILLISECONDS = 400


class AccountLedgerPresenter(QObject):
    """Entries of the account that is looked at."""

    changed = Signal()

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.account_id: str | None = None
        self.state: ActionState | None = None
        self.entries: list[LedgerEntry] = []
        self.total = 0
        self.is_loaded = False
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_REFRESH_MILLISECONDS)
        self._again.timeout.connect(self._read_again)
        context.fleet.delta_applied.connect(self._take)
        context.fleet.restarted.connect(self._again.start)

    @property
    def has_more(self) -> bool:
        """True while older entries are not here yet."""
        return len(self.entries) < self.total

    def look_at(self, account_id: str | None) -> None:
        """Show the ledger of an account; None stops following one."""
        if account_id != self.account_id:
            self.account_id = account_id
            self._restart()

    def show_state(self, state: ActionState | None) -> None:
        """Show steps of one state; None shows all."""
        if state is not self.state:
            self.state = state
            self._restart()

    def read_older(self) -> None:
        """Read the next page."""
        self._spawn(len(self.entries), PAGE_ENTRIES)

    def _restart(self) -> None:
        self.entries, self.total, self.is_loaded = [], 0, False
        self.changed.emit()
        self._spawn(0, PAGE_ENTRIES)

    def _read_again(self) -> None:
        self._spawn(0, max(len(self.entries), PAGE_ENTRIES))

    def _take(self, delta: Delta) -> None:
        """Read again when something of the account changed; a burst of changes counts once."""
        touched = any(row.id == self.account_id for row in delta.accounts)
        touched |= any(row.account_id == self.account_id for row in (*delta.items, *delta.cards))
        if touched and not self._again.isActive():
            self._again.start()

    def _spawn(self, offset: int, limit: int) -> None:
        if self.account_id is not None:
            work = self._read(self.account_id, self.state, offset, limit)
            self._context.tasks.spawn(self, work, "ledger of an account")

    async def _read(
        self, account_id: str, state: ActionState | None, offset: int, limit: int
    ) -> None:
        page = await self._context.core.account_ledger(account_id, state, offset, limit)
        if (account_id, state) != (self.account_id, self.state):
            return
        self.entries = [*self.entries[:offset], *page.entries]
        self.total = page.total
        self.is_loaded = True
        self.changed.emit()
