"""A desktop with a token that says hostile things to an agent, and notes how it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.protocol import State
from websockets.typing import Subprotocol

from common.protocol.events import OutboxRow
from common.protocol.messages import (
    CONTROL_PATH,
    SUBPROTOCOL,
    Accepted,
    AcceptItem,
    Acknowledge,
    Cursor,
    Events,
    Goodbye,
    Hello,
    Refused,
    decode,
    encode,
)
from common.protocol.outbox import take_batch
from tests.integration.hostile_frames.mutations import Carrier, Mutant, Mutator
from tests.integration.hostile_frames.verdicts import TYPED_CLOSES, Tally, Watcher
from tests.support.agent_link import Paired

_WINDOW = 32
"""Mutants whose markers may be on their way."""
_LOOK_EVERY = 1000
"""Mutants between two looks into the agent's logs."""
_ANSWER_SECONDS = 20.0
_MARK = "mark-"
_NO_CODE = 1006
_BY_SESSION = 1000


@dataclass
class Truth:
    """What the hostile desktop may rightly have brought about."""

    cursor: Cursor | None = None
    """How far it has applied and acknowledged the outbox."""
    handed_over: set[str] = field(default_factory=set)
    """Items in well-formed messages that the agent may have taken."""
    accepted: set[str] = field(default_factory=set)
    """Items that the agent said it took."""


class _Wire:
    """One connection: mutants go out, each with a marker behind it that the agent must answer.

    The marker is a request of a type that nobody knows. Its typed refusal proves that everything
    before it was taken; the first marker without an answer tells which mutant ended a session.
    """

    def __init__(self, socket: ClientConnection, truth: Truth, tally: Tally, window: int) -> None:
        self.socket = socket
        self.waiting: deque[Mutant] = deque()
        self.goodbye: Goodbye | None = None
        self._truth = truth
        self._tally = tally
        self._window = window
        self._moved = asyncio.Event()
        self._is_over = False

    async def send(self, mutant: Mutant, *, marked: bool = True) -> None:
        """Send a mutant and its marker, once there is room; raises ConnectionClosed."""
        await self._until(lambda: len(self.waiting) < self._window)
        self.waiting.append(mutant)
        data = mutant.filled(self._blanks())
        self._note(data)
        protocol = self.socket.protocol
        if protocol.state is not State.OPEN:
            raise ConnectionClosedError(None, None)
        raw = b""
        if mutant.carrier is Carrier.RAW:
            raw = data
        elif mutant.carrier is Carrier.TEXT:
            protocol.send_text(data)
        else:
            protocol.send_binary(data)
        if marked:
            protocol.send_text(f'{{"t":"marker","id":"{_MARK}{mutant.index}"}}'.encode())
        # One write for both: with two of them, this test would mostly measure the kernel.
        self.socket.transport.write(raw + b"".join(protocol.data_to_send()))

    async def settle(self) -> None:
        """Wait until every marker is answered, or the session is over."""
        await self._until(lambda: not self.waiting)

    async def heard_out(self) -> None:
        """Wait until the agent has ended the session."""
        await self._until(lambda: False)

    async def _until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while not fact() and not self._is_over:
                self._moved.clear()
                await self._moved.wait()

    async def listen(self) -> None:
        """Hear the agent out until the session is over."""
        try:
            async for data in self.socket:
                if isinstance(data, str):
                    await self._take(data)
        except ConnectionClosed:
            return
        finally:
            self._is_over = True
            self._moved.set()

    async def _take(self, text: str) -> None:
        message = decode(text)
        if isinstance(message, Refused):
            self._refused(message.id)
        elif isinstance(message, Accepted):
            self._truth.accepted.add(message.item_id)
        elif isinstance(message, Goodbye):
            self.goodbye = message
        elif isinstance(message, Hello) and message.agent is not None:
            card, cursor = message.agent, self._truth.cursor
            if cursor is None or cursor.epoch != card.epoch:
                self._truth.cursor = Cursor(epoch=card.epoch, seq=card.lowest_seq - 1)
        elif isinstance(message, Events):
            await self._apply(message.epoch, message.rows)

    async def _apply(self, epoch: str, rows: list[OutboxRow]) -> None:
        assert self._truth.cursor is not None
        self._truth.cursor = take_batch(self._truth.cursor, epoch, rows).cursor
        # Where the session has just ended, what it said last is still to be heard.
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(encode(Acknowledge(epoch=epoch, seq=self._truth.cursor.seq)))

    def _refused(self, request_id: str) -> None:
        if not request_id.startswith(_MARK):
            self._tally.refused += 1
            return
        index = int(request_id.removeprefix(_MARK))
        while self.waiting and self.waiting[0].index <= index:
            self.waiting.popleft()
            self._tally.survived += 1
        self._moved.set()

    def _note(self, data: bytes) -> None:
        if b"accept_item" not in data:
            return
        try:
            message = decode(data)
        except ValueError:
            return
        if isinstance(message, AcceptItem):
            self._truth.handed_over.add(message.item.item_id)

    def _blanks(self) -> dict[str, str]:
        cursor = self._truth.cursor
        return {"$epoch": cursor.epoch, '"$seq"': str(cursor.seq)} if cursor else {}


