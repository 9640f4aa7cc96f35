"""Agents that are paired and say hostile things to the desktop that dials them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.protocol import State
from websockets.typing import Subprotocol

from agent.server.certificate import AgentIdentity, load_identity
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.protocol.events import ItemChanged, OutboxRow
from common.protocol.messages import (
    SUBPROTOCOL,
    Accepted,
    AcceptItem,
    Acknowledge,
    AgentCard,
    AskBlobs,
    AskInventory,
    ControlItems,
    Controlled,
    Cursor,
    Done,
    Events,
    Goodbye,
    Hello,
    Inventory,
    InventoryRow,
    LogChunk,
    Message,
    MissingBlobs,
    ReadLog,
    Refused,
    Request,
    decode,
    encode,
)
from tests.integration.hostile_frames.mutations import Carrier, Mutant, Mutator
from tests.integration.hostile_frames.verdicts import TYPED_CLOSES, Tally, Watcher

_WINDOW = 6
"""Mutants whose markers may be on their way: so few that a desktop that has ended a session need
not read them first to hear us hang up."""
_LOOK_EVERY = 1000
_ANSWER_SECONDS = 30.0
_ALONE_SECONDS = 0.5
"""How long a suspect's effect is waited for before its marker follows."""
_MARK = "mark-"
_NO_CODE = 1006
_BEFORE_HELLO = 0.05
"""Share of the sessions that begin with a mutant instead of a hello."""


class Care(Enum):
    """How a mutant is sent."""

    NONE = "with others"
    ONE_BY_ONE = "with a marker behind it, and nothing else"
    ALONE = "with nothing behind it until its effect could be seen"


@dataclass
class Feed:
    """The mutants that are left, shared by all agents, and what became of the others."""

    mutator: Mutator
    watcher: Watcher
    seed: int
    left: deque[int]
    total: int
    suspects: deque[int] = field(default_factory=deque)
    """Those that were on their way when a session ended: one of them did it."""
    culprits: deque[int] = field(default_factory=deque)
    """Those that ended a session whose last words were lost."""
    tally: Tally = field(default_factory=Tally)
    failure: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self) -> tuple[Mutant, Care] | None:
        """The next mutant, and how it is to be sent."""
        for waiting, care in (
            (self.culprits, Care.ALONE),
            (self.suspects, Care.ONE_BY_ONE),
            (self.left, Care.NONE),
        ):
            if waiting:
                return self.mutator.make(waiting.popleft()), care
        return None

    def survived(self) -> None:
        """One more was taken without harm."""
        self.tally.survived += 1
        if self.tally.survived % _LOOK_EVERY == 0 or self.tally.survived == self.total:
            problem = self.watcher.defects()
            if problem:
                self.fail(f"a defect showed near mutant {self.tally.survived}:\n{problem}", None)
        if self.tally.survived == self.total:
            self.done.set()

    def fail(self, what: str, mutant: Mutant | None) -> None:
        """End the bombardment; the first failure is the one that is told."""
        which = f", index {mutant.index} ({mutant.kind}): {mutant.data[:300]!r}" if mutant else ""
        self.failure = self.failure or f"{what}; seed {self.seed}{which}"
        self.done.set()


