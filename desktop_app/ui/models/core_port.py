"""What the window needs of the core: the part of the typed client that it uses, as a Protocol.

`desktop_app.client.CoreClient` fits it; so does the gallery's sample fleet.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from common.domain.states import ActionState, ItemState
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportResult,
    MoveAccounts,
    MoveResult,
)
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.contract.changes import Change, Overview, Watch, WatchScreens
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.contract.runs import (
    AccountLedger,
    ControlRun,
    ControlWork,
    ItemLedger,
    ItemRow,
    LogPage,
    RunRow,
    RunStarted,
    RunTask,
)


class ChangeFeed(Protocol):
    """Changes in order; every connection begins with a `Reset`."""

    @property
    def is_connected(self) -> bool:
        """True while the core is on the other end."""

    def __aiter__(self) -> AsyncIterator[Change]:
        """Iterate until closed."""

    async def set_watch(self, wish: Watch) -> None:
        """Replace what is pushed."""

    async def aclose(self) -> None:
        """End the iteration."""


class ScreenFeed(Protocol):
    """Screens of watched accounts: account id and JPEG."""

    def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        """Iterate until closed."""

    async def set_watch(self, wish: WatchScreens) -> None:
        """Replace what is pushed."""

    async def aclose(self) -> None:
        """End the iteration."""


class Core(Protocol):
    """The core's local API. Every method may raise a FlotillaError."""

    async def overview(self) -> Overview:
        """Return the fleet in numbers."""

    async def accounts(
        self, search: str = "", tag: str = "", sort: str = "", offset: int = 0, limit: int = 5000
    ) -> Page[AccountRow]:
        """Return a slice of the accounts."""

    async def import_accounts(self, command: ImportAccounts) -> ImportResult:
        """Import accounts, or say what that would do."""

    async def edit_accounts(self, command: EditAccounts) -> Changed:
        """Change accounts."""

    async def hold_accounts(self, command: HoldAccounts) -> Changed:
        """Hold or release accounts."""

    async def delete_accounts(self, command: DeleteAccounts) -> Changed:
        """Remove accounts."""

    async def move_accounts(self, command: MoveAccounts) -> MoveResult:
        """Give accounts to another agent."""

    async def account_ledger(
        self, account_id: str, state: ActionState | None = None, offset: int = 0, limit: int = 100
    ) -> AccountLedger:
        """Return a slice of an account's ledger, newest first."""

    async def agents(self) -> Page[AgentRow]:
        """Return all agents."""

    async def pair_agent(self, command: PairAgent) -> AgentRow:
        """Pair an agent."""

    async def forget_agent(self, command: ForgetAgent) -> Changed:
        """Forget an agent."""

    async def drain_agent(self, command: DrainAgent) -> Changed:
        """Give an agent nothing new, or work again."""

    async def control_work(self, command: ControlWork) -> Changed:
        """Pause, resume or cancel what accounts or agents have to do."""

    async def cards(
        self, resolved: bool = False, offset: int = 0, limit: int = 200
    ) -> Page[CardRow]:
        """Return a slice of the open or of the resolved attention cards, newest first."""

    async def act_on_card(self, card_id: str, command: ActOnCard) -> CardRow:
        """Answer an attention card."""

    async def media(self, search: str = "", offset: int = 0, limit: int = 5000) -> Page[MediaRow]:
        """Return a slice of the library."""

    async def import_media(self, command: ImportMedia) -> MediaImported:
        """Add files to the library."""

    async def delete_media(self, command: DeleteMedia) -> Changed:
        """Remove files from the library."""

    async def thumbnail(self, sha256: str) -> bytes:
        """Return a small JPEG."""

    async def runs(self, offset: int = 0, limit: int = 200) -> Page[RunRow]:
        """Return a slice of the runs."""

    async def run_task(self, command: RunTask) -> RunStarted:
        """Judge a batch and perhaps start it."""

    async def run_items(
        self, run_id: str, state: ItemState | None = None, offset: int = 0, limit: int = 5000
    ) -> Page[ItemRow]:
        """Return a slice of a run's items."""

    async def control_run(self, run_id: str, command: ControlRun) -> Changed:
        """Pause, resume, cancel or retry."""

    async def run_log(self, run_id: str, offset: int = 0, limit: int = 262_144) -> LogPage:
        """Return lines of a run's log."""

    async def item_ledger(self, item_id: str) -> ItemLedger:
        """Return the steps of an item's effect."""

    def changes(self, watch: Watch | None = None) -> ChangeFeed:
        """Return the stream of changes."""

    def screens(self, watch: WatchScreens | None = None) -> ScreenFeed:
        """Return the stream of screens."""

    async def aclose(self) -> None:
        """Close the connections."""