class Bombardment:
    """Every mutant of a range, over as many connections as it takes."""

    def __init__(self, paired: Paired, mutator: Mutator, watcher: Watcher, seed: int) -> None:
        self.truth = Truth()
        self.tally = Tally()
        self._paired = paired
        self._context = paired.context()
        self._mutator = mutator
        self._watcher = watcher
        self._seed = seed

    async def run(self, indices: range) -> None:
        """Send them all; raises AssertionError that names seed and index."""
        fresh: Iterator[Mutant] = map(self._mutator.make, indices)
        left: list[Mutant] = []
        looked_at = indices.start
        while left := left or list(itertools.islice(fresh, _LOOK_EVERY)):
            first = left[0]
            left = await self._send(left)
            if not left or left[0].index - looked_at >= _LOOK_EVERY:
                looked_at = first.index
                self._require_health(first)

    async def _send(self, batch: list[Mutant], window: int = _WINDOW) -> list[Mutant]:
        """Send over one connection; return those that were not taken before it ended."""
        unsent = deque(batch)
        async with self._connected(window) as wire:
            with contextlib.suppress(ConnectionClosed):
                while unsent:
                    await wire.send(unsent.popleft())
                await wire.settle()
        if not wire.waiting:
            return list(unsent)
        if wire.socket.close_code != _BY_SESSION and window > 1:
            # The WebSocket library hangs up past what the session had not answered yet, and one
            # that hangs up while we write makes us forget its last words: who was it?
            return await self._send(list(wire.waiting), 1) + list(unsent)
        if wire.socket.close_code == _NO_CODE:
            return await self._send_alone(wire.waiting) + list(unsent)
        self._judge_close(wire.waiting.popleft(), wire)
        return [*wire.waiting, *unsent]

    async def _send_alone(self, suspects: deque[Mutant]) -> list[Mutant]:
        """Send the first with nothing behind it, and hear how the session ends."""
        culprit = suspects.popleft()
        self.tally.closes["(last words were lost at first)"] += 1
        async with self._connected(1) as wire:
            await wire.send(culprit, marked=False)
            await wire.heard_out()
        self._judge_close(culprit, wire)
        return list(suspects)

    @contextlib.asynccontextmanager
    async def _connected(self, window: int) -> AsyncIterator[_Wire]:
        """A session that has said hello; what the agent still says at its end is heard."""
        async with connect(
            f"wss://{self._paired.host}:{self._paired.port}{CONTROL_PATH}",
            ssl=self._context,
            additional_headers=self._paired.headers(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
            proxy=None,
        ) as socket:
            wire = _Wire(socket, self.truth, self.tally, window)
            await socket.send(self._hello())
            listening = asyncio.create_task(wire.listen(), name="hostile desktop listens")
            try:
                yield wire
                if wire.waiting:
                    await asyncio.wait({listening}, timeout=_ANSWER_SECONDS)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            if not listening.cancelled():
                listening.result()

    def _judge_close(self, culprit: Mutant, wire: _Wire) -> None:
        code = wire.socket.close_code
        assert code in TYPED_CLOSES, self._say(f"the agent closed with {code}", culprit)
        if _says_goodbye(culprit):
            self.tally.closes["its own goodbye"] += 1
        elif code == _BY_SESSION:
            assert wire.goodbye, self._say("the agent closed without a goodbye", culprit)
            self.tally.closes[f"goodbye {wire.goodbye.error.code}"] += 1
        else:
            self.tally.closes[str(code)] += 1
        self.tally.survived += 1

    def _require_health(self, first: Mutant) -> None:
        problem = self._watcher.defects()
        assert not problem, self._say(f"a defect showed since this one:\n{problem}", first)

    def _say(self, what: str, mutant: Mutant) -> str:
        where = f"seed {self._seed}, index {mutant.index}"
        return f"{what}; {where} ({mutant.kind}): {mutant.data[:300]!r}"

    def _hello(self) -> str:
        return encode(
            Hello(
                app="hostile",
                clock=time.time(),
                store_id=self._paired.store_id,
                cursor=self.truth.cursor,
            )
        )


def _says_goodbye(mutant: Mutant) -> bool:
    try:
        return mutant.carrier is Carrier.TEXT and isinstance(decode(mutant.data), Goodbye)
    except ValueError:
        return False