class HostileAgent:
    """One paired agent. It knows what it may be believed, and what the desktop says it believes."""

    def __init__(self, folder: Path, number: int, feed: Feed | None) -> None:
        """Without a `feed` it is honest throughout."""
        folder.mkdir()
        self.identity: AgentIdentity = load_identity(folder)
        self.name = f"worker-{number}"
        self.feed = feed
        self.port = 0
        self.sessions = 0
        self.epoch = new_id()
        self.next_seq = 1
        self.acknowledged = 0
        self.items: dict[str, AcceptItem] = {}
        self.last_session: _Session | None = None
        self.linked = asyncio.Event()
        self._believable: dict[str, int] = {self.epoch: 0}
        self._moved = asyncio.Event()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Let desktops dial, at the port from now on."""
        async with serve(
            self._serve,
            "127.0.0.1",
            self.port,
            ssl=self.identity.server_context(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
            open_timeout=20,
            close_timeout=2,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield

    @property
    def certificate(self) -> str:
        """PEM, as a pairing would have stored it."""
        return self.identity.certificate_file.read_text()

    async def hang_up(self) -> None:
        """End the session there is, politely."""
        if self.last_session is not None:
            await self.last_session.socket.close()

    def card(self) -> AgentCard:
        """What it says of itself."""
        return AgentCard(
            agent_id=self.identity.agent_id,
            name=self.name,
            boot_id=self.epoch,
            epoch=self.epoch,
            lowest_seq=self.acknowledged + 1,
            drivers=["private_api"],
            tasks=["bulk_login", "bulk_upload"],
            browser_slots=0,
            capacity=1.0,
        )

    def inventory(self) -> list[InventoryRow]:
        """What it holds."""
        return [
            InventoryRow(
                item_id=item.item_id,
                run_id=item.run_id,
                account_id=item.account.account_id,
                attempt=item.attempt,
                state=ItemState.ASSIGNED,
                fence=item.fence,
            )
            for item in (request.item for request in self.items.values())
        ]

    def missing(self, asked: Sequence[str]) -> list[str]:
        """What it says to lack when it is asked for files: nothing."""
        return []

    def said(self, data: bytes) -> None:
        """Note what a message may rightly make the desktop believe of the outbox."""
        try:
            message = decode(data)
        except ValueError:
            return
        if isinstance(message, Hello) and message.agent is not None:
            card = message.agent
            before = self._believable.get(card.epoch, 0)
            self._believable[card.epoch] = max(before, card.lowest_seq - 1)
        elif isinstance(message, Events) and message.epoch == self.epoch:
            self._sent(message.rows)

    def _sent(self, rows: list[OutboxRow]) -> None:
        seqs = [row.seq for row in rows if row.seq >= self.next_seq]
        if seqs and seqs == list(range(self.next_seq, self.next_seq + len(seqs))):
            self.next_seq += len(seqs)
            known = self._believable[self.epoch]
            self._believable[self.epoch] = max(known, self.next_seq - 1)

    def believed(self, cursor: Cursor, *, is_new: bool) -> str:
        """Take the desktop's cursor; says what is wrong where it is ahead of what was said."""
        if cursor.seq > self._believable.get(cursor.epoch, -1):
            return f"the cursor {cursor} is ahead of {self._believable}"
        if cursor.epoch == self.epoch:
            self.acknowledged = cursor.seq
            if is_new:
                self.next_seq = cursor.seq + 1
        self._moved.set()
        return ""

    async def report_done(self, item_id: str) -> None:
        """Honestly say that an item is done, and wait until the desktop has taken it."""
        assert self.last_session is not None
        seq = self.next_seq
        for state in (ItemState.RUNNING, ItemState.DONE):
            event = ItemChanged(item_id=item_id, attempt=1, state=state, step="Done")
            row = OutboxRow(seq=self.next_seq, at=time.time(), body=event.model_dump(mode="json"))
            text = encode(Events(epoch=self.epoch, rows=[row]))
            self.said(text.encode())
            await self.last_session.socket.send(text)
        async with asyncio.timeout(_ANSWER_SECONDS):
            while self.acknowledged <= seq:
                self._moved.clear()
                await self._moved.wait()

    async def _serve(self, socket: ServerConnection) -> None:
        self.sessions += 1
        session = _Session(socket, self)
        self.last_session = session
        await session.run()


