"""An agent in the test's own loop, as a core sees one: publishes whatever it is given, and tells.

It is honest: it keeps an event until that is acknowledged, and forgets it then. What a case wants
of it beyond that (telling again what was told) the protocol allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from agent.server.certificate import AgentIdentity, load_identity
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.items import ItemSpec
from common.protocol.events import ActionChanged, ItemChanged, OutboxRow
from common.protocol.messages import (
    SUBPROTOCOL,
    Accepted,
    AcceptItem,
    Acknowledge,
    AgentCard,
    AskBlobs,
    AskInventory,
    Cursor,
    Done,
    Events,
    Hello,
    Inventory,
    LogChunk,
    Message,
    MissingBlobs,
    ReadLog,
    Request,
    decode,
    encode,
)
from tests.campaign.evidence import Post

T = TypeVar("T")
LINES = 3
"""In the log of each item."""
_SECONDS = 30.0


@dataclass
class PretendedAgent:
    """What it holds, and what it was told."""

    identity: AgentIdentity
    acknowledged_to: Callable[[Cursor], None]
    """Hears of each acknowledgement before it is obeyed."""
    epoch: str = field(default_factory=new_id)
    port: int = 0
    posts: list[Post] = field(default_factory=list)
    """What it has published."""
    logs: dict[str, list[str]] = field(default_factory=dict)
    """Text of each item's log lines."""
    read_logs: set[str] = field(default_factory=set)
    """Items whose log was asked for to its end."""
    acknowledgements: int = 0
    sessions_ended: int = 0
    _told: list[OutboxRow] = field(default_factory=list)
    """Everything that was ever told; what is acknowledged is not told again by itself."""
    _forgotten: int = 0
    _socket: ServerConnection | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(
        cls, folder: Path, acknowledged_to: Callable[[Cursor], None]
    ) -> AsyncIterator[PretendedAgent]:
        """Let a core dial it, for the length of the block."""
        folder.mkdir()
        agent = cls(load_identity(folder), acknowledged_to)
        async with serve(
            agent._serve,
            "127.0.0.1",
            0,
            ssl=agent.identity.server_context(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
            close_timeout=2,
        ) as server:
            agent.port = next(iter(server.sockets)).getsockname()[1]
            yield agent

    @property
    def last_seq(self) -> int:
        """Number of the newest event."""
        return len(self._told)

    @property
    def is_forgotten(self) -> bool:
        """True once every event is acknowledged."""
        return self._forgotten == self.last_seq

    async def until(self, fact: Callable[[], T], what: str) -> T:
        """Wait until something is true of it."""
        try:
            async with asyncio.timeout(_SECONDS):
                while not (answer := fact()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {_SECONDS:g} s: {what}") from None
        return answer

    async def tell_again(self) -> None:
        """Tell everything once more, and wait until the core has taken it."""
        await self._tell_and_wait(self._told)

    async def tell_nothing_new(self) -> None:
        """Tell something that no release knows, and wait until the core has taken it.

        Whatever was said before it is dealt with then.
        """
        self._add({"kind": "nothing_new"})
        await self._tell_and_wait(self._told[-1:])

    async def _tell_and_wait(self, rows: list[OutboxRow]) -> None:
        before = self.acknowledgements
        await self._send(Events(epoch=self.epoch, rows=rows))
        await self.until(lambda: self.acknowledgements > before, "acknowledged")

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        with contextlib.suppress(ConnectionClosed):
            await self._send(Hello(app="0.1.0", clock=time.time(), agent=self._card()))
            async for data in socket:
                message = decode(data)
                if isinstance(message, Message):
                    await self._take(message)
                    self._changed.set()
        self.sessions_ended += 1
        self._changed.set()

    async def _take(self, message: Message) -> None:
        match message:
            case Hello(cursor=cursor):
                known = cursor.seq if cursor and cursor.epoch == self.epoch else 0
                await self._tell_from(max(known, self._forgotten))
            case Acknowledge():
                self.acknowledged_to(Cursor(epoch=message.epoch, seq=message.seq))
                self._forgotten = max(self._forgotten, min(message.seq, self.last_seq))
                self.acknowledgements += 1
            case AcceptItem(item=item):
                await self._send(
                    Accepted(id=message.id, item_id=item.item_id, attempt=item.attempt)
                )
                if item.item_id not in self.logs:
                    before = self.last_seq
                    self._publish(item)
                    await self._tell_from(before)
            case AskInventory():
                await self._send(Inventory(id=message.id, rows=[], last_seq=self.last_seq))
            case AskBlobs():
                await self._send(MissingBlobs(id=message.id, sha256s=[]))
            case ReadLog():
                await self._read_log(message)
            case _ if isinstance(message, Request):
                await self._send(Done(id=message.id))

    async def _read_log(self, request: ReadLog) -> None:
        log = _as_bytes(self.logs[request.item_id])
        text = log[request.offset :].decode()
        await self._send(LogChunk(id=request.id, offset=request.offset, text=text, end=len(log)))
        self.read_logs.add(request.item_id)

    async def _tell_from(self, seq: int) -> None:
        if rows := self._told[seq:]:
            await self._send(Events(epoch=self.epoch, rows=rows))

    async def _send(self, message: Message) -> None:
        assert self._socket is not None
        await self._socket.send(encode(message))

    def _publish(self, item: ItemSpec) -> None:
        assert item.publish is not None
        now, caption = time.time(), item.publish.caption
        number = len(self.posts) + 1
        post = Post(number, item.account.username, caption, f"{number}_1", now, now)
        self.posts.append(post)
        self.logs[item.item_id] = [f"[{line}] A line" for line in range(1, LINES + 1)]
        for state in (ItemState.ASSIGNED, ItemState.RUNNING):
            self._item(item, state)
        for step in (ActionState.PREPARED, ActionState.SENDING, ActionState.CONFIRMED):
            self._action(item, step, post.post_id)
        self._item(item, ItemState.DONE)

    def _item(self, item: ItemSpec, state: ItemState) -> None:
        log_end = len(_as_bytes(self.logs[item.item_id])) if state is ItemState.DONE else 0
        event = ItemChanged(
            item_id=item.item_id, attempt=item.attempt, state=state, log_end=log_end
        )
        self._add(event.model_dump(mode="json"))

    def _action(self, item: ItemSpec, state: ActionState, post_id: str) -> None:
        assert item.publish is not None
        event = ActionChanged(
            action_id=item.publish.intent_id,
            item_id=item.item_id,
            attempt=item.attempt,
            account_id=item.account.account_id,
            operation="publish",
            state=state,
            driver=item.account.driver,
            remote_id=post_id if state is ActionState.CONFIRMED else "",
        )
        self._add(event.model_dump(mode="json"))

    def _add(self, body: dict[str, Any]) -> None:
        self._told.append(OutboxRow(seq=self.last_seq + 1, at=time.time(), body=body))

    def _card(self) -> AgentCard:
        return AgentCard(
            agent_id=self.identity.agent_id,
            name="worker",
            boot_id=self.epoch,
            epoch=self.epoch,
            lowest_seq=self._forgotten + 1,
            drivers=["private_api"],
            tasks=["bulk_login", "bulk_upload"],
            browser_slots=0,
            capacity=1.0,
        )


def _as_bytes(lines: list[str]) -> bytes:
    entries = [{"at": 1.0, "level": "info", "text": text} for text in lines]
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
