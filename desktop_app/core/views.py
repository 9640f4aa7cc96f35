"""Reads what clients see: the overview, lists, and the rows of a delta."""

from functools import partial

from sqlalchemy import Connection

from common.domain.states import ActionState, ItemState, RunState, SignInState
from common.errors import NotFoundError
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.base import Page
from desktop_app.contract.cards import CardRow
from desktop_app.contract.changes import Delta, Overview
from desktop_app.contract.runs import AccountLedger, ItemLedger, ItemRow, RunRow
from desktop_app.core.changes import Dirty
from desktop_app.core.fleet import Fleet
from desktop_app.core.progress import LiveProgress
from desktop_app.store import accounts, cards, due, items, ledger, media, proxies, runs
from desktop_app.store.store import Store


class Views:
    """Everything that is only looked at. Revisions are the caller's."""

    def __init__(self, store: Store, fleet: Fleet, progress: LiveProgress) -> None:
        self._store = store
        self._fleet = fleet
        self._progress = progress

    async def overview(self, revision: int) -> Overview:
        """Return the fleet in numbers."""
        found = await self._store.read(self._overview)
        return found.model_copy(update={"revision": revision})

    async def agents(self, revision: int) -> Page[AgentRow]:
        """Return all agents."""
        rows = await self._store.read(self._fleet.rows)
        return Page[AgentRow](rows=rows, total=len(rows), offset=0, revision=revision)

    async def runs(self, revision: int, *, search: str, offset: int, limit: int) -> Page[RunRow]:
        """Return a slice of the runs, newest first."""
        work = partial(runs.page, search=search, offset=offset, limit=limit)
        rows, total = await self._store.read(work)
        return Page[RunRow](rows=rows, total=total, offset=offset, revision=revision)

    async def run(self, run_id: str) -> RunRow:
        """Return one run; raises NotFoundError."""
        return await self._store.read(partial(runs.row, run_id=run_id))

    async def run_items(
        self,
        revision: int,
        run_id: str,
        *,
        state: ItemState | None,
        search: str,
        offset: int,
        limit: int,
    ) -> Page[ItemRow]:
        """Return a slice of a run's items; raises NotFoundError where there is no such run."""
        await self.run(run_id)
        work = partial(
            items.page, run_id=run_id, state=state, search=search, offset=offset, limit=limit
        )
        rows, total = await self._store.read(work)
        shown = [self._item(row) for row in rows]
        return Page[ItemRow](rows=shown, total=total, offset=offset, revision=revision)

    async def cards(
        self, revision: int, *, resolved: bool, offset: int, limit: int
    ) -> Page[CardRow]:
        """Return a slice of the open or the resolved attention cards, newest first."""
        work = partial(cards.page, resolved=resolved, offset=offset, limit=limit)
        rows, total = await self._store.read(work)
        shown = [self._card(row) for row in rows]
        return Page[CardRow](rows=shown, total=total, offset=offset, revision=revision)

    async def card(self, card_id: str) -> CardRow:
        """Return one attention card; raises NotFoundError."""
        for row in await self._store.read(partial(cards.rows, ids=[card_id])):
            return self._card(row)
        raise NotFoundError("There is no such card.", subject=card_id)

    async def account_ledger(
        self, account_id: str, *, state: ActionState | None, offset: int, limit: int
    ) -> AccountLedger:
        """Return a slice of every step of an account's external effects, newest first."""
        return await self._store.read(
            partial(
                ledger.of_account, account_id=account_id, state=state, offset=offset, limit=limit
            )
        )

    async def ledger(self, item_id: str) -> ItemLedger:
        """Return every step of an item's external effect."""
        return await self._store.read(partial(ledger.of_item, item_id=item_id))

    async def is_work_due(self) -> bool:
        """Say whether anything runs, or waits to be run by itself."""
        return await self._store.read(due.is_anything_due)

    async def collect(self, dirty: Dirty, watched: frozenset[str]) -> Delta:
        """Read the rows of what changed; items only of runs that somebody watches."""
        return await self._store.read(partial(self._delta, dirty=dirty, watched=watched))

    def _delta(self, connection: Connection, dirty: Dirty, watched: frozenset[str]) -> Delta:
        item_ids = [
            item_id for item_id, run_id in dirty.items.items() if not run_id or run_id in watched
        ]
        shown = items.rows(connection, item_ids) if watched and item_ids else []
        return Delta(
            revision=0,
            overview=self._overview(connection) if dirty.overview else None,
            accounts=accounts.rows(connection, dirty.accounts) if dirty.accounts else [],
            proxies=proxies.rows(connection, dirty.proxies) if dirty.proxies else [],
            agents=self._fleet.rows(connection, dirty.agents) if dirty.agents else [],
            media=list(media.rows(connection, dirty.media).values()) if dirty.media else [],
            runs=runs.rows(connection, dirty.runs) if dirty.runs else [],
            cards=[self._card(row) for row in cards.rows(connection, dirty.cards)],
            items=[self._item(row) for row in shown if row.run_id in watched],
            log_sizes={run: size for run, size in dirty.log_sizes.items() if run in watched},
            removed={name: sorted(ids) for name, ids in dirty.removed.items()},
        )

    def _item(self, row: ItemRow) -> ItemRow:
        shown = self._progress.shown(row)
        return shown.model_copy(update={"agent_online": self._fleet.is_online(row.agent_id)})

    def _card(self, row: CardRow) -> CardRow:
        return row.model_copy(update={"agent_online": self._fleet.is_online(row.agent_id)})

    def _overview(self, connection: Connection) -> Overview:
        counted = accounts.counts(connection)
        open_items = runs.open_item_counts(connection)
        open_runs: dict[RunState, int] = {}
        for run in runs.rows(connection, runs.open_ids(connection)):
            open_runs[run.state] = open_runs.get(run.state, 0) + 1
        known = self._fleet.rows(connection)
        return Overview(
            store_name=self._store.folder.root.name,
            practice=counted.total > 0 and counted.practice == counted.total,
            accounts=counted.total,
            signed_in=counted.by_sign_in.get(SignInState.SIGNED_IN, 0),
            held=counted.held,
            agents=len(known),
            agents_online=self._fleet.online(),
            media=media.count(connection),
            needs_operator=open_items.get(ItemState.NEEDS_OPERATOR, 0),
            cards=cards.count_open(connection),
            items=open_items,
            runs=open_runs,
            sign_in=counted.by_sign_in,
        )