class _Session:
    """One session with the desktop: honest answers, and mutants with a marker behind each."""

    def __init__(self, socket: ServerConnection, agent: HostileAgent) -> None:
        self.socket = socket
        self._agent = agent
        self._feed = agent.feed
        self._waiting: deque[Mutant] = deque()
        self._goodbye: Goodbye | None = None
        self._requests: list[str] = []
        self._owed: list[Message] = []
        self._is_alone = False
        self._is_over = False
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Talk until the session is over, and judge how it ended."""
        listening = asyncio.create_task(self._listen(), name="hostile agent listens")
        try:
            with contextlib.suppress(ConnectionClosed, TimeoutError):
                await self._begin()
                await self._pour()
            await listening
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._agent.linked.clear()
            self._judge()

    async def _begin(self) -> None:
        feed, number = self._feed, self._agent.sessions
        if feed and feed.left and number % round(1 / _BEFORE_HELLO) == 0:
            await self._send(feed.mutator.make(feed.left.popleft()))
        hello = encode(Hello(app="hostile", clock=time.time(), agent=self._agent.card()))
        self._agent.said(hello.encode())
        await self.socket.send(hello)

    async def _pour(self) -> None:
        feed = self._feed
        if feed is None:
            return
        await self._until(self._agent.linked.is_set)
        while not feed.failure:
            await self._until(lambda: len(self._waiting) < _WINDOW)
            if not (found := feed.next()):
                return
            mutant, care = found
            if care is Care.NONE:
                await self._send(mutant)
            else:
                await self._send_carefully(mutant, care)

    async def _send_carefully(self, mutant: Mutant, care: Care) -> None:
        """Send one so that it alone can have ended the session, where it ends."""
        try:
            await self._until(lambda: not self._waiting)
        except (ConnectionClosed, TimeoutError):
            assert self._feed is not None
            self._feed.suspects.append(mutant.index)
            raise
        self._is_alone = care is Care.ALONE
        await self._send(mutant, marked=not self._is_alone)
        if self._is_alone:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ALONE_SECONDS):
                    await self._until(lambda: False)
            self._is_alone = False
            await self.socket.send(_marker(mutant))
        await self._until(lambda: not self._waiting)

    async def _send(self, mutant: Mutant, *, marked: bool = True) -> None:
        self._waiting.append(mutant)
        protocol = self.socket.protocol
        if protocol.state is not State.OPEN or self._is_over:
            raise ConnectionClosedError(None, None)
        data = mutant.filled(self._blanks())
        raw = b""
        if mutant.carrier is Carrier.RAW:
            raw = data
        elif mutant.carrier is Carrier.TEXT:
            self._agent.said(data)
            protocol.send_text(data)
        else:
            protocol.send_binary(data)
        if marked:
            protocol.send_text(_marker(mutant).encode())
        self.socket.transport.write(raw + b"".join(protocol.data_to_send()))

    async def _listen(self) -> None:
        try:
            async for data in self.socket:
                assert isinstance(data, str)
                message = decode(data)
                if isinstance(message, Message):
                    await self._take(message)
        except ConnectionClosed:
            return
        finally:
            self._is_over = True
            self._moved.set()

    async def _take(self, message: Message) -> None:
        if isinstance(message, Refused):
            await self._refused(message.id)
        elif isinstance(message, Acknowledge):
            self._believe(Cursor(epoch=message.epoch, seq=message.seq), is_new=False)
        elif isinstance(message, Hello):
            if message.cursor is not None:
                self._believe(message.cursor, is_new=True)
            self._agent.linked.set()
            self._moved.set()
        elif isinstance(message, Goodbye):
            self._goodbye = message
        elif isinstance(message, Request):
            await self._asked(message)

    async def _asked(self, request: Request) -> None:
        """Owe an honest answer. What is poured until it is given may be a lie about it."""
        answer: Message = Done(id=request.id)
        match request:
            case AskInventory():
                answer = Inventory(id=request.id, rows=self._agent.inventory())
            case AskBlobs():
                missing = self._agent.missing(request.sha256s)
                answer = MissingBlobs(id=request.id, sha256s=missing)
            case AcceptItem():
                self._agent.items[request.item.item_id] = request
                item = request.item
                answer = Accepted(id=request.id, item_id=item.item_id, attempt=item.attempt)
            case ControlItems():
                answer = Controlled(id=request.id, done=request.item_ids)
            case ReadLog():
                answer = LogChunk(id=request.id, offset=request.offset, text="", end=request.offset)
        if self._waiting:
            self._requests.append(request.id)
            self._owed.append(answer)
        else:
            await self._answer(answer)

    async def _answer(self, *answers: Message) -> None:
        with contextlib.suppress(ConnectionClosed):
            for answer in answers:
                await self.socket.send(encode(answer))

    async def _refused(self, request_id: str) -> None:
        if not request_id.startswith(_MARK) or self._feed is None:
            return
        index = int(request_id.removeprefix(_MARK))
        while self._waiting and self._waiting[0].index != index:
            self._feed.fail("a marker was skipped", self._waiting.popleft())
        if self._waiting:
            self._waiting.popleft()
            self._feed.survived()
        owed, self._owed, self._requests = self._owed, [], []
        await self._answer(*owed)
        self._moved.set()

    def _believe(self, cursor: Cursor, *, is_new: bool) -> None:
        wrong = self._agent.believed(cursor, is_new=is_new)
        if wrong and self._feed:
            self._feed.fail(wrong, self._waiting[0] if self._waiting else None)

    async def _until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while not fact() and not self._is_over:
                self._moved.clear()
                await self._moved.wait()
        if self._is_over:
            raise ConnectionClosedError(None, None)

    def _judge(self) -> None:
        feed = self._feed
        if feed is None or not self._waiting:
            return
        culprit, code = self._waiting[0], self.socket.close_code
        if len(self._waiting) > 1:
            feed.suspects.extend(mutant.index for mutant in self._waiting)
            return
        if code == _NO_CODE and not self._is_alone:
            feed.culprits.append(culprit.index)
            feed.tally.closes["(last words were lost at first)"] += 1
            return
        if code not in TYPED_CLOSES:
            feed.fail(f"the desktop closed with {code}", culprit)
        elif code == 1000 and self._goodbye is None and not _says_goodbye(culprit):
            feed.fail("the desktop closed without a goodbye", culprit)
        name = f"goodbye {self._goodbye.error.code}" if self._goodbye else str(code)
        feed.tally.closes[name] += 1
        feed.survived()

    def _blanks(self) -> dict[str, str]:
        agent = self._agent
        request = self._requests[-1] if self._requests else f"none-{agent.next_seq}"
        item = next(reversed(agent.items), "01JDM0000000000000000000ID")
        return {
            "$epoch": agent.epoch,
            '"$seq"': str(agent.next_seq),
            "$request": request,
            "$item": item,
        }


def _marker(mutant: Mutant) -> str:
    return f'{{"t":"marker","id":"{_MARK}{mutant.index}"}}'


def _says_goodbye(mutant: Mutant) -> bool:
    try:
        return mutant.carrier is Carrier.TEXT and isinstance(decode(mutant.data), Goodbye)
    except ValueError:
        return False
