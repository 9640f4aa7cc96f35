"""The agent's end of a link for tests of what the core does over it: it answers, and remembers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from common.errors import AgentUnreachableError, FlotillaError, NotFoundError, WireError
from common.protocol.messages import (
    Accepted,
    AcceptItem,
    AgentCard,
    AskBlobs,
    AskInventory,
    ControlItems,
    Controlled,
    Cursor,
    Done,
    Inventory,
    InventoryRow,
    MissingBlobs,
    Request,
    Response,
    SettleAction,
)
from desktop_app.core.agent_work import AgentWork, Greeting
from desktop_app.core.gate import DispatchGate
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import agents, generations
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched


class AgentEnd:
    """Holds items, and does what it is asked unless `refuses` says otherwise."""

    def __init__(
        self,
        agent_id: str,
        holds: Sequence[InventoryRow] = (),
        *,
        epoch: str = "",
        lowest_seq: int = 1,
        seen_mark: int = 0,
        refuses: Mapping[type[Request], FlotillaError] | None = None,
    ) -> None:
        self.agent_id = agent_id
        self.link = SimpleNamespace(address=None)
        self.asked: list[Request] = []
        self.holds = {row.item_id: row for row in holds}
        self.refuses = dict(refuses or {})
        self.card = AgentCard(
            agent_id=agent_id,
            name="worker",
            boot_id="b",
            epoch=epoch,
            lowest_seq=lowest_seq,
            drivers=["private_api"],
            tasks=["bulk_upload"],
            browser_slots=0,
            capacity=1.0,
            seen_mark=seen_mark,
        )

    def heard(self, kind: type[Request]) -> list[Request]:
        """What it was asked of one kind."""
        return [request for request in self.asked if isinstance(request, kind)]

    async def request(self, request: Request, _seconds: float = 0.0) -> Response:
        """Answer as an agent does."""
        self.asked.append(request)
        if (refusal := self.refuses.get(type(request))) is not None:
            raise refusal
        match request:
            case AskInventory():
                return Inventory(id=request.id, rows=list(self.holds.values()))
            case AskBlobs():
                return MissingBlobs(id=request.id, sha256s=[])
            case AcceptItem():
                return Accepted(
                    id=request.id, item_id=request.item.item_id, attempt=request.item.attempt
                )
            case ControlItems():
                return self._control(request)
            case SettleAction() if request.item_id not in self.holds:
                raise NotFoundError("The agent has no such item.")
            case _:
                return Done(id=request.id)

    def _control(self, request: ControlItems) -> Controlled:
        unknown: dict[str, WireError] = {
            item_id: NotFoundError("The agent has no such item.").to_wire()
            for item_id in request.item_ids
            if item_id not in self.holds
        }
        done = [item_id for item_id in request.item_ids if item_id in self.holds]
        return Controlled(id=request.id, done=done, refused=unknown)


class CoreEnd:
    """The core's side of that link, without a socket."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.deciding = asyncio.Lock()
        self.works: list[AgentWork] = []
        self.gate = DispatchGate(store, self._opened)
        self.greeting = Greeting(Cursor(epoch="", seq=0), 0, 0)

    @contextlib.asynccontextmanager
    async def linked(self, agent: AgentEnd, *, breaks: bool = False) -> AsyncIterator[AgentWork]:
        """A link to an agent that the core works over; one that `breaks` ends by itself."""
        work = AgentWork(
            cast("LiveLink", agent), self.store, self.gate, self.deciding, ignore, _stay
        )
        known = await self.store.read(partial(agents.record, agent_id=agent.agent_id))
        if not agent.card.epoch:
            agent.card = agent.card.model_copy(update={"epoch": known.cursor.epoch})
        await work.begin(await self._greet(known.cursor))
        self.works.append(work)
        running = asyncio.create_task(work.run(), name="work")
        try:
            yield work
        finally:
            self.works.remove(work)
            if breaks:
                with pytest.raises(AgentUnreachableError):
                    await asyncio.wait_for(running, 20)
            running.cancel()
            await asyncio.wait({running})
            if not breaks and not running.cancelled() and (problem := running.exception()):
                raise problem

    async def _greet(self, cursor: Cursor) -> Greeting:
        """What our hello says; a test may look at the mark in it."""
        self.greeting = Greeting(
            cursor=Cursor(epoch=cursor.epoch, seq=cursor.seq),
            mark=await self.store.write(generations.raise_mark),
            generation=await self.store.read(generations.current),
        )
        return self.greeting

    def _opened(self) -> None:
        for work in self.works:
            work.wake()


async def _stay() -> None:
    return


def ignore(_touched: Touched) -> None:
    return
