"""Routes of tasks, runs, items, their logs and their ledger."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from starlette.responses import Response

from common.domain.states import ActionState, ItemState
from common.errors import InputError
from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.base import Changed, Page
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
from desktop_app.core.app import CoreContext

Offset = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=10_000)]
State = TypeVar("State", ItemState, ActionState)
LogBytes = Annotated[int, Query(ge=1, le=1024 * 1024)]


def runs_router(core: CoreContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["runs"])

    @router.get(routes.RUNS, response_model=Page[RunRow])
    async def runs(search: str = "", offset: Offset = 0, limit: Limit = 200) -> Response:
        """Return a slice of the runs, newest first."""
        revision = core.hub.revision
        found = core.views.runs(revision, search=search, offset=offset, limit=limit)
        return answer(await found)

    @router.post(routes.RUNS, response_model=RunStarted)
    async def run_task(command: RunTask) -> Response:
        """Judge a batch and, unless it is a dry run or has an error, start it."""
        return answer(await core.runs.run_task(command))

    @router.get(routes.RUN, response_model=RunRow)
    async def run(run_id: str) -> Response:
        """Return one run."""
        return answer(await core.views.run(run_id))

    @router.get(routes.RUN_ITEMS, response_model=Page[ItemRow])
    async def run_items(
        run_id: str, state: str = "", search: str = "", offset: Offset = 0, limit: Limit = 5000
    ) -> Response:
        """Return a slice of a run's items by position, of one state where one is given."""
        found = core.views.run_items(
            core.hub.revision,
            run_id,
            state=_one_of(ItemState, state),
            search=search,
            offset=offset,
            limit=limit,
        )
        return answer(await found)

    @router.post(routes.RUN_CONTROL, response_model=Changed)
    async def control(run_id: str, command: ControlRun) -> Response:
        """Pause, resume, cancel or retry a run, or some of its items."""
        return answer(await core.runs.control(run_id, command))

    @router.get(routes.RUN_LOG, response_model=LogPage)
    async def log(run_id: str, offset: Offset = 0, limit: LogBytes = 262_144) -> Response:
        """Return whole lines of a run's log from a byte offset; `limit` in bytes."""
        await core.views.run(run_id)  # no path is made from an id that is not a run's
        return answer(await core.logs.read(run_id, offset, limit))

    @router.get(routes.ITEM_LEDGER, response_model=ItemLedger)
    async def ledger(item_id: str) -> Response:
        """Return every step of an item's external effect."""
        return answer(await core.views.ledger(item_id))

    @router.get(routes.ACCOUNT_LEDGER, response_model=AccountLedger)
    async def account_ledger(
        account_id: str, state: str = "", offset: Offset = 0, limit: Limit = 100
    ) -> Response:
        """Return every step of an account's external effects, newest first."""
        wanted = _one_of(ActionState, state)
        found = core.views.account_ledger(account_id, state=wanted, offset=offset, limit=limit)
        return answer(await found)

    @router.post(routes.WORK_CONTROL, response_model=Changed)
    async def control_work(command: ControlWork) -> Response:
        """Pause, resume or cancel the unfinished items of accounts or agents."""
        return answer(await core.runs.control_work(command))

    return router


def _one_of(states: type[State], text: str) -> State | None:
    try:
        return states(text) if text else None
    except ValueError:
        raise InputError(f"There is no state {text!r}.", field="state") from None
