"""The sample fleet behind the core's interface: what the gallery and tests of the window use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import resources
from common.domain.states import ActionState, ItemState
from common.errors import (
    AgentUnreachableError,
    ConflictError,
)
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportProblem,
    ImportResult,
    MoveAccounts,
    MoveResult,
)
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.contract.changes import Change, Overview, Reset, Watch, WatchScreens
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.contract.runs import (
    AccountLedger,
    ControlRun,
    ControlWork,
    ItemLedger,
    ItemRow,
    LogPage,
    Preflight,
    PreflightItem,
    PreflightProblem,
    RunRow,
    RunStarted,
    RunTask,
)
from desktop_app.ui.gallery_fleet import REVISION, SampleFleet


class SampleFeed:
    """The stream of changes: the first `Reset`, then silence until closed."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()
        self.is_connected = True

    async def __aiter__(self) -> AsyncIterator[Change]:
        yield Reset(revision=REVISION)
        await self._closed.wait()

    async def set_watch(self, wish: Watch) -> None:
        """Nothing changes here."""

    async def aclose(self) -> None:
        """End the stream."""
        self._closed.set()


class SampleScreens:
    """The stream of screens: one picture per watched account."""

    def __init__(self, wish: WatchScreens, pictures: Sequence[bytes]) -> None:
        self._pictures = pictures
        self._wishes: asyncio.Queue[WatchScreens | None] = asyncio.Queue()
        self._wishes.put_nowait(wish)

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        while (wish := await self._wishes.get()) is not None:
            for number, account_id in enumerate(wish.account_ids):
                yield account_id, self._pictures[number % len(self._pictures)]

    async def set_watch(self, wish: WatchScreens) -> None:
        """Push a picture of each of these accounts."""
        self._wishes.put_nowait(wish)

    async def aclose(self) -> None:
        """End the stream."""
        self._wishes.put_nowait(None)


