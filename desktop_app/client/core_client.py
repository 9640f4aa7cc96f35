"""The core's local API as methods, one per route, typed by the contract's values.

Errors of the core come back as the same classes of `common.errors` that it raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from common.domain.states import ActionState, ItemState
from common.errors import CoreUnreachableError, FlotillaError, WireError, from_wire
from desktop_app.client.streams import ChangeStream, Locate, ScreenStream
from desktop_app.contract import routes
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportResult,
    MoveAccounts,
    MoveResult,
    ProxyRow,
)
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Command, Page
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.contract.changes import Overview, Watch, WatchScreens
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.contract.routes import Endpoint, TaskTypeRow
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

Answer = TypeVar("Answer")

_SECONDS = 30.0
_LONG_SECONDS = 300.0
"""For commands that read files or plan thousands of items."""

_TASK_TYPES: TypeAdapter[list[TaskTypeRow]] = TypeAdapter(list[TaskTypeRow])


class CoreClient:
    """One client of a core. `async with CoreClient.connect(endpoint) as client: …`."""

    def __init__(self, endpoint: Endpoint, locate: Locate | None = None) -> None:
        """`locate` finds the core again when it was restarted; without it the endpoint stays."""
        self._endpoint = endpoint
        self._locate_again = locate
        self._http = _http_client(endpoint)

    @classmethod
    def connect(cls, endpoint: Endpoint, locate: Locate | None = None) -> Self:
        """Return a client of the core at `endpoint`; nothing is sent yet."""
        return cls(endpoint, locate)

    @property
    def endpoint(self) -> Endpoint:
        """Where the core was found last."""
        return self._endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Streams are closed by whoever opened them."""
        await self._http.aclose()

    async def overview(self) -> Overview:
        """Return the fleet in numbers."""
        return await self._get(routes.OVERVIEW, Overview)

    async def accounts(
        self,
        search: str = "",
        tag: str = "",
        sort: str = "",
        offset: int = 0,
        limit: int = 5000,
    ) -> Page[AccountRow]:
        """Return a slice of the accounts. `sort` is a column, with `-` in front to descend."""
        query = {"search": search, "tag": tag, "sort": sort, "offset": offset, "limit": limit}
        return await self._get(routes.ACCOUNTS, Page[AccountRow], query)

    async def import_accounts(self, command: ImportAccounts) -> ImportResult:
        """Import accounts from text, all or none of them."""
        return await self._post(routes.ACCOUNTS_IMPORT, command, ImportResult, _LONG_SECONDS)

    async def edit_accounts(self, command: EditAccounts) -> Changed:
        """Change accounts."""
        return await self._post(routes.ACCOUNTS_EDIT, command, Changed)

    async def hold_accounts(self, command: HoldAccounts) -> Changed:
        """Hold accounts, or let them go again."""
        return await self._post(routes.ACCOUNTS_HOLD, command, Changed)

    async def delete_accounts(self, command: DeleteAccounts) -> Changed:
        """Remove accounts."""
        return await self._post(routes.ACCOUNTS_DELETE, command, Changed)

    async def move_accounts(self, command: MoveAccounts) -> MoveResult:
        """Give accounts to another agent, at once or when the old one has ended what it holds."""
        return await self._post(routes.ACCOUNTS_MOVE, command, MoveResult)

    async def account_ledger(
        self, account_id: str, state: ActionState | None = None, offset: int = 0, limit: int = 100
    ) -> AccountLedger:
        """Return a slice of an account's ledger, newest first, of one state where one is given."""
        query = {"state": state.value if state else "", "offset": offset, "limit": limit}
        path = routes.ACCOUNT_LEDGER.format(account_id=account_id)
        return await self._get(path, AccountLedger, query)

    async def proxies(self) -> Page[ProxyRow]:
        """Return all proxies."""
        return await self._get(routes.PROXIES, Page[ProxyRow])

    async def agents(self) -> Page[AgentRow]:
        """Return all agents."""
        return await self._get(routes.AGENTS, Page[AgentRow])

    async def pair_agent(self, command: PairAgent) -> AgentRow:
        """Pair an agent by its line; raises a LinkError that says what is wrong."""
        return await self._post(routes.AGENTS_PAIR, command, AgentRow, _LONG_SECONDS)

    async def forget_agent(self, command: ForgetAgent) -> Changed:
        """Forget an agent."""
        return await self._post(routes.AGENTS_FORGET, command, Changed)

    async def drain_agent(self, command: DrainAgent) -> Changed:
        """Give an agent nothing new, or let it have work again."""
        return await self._post(routes.AGENTS_DRAIN, command, Changed)

    async def control_work(self, command: ControlWork) -> Changed:
        """Pause, resume or cancel every unfinished item of accounts or agents; ids are items'."""
        return await self._post(routes.WORK_CONTROL, command, Changed)

    async def cards(
        self, resolved: bool = False, offset: int = 0, limit: int = 200
    ) -> Page[CardRow]:
        """Return a slice of the attention cards: the open ones, or the resolved; newest first."""
        query = {"resolved": resolved, "offset": offset, "limit": limit}
        return await self._get(routes.CARDS, Page[CardRow], query)

    async def act_on_card(self, card_id: str, command: ActOnCard) -> CardRow:
        """Answer an attention card; returns it as it is then."""
        return await self._post(routes.CARD_ACT.format(card_id=card_id), command, CardRow)

    async def media(self, search: str = "", offset: int = 0, limit: int = 5000) -> Page[MediaRow]:
        """Return a slice of the media library, newest first."""
        query = {"search": search, "offset": offset, "limit": limit}
        return await self._get(routes.MEDIA, Page[MediaRow], query)

    async def import_media(self, command: ImportMedia) -> MediaImported:
        """Add files to the library."""
        return await self._post(routes.MEDIA_IMPORT, command, MediaImported, _LONG_SECONDS)

    async def delete_media(self, command: DeleteMedia) -> Changed:
        """Remove files from the library."""
        return await self._post(routes.MEDIA_DELETE, command, Changed)

    async def thumbnail(self, sha256: str) -> bytes:
        """Return a small JPEG of a file of the library."""
        path = routes.MEDIA_THUMBNAIL.format(sha256=sha256)
        return (await self._send("GET", path)).content

    async def task_types(self) -> list[TaskTypeRow]:
        """Return the task types, with the JSON schemas of their parameters."""
        return _TASK_TYPES.validate_json((await self._send("GET", routes.TASK_TYPES)).content)

    async def runs(self, offset: int = 0, limit: int = 200) -> Page[RunRow]:
        """Return a slice of the runs, newest first."""
        return await self._get(routes.RUNS, Page[RunRow], {"offset": offset, "limit": limit})

    async def run_task(self, command: RunTask) -> RunStarted:
        """Judge a batch and, unless it is a dry run or has an error, start it."""
        return await self._post(routes.RUNS, command, RunStarted, _LONG_SECONDS)

    async def run(self, run_id: str) -> RunRow:
        """Return one run."""
        return await self._get(routes.RUN.format(run_id=run_id), RunRow)

    async def run_items(
        self, run_id: str, state: ItemState | None = None, offset: int = 0, limit: int = 5000
    ) -> Page[ItemRow]:
        """Return a slice of a run's items by position, of one state where one is given."""
        query = {"state": state.value if state else "", "offset": offset, "limit": limit}
        return await self._get(routes.RUN_ITEMS.format(run_id=run_id), Page[ItemRow], query)

    async def control_run(self, run_id: str, command: ControlRun) -> Changed:
        """Pause, resume, cancel or retry a run, or some of its items."""
        return await self._post(routes.RUN_CONTROL.format(run_id=run_id), command, Changed)

    async def run_log(self, run_id: str, offset: int = 0, limit: int = 262_144) -> LogPage:
        """Return whole lines of a run's log from a byte offset; `limit` in bytes."""
        query = {"offset": offset, "limit": limit}
        return await self._get(routes.RUN_LOG.format(run_id=run_id), LogPage, query)

    async def item_ledger(self, item_id: str) -> ItemLedger:
        """Return every step of an item's external effect."""
        return await self._get(routes.ITEM_LEDGER.format(item_id=item_id), ItemLedger)

    async def shutdown(self) -> None:
        """Ask the core to end. Agents go on with what they accepted."""
        await self._send("POST", routes.SHUTDOWN)

    def changes(self, watch: Watch | None = None) -> ChangeStream:
        """Return the stream of changes: iterate over it, and close it at the end."""
        return ChangeStream(self._locate, routes.CHANGES, watch or Watch())

    def screens(self, watch: WatchScreens | None = None) -> ScreenStream:
        """Return the stream of screens: iterate over it, and close it at the end."""
        return ScreenStream(self._locate, routes.SCREENS, watch or WatchScreens())

    async def _locate(self) -> Endpoint:
        """Return the endpoint, found anew where we know how; requests follow it."""
        if self._locate_again is not None:
            found = await self._locate_again()
            if found != self._endpoint:
                self._endpoint = found
                old, self._http = self._http, _http_client(found)
                await old.aclose()
        return self._endpoint

    async def _get(
        self, path: str, answer: type[Answer], query: Mapping[str, Any] | None = None
    ) -> Answer:
        response = await self._send("GET", path, query=query)
        return _parse(answer, response)

    async def _post(
        self, path: str, command: Command, answer: type[Answer], seconds: float = _SECONDS
    ) -> Answer:
        response = await self._send("POST", path, command=command, seconds=seconds)
        return _parse(answer, response)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        command: Command | None = None,
        seconds: float = _SECONDS,
    ) -> httpx.Response:
        body = command.model_dump_json().encode() if command else None
        headers = {"Content-Type": "application/json"} if body else None
        try:
            response = await self._http.request(
                method, path, params=query, content=body, headers=headers, timeout=seconds
            )
        except httpx.TimeoutException:
            raise CoreUnreachableError(f"The core did not answer within {seconds:.0f} s.") from None
        except httpx.TransportError:
            raise CoreUnreachableError("The core does not answer.") from None
        if response.is_error:
            raise _error_of(response)
        return response


def _http_client(endpoint: Endpoint) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=endpoint.url,
        headers={"Authorization": f"Bearer {endpoint.token.get_secret_value()}"},
        trust_env=False,
        verify=False,  # noqa: S501 - plain HTTP on loopback; making a TLS context costs 30 ms
        timeout=_SECONDS,
    )


def _parse(answer: type[Answer], response: httpx.Response) -> Answer:
    return TypeAdapter(answer).validate_json(response.content)


def _error_of(response: httpx.Response) -> FlotillaError:
    try:
        return from_wire(WireError.model_validate_json(response.content))
    except ValidationError:
        return FlotillaError(
            f"The core answered {response.status_code} to {response.request.url.path}."
        )
