"""A plain desktop for tests of the agent's door: pins, pairs, and speaks the control protocol."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from common.domain.ids import new_id
from common.errors import FlotillaError, LinkError, from_wire
from common.items import ItemSpec
from common.protocol.events import AgentEvent, ItemChanged, UnknownEvent, parse_event
from common.protocol.frames import BULK_CHUNK, Frame, FrameKind
from common.protocol.messages import (
    BULK_PATH,
    CONTROL_PATH,
    SUBPROTOCOL,
    AcceptItem,
    Acknowledge,
    ControlItems,
    Controlled,
    Cursor,
    Events,
    Hello,
    Message,
    Progress,
    Refused,
)
from common.protocol.outbox import take_batch
from common.protocol.session import (
    FrameReceived,
    MessageReceived,
    Session,
    SessionEnded,
    SessionOpened,
)
from common.security.pairing import PAIR_PATH, PairResponse, agent_id_of, parse_pairing_line

T = TypeVar("T")
DEADLINE = 20.0


@dataclass(frozen=True)
class Paired:
    """What a desktop keeps of an agent."""

    host: str
    port: int
    certificate: str
    """PEM."""
    store_id: str
    token: str
    scope: str

    def context(self) -> ssl.SSLContext:
        """TLS that trusts this agent's certificate and nothing else."""
        return pinned_context(self.certificate)

    def at(self, port: int) -> Self:
        """The same agent behind another port: it was started again, or a relay stands before it."""
        return replace(self, port=port)

    def headers(self) -> dict[str, str]:
        """What shows the token."""
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.AsyncClient:
        """An HTTP client with the token."""
        return httpx.AsyncClient(
            base_url=f"https://{self.host}:{self.port}",
            verify=self.context(),
            headers=self.headers(),
            timeout=DEADLINE,
            trust_env=False,
        )


def pinned_context(certificate: str) -> ssl.SSLContext:
    """TLS 1.3 that trusts one certificate only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.load_verify_locations(cadata=certificate)
    return context


async def read_certificate(host: str, port: int) -> str:
    """The agent's certificate as PEM; nothing is sent."""
    return await asyncio.to_thread(ssl.get_server_certificate, (host, port), timeout=DEADLINE)


async def post_code(line: str, store_id: str, code: str | None = None) -> httpx.Response:
    """Trade the line's code, or another one, for a token."""
    parsed = parse_pairing_line(line)
    certificate = await read_certificate("127.0.0.1", parsed.port)
    assert agent_id_of(ssl.PEM_cert_to_DER_cert(certificate)) == parsed.agent_id
    async with httpx.AsyncClient(
        verify=pinned_context(certificate), timeout=DEADLINE, trust_env=False
    ) as client:
        body = {"code": code or parsed.code, "store_id": store_id, "desktop_name": "test desktop"}
        return await client.post(f"https://127.0.0.1:{parsed.port}{PAIR_PATH}", json=body)


async def pair(line: str, store_id: str | None = None) -> Paired:
    """Pair as a desktop does."""
    store = store_id or new_id()
    response = await post_code(line, store)
    assert response.status_code == 200, response.text
    answer = PairResponse.model_validate_json(response.content)
    port = parse_pairing_line(line).port
    certificate = await read_certificate("127.0.0.1", port)
    return Paired(
        "127.0.0.1", port, certificate, store, answer.token.get_secret_value(), answer.scope
    )


