"""Reads what clients see: the overview, lists, and the rows of a delta."""

from functools import partial

from sqlalchemy import Connection

from common.domain.states import ItemState, RunState, SignInState
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.base import Page
from desktop_app.contract.changes import Delta, Overview
from desktop_app.contract.runs import ItemLedger, ItemRow, RunRow
from desktop_app.core.changes import Dirty
from desktop_app.core.fleet import Fleet
from desktop_app.core.progress import LiveProgress
from desktop_app.store import accounts, items, ledger, media, proxies, runs
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
        shown = [self._progress.shown(row) for row in rows]
        return Page[ItemRow](rows=shown, total=total, offset=offset, revision=revision)

    async def ledger(self, item_id: str) -> ItemLedger:
        """Return every step of an item's external effect."""
        return await self._store.read(partial(ledger.of_item, item_id=item_id))

    async def is_work_due(self) -> bool:
        """Say whether anything runs, or waits to be run by itself."""
        counts = await self._store.read(runs.open_item_counts)
        waiting = {ItemState.PAUSED, ItemState.NEEDS_OPERATOR, ItemState.MISSED}
        return any(count for state, count in counts.items() if state not in waiting)

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
            items=[self._progress.shown(row) for row in shown if row.run_id in watched],
            log_sizes={run: size for run, size in dirty.log_sizes.items() if run in watched},
            removed={name: sorted(ids) for name, ids in dirty.removed.items()},
        )

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
            items=open_items,
            runs=open_runs,
            sign_in=counted.by_sign_in,
        )