class SampleCore:
    """The sample fleet behind the core's interface. Commands change nothing."""

    def __init__(self, rows: int, now: float) -> None:
        self.fleet = SampleFleet(rows, now)
        self._photos = sorted(resources.path("media").glob("*.jpg"))

    async def overview(self) -> Overview:
        """Return the fleet in numbers."""
        return self.fleet.overview()

    async def accounts(
        self, search: str = "", tag: str = "", sort: str = "", offset: int = 0, limit: int = 5000
    ) -> Page[AccountRow]:
        """Return a slice of the accounts."""
        rows = self.fleet.accounts
        return Page(
            rows=rows[offset : offset + limit], total=len(rows), offset=offset, revision=REVISION
        )

    async def import_accounts(self, command: ImportAccounts) -> ImportResult:
        """Find a problem in every line without a colon or a comma."""
        lines = command.text.get_secret_value().splitlines()
        problems = [
            ImportProblem(
                line=number, field="password", message="The line has no password.",
                advice="Write it as user name, colon, password.",
            )
            for number, line in enumerate(lines, start=1)
            if line.strip() and ":" not in line and "," not in line
        ]  # fmt: skip
        good = sum(bool(line.strip()) for line in lines) - len(problems)
        return ImportResult(applied=False, accounts=good, problems=problems, revision=REVISION)

    async def edit_accounts(self, command: EditAccounts) -> Changed:
        """Say that they changed."""
        return Changed(revision=REVISION, ids=command.ids)

    async def hold_accounts(self, command: HoldAccounts) -> Changed:
        """Say that they changed."""
        return Changed(revision=REVISION, ids=command.ids)

    async def delete_accounts(self, command: DeleteAccounts) -> Changed:
        """Say that they are gone."""
        return Changed(revision=REVISION, ids=command.ids)

    async def move_accounts(self, command: MoveAccounts) -> MoveResult:
        """Move all but the last, whose agent is out of reach."""
        if command.accept_risk or len(command.ids) == 1:
            return MoveResult(moved=command.ids, revision=REVISION)
        risk = ConflictError(
            "pier-9 was last seen 31 minutes ago and holds 6 items of it, 1 of them in doubt.",
            advice="If it still runs, a post may be published twice.",
        )
        return MoveResult(
            moved=command.ids[:-2], draining=command.ids[-2:-1],
            refused={command.ids[-1]: risk.to_wire()}, revision=REVISION,
        )  # fmt: skip

    async def account_ledger(
        self, account_id: str, state: ActionState | None = None, offset: int = 0, limit: int = 100
    ) -> AccountLedger:
        """Return a slice of an account's ledger."""
        entries = [
            entry for entry in self.fleet.account_ledger(account_id) if state in (None, entry.state)
        ]
        return AccountLedger(
            account_id=account_id, entries=entries[offset : offset + limit], total=len(entries)
        )

    async def agents(self) -> Page[AgentRow]:
        """Return all agents."""
        rows = self.fleet.agents
        return Page(rows=rows, total=len(rows), offset=0, revision=REVISION)

    async def pair_agent(self, command: PairAgent) -> AgentRow:
        """Refuse: nothing answers."""
        raise AgentUnreachableError("Nothing answers at 10.0.4.11:8088.")

    async def forget_agent(self, command: ForgetAgent) -> Changed:
        """Say that it is gone."""
        return Changed(revision=REVISION, ids=[command.id])

    async def drain_agent(self, command: DrainAgent) -> Changed:
        """Say that it changed."""
        return Changed(revision=REVISION, ids=[command.id])

    async def control_work(self, command: ControlWork) -> Changed:
        """Say that half of it changed."""
        reached = [i.id for i in self.fleet.items if i.account_id in command.account_ids]
        late = ConflictError("Past the point of no return: the platform's answer decides.")
        refused = {i.account_id: late.to_wire() for i in self.fleet.items[:2]}
        return Changed(revision=REVISION, ids=reached, refused=refused)

    async def cards(
        self, resolved: bool = False, offset: int = 0, limit: int = 200
    ) -> Page[CardRow]:
        """Return a slice of the open or of the settled cards."""
        rows = [card for card in self.fleet.cards if (card.resolved_at is not None) is resolved]
        return Page(
            rows=rows[offset : offset + limit], total=len(rows), offset=offset, revision=REVISION
        )

    async def act_on_card(self, card_id: str, command: ActOnCard) -> CardRow:
        """Settle the card."""
        card = next(card for card in self.fleet.cards if card.id == card_id)
        done: dict[str, Any] = {"acts": [], "answer": command.act, "resolved_at": self.fleet.now}
        return card.model_copy(update=done)

    async def media(self, search: str = "", offset: int = 0, limit: int = 5000) -> Page[MediaRow]:
        """Return the library."""
        rows = self.fleet.media
        return Page(rows=rows, total=len(rows), offset=0, revision=REVISION)

    async def import_media(self, command: ImportMedia) -> MediaImported:
        """Refuse every file."""
        problems = [
            ImportProblem(line=number, field=path, message=f"{path} is empty.")
            for number, path in enumerate(command.paths, start=1)
        ]
        return MediaImported(rows=[], problems=problems, revision=REVISION)

    async def delete_media(self, command: DeleteMedia) -> Changed:
        """Say that they are gone."""
        return Changed(revision=REVISION, ids=command.sha256s)

    async def thumbnail(self, sha256: str) -> bytes:
        """Return one of the shipped photos."""
        numbers = {row.sha256: number for number, row in enumerate(self.fleet.media)}
        if not self._photos or sha256 not in numbers:
            return b""
        return self._photos[numbers[sha256] % len(self._photos)].read_bytes()

    async def runs(self, offset: int = 0, limit: int = 200) -> Page[RunRow]:
        """Return the runs."""
        rows = self.fleet.runs
        return Page(rows=rows, total=len(rows), offset=0, revision=REVISION)

    async def run_task(self, command: RunTask) -> RunStarted:
        """Judge a draft: one item per chosen account."""
        tags = set(command.targets.tags)
        ids = set(command.targets.account_ids)
        chosen = [a for a in self.fleet.accounts if a.id in ids or not tags.isdisjoint(a.tags)]
        items = [
            PreflightItem(
                account_id=a.id, username=a.username, title=item.title, driver=item.driver,
                driver_reason=item.driver_reason, agent=a.agent, post_kind=item.post_kind,
                caption=item.caption + "\n\n#harbour #coast", media=item.media,
            )
            for a, item in zip(chosen, self.fleet.items, strict=False)
        ]  # fmt: skip
        problems = [
            PreflightProblem(
                severity="warning", field="media", username="", post=3, subject="low-tide.jpg",
                message="low-tide.jpg is 1080 × 566; the platform crops it.",
            ),
            PreflightProblem(
                severity="warning", field="accounts", username=chosen[0].username if chosen else "",
                message="It is held and will not be used.",
            ),
        ]  # fmt: skip
        judged = Preflight(items=items, problems=problems[: len(items)], may_start=bool(items))
        return RunStarted(run_id=None, preflight=judged, revision=REVISION)

    async def run_items(
        self, run_id: str, state: ItemState | None = None, offset: int = 0, limit: int = 5000
    ) -> Page[ItemRow]:
        """Return the items of the first run; the others have none here."""
        rows = [i for i in self.fleet.items if i.run_id == run_id and state in (None, i.state)]
        return Page(
            rows=rows[offset : offset + limit], total=len(rows), offset=offset, revision=REVISION
        )

    async def control_run(self, run_id: str, command: ControlRun) -> Changed:
        """Say that nothing changed."""
        return Changed(revision=REVISION)

    async def run_log(self, run_id: str, offset: int = 0, limit: int = 262_144) -> LogPage:
        """Return the log of the first run in one page."""
        lines = self.fleet.log() if offset == 0 and self.fleet.runs[0].id == run_id else []
        return LogPage(
            offset=offset, end=len(lines) or offset, size=len(lines) or offset, lines=lines
        )

    async def item_ledger(self, item_id: str) -> ItemLedger:
        """Return the ledger of an item."""
        return ItemLedger(item_id=item_id, entries=self.fleet.ledger(item_id))

    def changes(self, watch: Watch | None = None) -> SampleFeed:
        """Return the stream of changes."""
        return SampleFeed()

    def screens(self, watch: WatchScreens | None = None) -> SampleScreens:
        """Return the stream of screens."""
        pictures = [photo.read_bytes() for photo in self._photos] or [b""]
        return SampleScreens(watch or WatchScreens(), pictures)

    async def aclose(self) -> None:
        """Nothing is open."""