@dataclass
class DesktopLink:
    """An open control link. It applies events in order, and acknowledges unless told not to."""

    socket: ClientConnection
    session: Session
    cursor: Cursor | None
    acknowledges: bool = True
    events: list[AgentEvent | UnknownEvent] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    answers: dict[str, list[Message]] = field(default_factory=dict)
    ended: FlotillaError | None = None
    peer: Hello | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        paired: Paired,
        cursor: Cursor | None = None,
        *,
        acknowledges: bool = True,
        hello: dict[str, Any] | None = None,
    ) -> AsyncIterator[Self]:
        """Dial, say hello, and wait for the agent's."""
        async with connect(
            f"wss://{paired.host}:{paired.port}{CONTROL_PATH}",
            ssl=paired.context(),
            additional_headers=paired.headers(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
            proxy=None,
            max_size=1024 * 1024,
        ) as socket:
            said = {"app": "test", "clock": time.time(), "store_id": paired.store_id}
            mine = Hello(**{**said, "desktop_name": "test", "cursor": cursor, **(hello or {})})
            link = cls(socket, Session(mine, time.monotonic()), cursor, acknowledges)
            reader = asyncio.create_task(link._read(), name="test desktop reader")
            try:
                await link.flush()
                await link.until(lambda: link.peer or link.ended, "the agent's hello")
                yield link
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def flush(self) -> None:
        """Write what is queued."""
        for data in self.session.outgoing():
            await self.socket.send(data)

    async def send(self, message: Message) -> None:
        """Send one message."""
        self.session.send(message)
        await self.flush()

    async def ask(self, request: Any) -> Message:
        """Send a request and wait for its answer; raises what a refusal says."""
        await self.send(request)
        answers = await self.until(
            lambda: self.answers.get(request.id, []), f"answer to {request.t}"
        )
        answer = answers[0]
        if isinstance(answer, Refused):
            raise from_wire(answer.error)
        return answer

    async def accept(self, item: ItemSpec) -> Message:
        """Hand an item over."""
        return await self.ask(AcceptItem(id=new_id(), item=item))

    async def control(self, verb: Any, *item_ids: str) -> Controlled:
        """Pause, resume or cancel."""
        request = ControlItems(id=new_id(), verb=verb, item_ids=list(item_ids))
        answer = await self.ask(request)
        assert isinstance(answer, Controlled)
        if answer.complete:
            return answer
        pieces = self.answers[request.id]
        await self.until(lambda: getattr(pieces[-1], "complete", True), "the whole answer")
        parts = [piece for piece in pieces if isinstance(piece, Controlled)]
        refused = {item_id: error for part in parts for item_id, error in part.refused.items()}
        return Controlled(id=request.id, done=parts[0].done, refused=refused)

    async def until(self, fact: Callable[[], T], what: str) -> T:
        """Wait for something to be true of what was received."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not (answer := fact()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"not within {DEADLINE:g} s: {what}; ended: {self.ended}; "
                f"last heard: {[(e.kind, getattr(e, 'state', '')) for e in self.events[-12:]]}"
            ) from None
        return answer

    def states(self, item_id: str) -> list[str]:
        """The states an item has gone through, as far as this link heard."""
        return [
            str(event.state)
            for event in self.events
            if isinstance(event, ItemChanged) and event.item_id == item_id
        ]

    def of(self, kind: str) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if event.kind == kind]

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                for event in self.session.receive(data, time.monotonic()):
                    await self._take(event)
                self._changed.set()
        except ConnectionClosed:
            pass
        self.ended = self.ended or LinkError("closed")
        self._changed.set()

    async def _take(self, event: Any) -> None:
        match event:
            case SessionOpened():
                self.peer = event.peer
                agent = event.peer.agent
                assert agent is not None
                if self.cursor is None or self.cursor.epoch != agent.epoch:
                    self.cursor = Cursor(epoch=agent.epoch, seq=agent.lowest_seq - 1)
            case SessionEnded():
                self.ended = event.error
            case FrameReceived():
                self.frames.append(event.frame)
            case MessageReceived(message=Events() as events):
                await self._apply(events)
            case MessageReceived(message=Progress() as progress):
                self.progress.append(progress)
            case MessageReceived(message=message) if hasattr(message, "id"):
                self.answers.setdefault(message.id, []).append(message)

    async def _apply(self, events: Events) -> None:
        assert self.cursor is not None
        batch = take_batch(self.cursor, events.epoch, events.rows)
        self.events += [parse_event(row.body) for row in batch.rows]
        self.seqs += [row.seq for row in batch.rows]
        self.cursor = batch.cursor
        if self.acknowledges:
            await self.send(Acknowledge(epoch=self.cursor.epoch, seq=self.cursor.seq))


@contextlib.asynccontextmanager
async def open_bulk(paired: Paired) -> AsyncIterator[ClientConnection]:
    """A bulk link."""
    async with connect(
        f"wss://{paired.host}:{paired.port}{BULK_PATH}",
        ssl=paired.context(),
        additional_headers=paired.headers(),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        ping_interval=None,
        proxy=None,
    ) as socket:
        yield socket


def blob_frames(channel: int, data: bytes, start: int = 0) -> list[bytes]:
    """A blob from `start` as frames."""
    return [
        Frame(FrameKind.BLOB, channel, at, data[at : at + BULK_CHUNK]).encode()
        for at in range(start, len(data), BULK_CHUNK)
    ]
