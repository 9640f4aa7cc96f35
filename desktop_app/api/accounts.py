"""Routes of accounts."""

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Response

from common.domain.states import SignInState
from common.errors import InputError
from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportResult,
)
from desktop_app.contract.base import Changed, Page
from desktop_app.core.accounts import AccountService
from desktop_app.store.accounts import AccountQuery, Sort

LIMIT_MAXIMUM = 10_000


def accounts_router(service: AccountService) -> APIRouter:
    """Return the routes of accounts over their service."""
    router = APIRouter(tags=["accounts"])

    @router.get(routes.ACCOUNTS, response_model=Page[AccountRow])
    async def list_accounts(
        search: str = "",
        tag: str = "",
        sort: str = "",
        sign_in: SignInState | None = None,
        held: bool | None = None,
        agent_id: str = "",
        proxy_id: str = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0, le=LIMIT_MAXIMUM)] = LIMIT_MAXIMUM,
    ) -> Response:
        query = AccountQuery(
            search=search,
            tag=tag,
            sign_in=sign_in,
            held=held,
            agent_id=agent_id,
            proxy_id=proxy_id,
            sort=_sort(sort),
            descending=sort.startswith("-"),
            offset=offset,
            limit=limit,
        )
        return answer(await service.page(query))

    @router.post(routes.ACCOUNTS_IMPORT)
    async def import_accounts(command: ImportAccounts) -> ImportResult:
        return await service.import_text(command)

    @router.post(routes.ACCOUNTS_EDIT)
    async def edit_accounts(command: EditAccounts) -> Changed:
        return await service.edit(command)

    @router.post(routes.ACCOUNTS_HOLD)
    async def hold_accounts(command: HoldAccounts) -> Changed:
        return await service.hold(command)

    @router.post(routes.ACCOUNTS_DELETE)
    async def delete_accounts(command: DeleteAccounts) -> Changed:
        return await service.delete(command)

    return router


def _sort(text: str) -> Sort:
    name = text.removeprefix("-") or "username"
    for known in get_args(Sort):
        if name == known:
            found: Sort = known
            return found
    raise InputError(
        "Accounts cannot be sorted by that.",
        field="sort",
        advice=f"Sort by {', '.join(get_args(Sort))}; with - in front to descend.",
    )
