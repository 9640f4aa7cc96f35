"""What a desktop may ask over the control link, and the answer to each request.

Every request is answered once, by its result or by a typed refusal.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence

import orjson

from agent.jobs import holdings
from agent.server.context import AgentContext
from agent.server.tokens import Grant
from common.errors import FlotillaError, InputError, TokenRefusedError, WireError
from common.protocol.messages import (
    CONTROL_MESSAGE_LIMIT,
    Accepted,
    AcceptItem,
    AskBlobs,
    AskInventory,
    ControlItems,
    Controlled,
    Done,
    Inventory,
    InventoryRow,
    LogChunk,
    Message,
    MissingBlobs,
    ReadLog,
    Refused,
    SettleAction,
    encode,
)

_LOG = logging.getLogger(__name__)
_INVENTORY_ROWS = 150
_ANSWER_BYTES = CONTROL_MESSAGE_LIMIT - 1024
_LOG_REST_SECONDS = 0.003
"""Between two pieces of logs on one link: 10 MiB a second at most, far more than is written."""
_REFUSALS = 128
"""In one answer at most."""


class Requests:
    """Answers the requests of one link."""

    def __init__(
        self, context: AgentContext, grant: Grant, reply: Callable[[Message], None]
    ) -> None:
        self._context = context
        self._grant = grant
        self._reply = reply
        self._log_turn = asyncio.Lock()

    async def answer(self, message: Message) -> None:
        """Carry a request out and reply; a message that is no request is passed over."""
        request_id = getattr(message, "id", "")
        try:
            await self._carry_out(message)
        except FlotillaError as error:
            self.refuse(request_id, error)
        except Exception:  # noqa: BLE001 - a defect: the desktop still gets an answer
            _LOG.exception("A request (%s) failed.", type(message).__name__)
            self.refuse(request_id, FlotillaError("The agent could not carry the request out."))

    def refuse(self, request_id: str, error: FlotillaError) -> None:
        """Reply that a request was not carried out."""
        if request_id:
            self._reply(Refused(id=request_id, error=error.to_wire()))

    def done(self, request_id: str) -> None:
        """Reply that a request without a result was carried out."""
        self._reply(Done(id=request_id))

    async def _carry_out(self, message: Message) -> None:
        match message:
            case AcceptItem():
                await self._accept(message)
            case ControlItems():
                await self._control(message)
            case SettleAction():
                self._require_control()
                await self._context.supervisor.orders.settle(message)
                self.done(message.id)
            case AskInventory():
                await self._inventory(message)
            case ReadLog():
                async with self._log_turn:
                    self._read_log(message)
                    # Reading, writing and taking in a piece costs both sides as much as several
                    # questions: between two of them there is room for those.
                    await asyncio.sleep(_LOG_REST_SECONDS)
            case AskBlobs():
                missing = self._context.blobs.missing(message.sha256s)
                self._reply(MissingBlobs(id=message.id, sha256s=missing))
            case _:
                raise InputError("This message is not for an agent.")

    async def _accept(self, request: AcceptItem) -> None:
        self._require_control()
        item = request.item
        await self._context.supervisor.orders.accept(item)
        self._reply(Accepted(id=request.id, item_id=item.item_id, attempt=item.attempt))

    async def _control(self, request: ControlItems) -> None:
        self._require_control()
        orders = self._context.supervisor.orders
        verbs = {"pause": orders.pause, "resume": orders.resume, "cancel": orders.cancel}
        act = verbs[request.verb]
        done: list[str] = []
        refused: dict[str, WireError] = {}
        # All at once: what waits for the journal at the same time shares one commit.
        outcomes = await asyncio.gather(
            *(act(item_id, request.fences.get(item_id)) for item_id in request.item_ids),
            return_exceptions=True,
        )
        for item_id, outcome in zip(request.item_ids, outcomes, strict=True):
            if outcome is None:
                done.append(item_id)
            elif isinstance(outcome, FlotillaError):
                refused[item_id] = outcome.to_wire()
            else:
                raise outcome
        for answer in _controlled(request.id, done, refused):
            self._reply(answer)

    async def _inventory(self, request: AskInventory) -> None:
        rows = await self._context.journal.write(holdings.inventory)
        seq = self._context.outbox.last_seq
        for piece in _pieces(rows, _INVENTORY_ROWS):
            last = not rows or piece[-1] is rows[-1]
            self._reply(Inventory(id=request.id, rows=list(piece), complete=last, last_seq=seq))

    def _read_log(self, request: ReadLog) -> None:
        limit = request.limit
        while True:
            piece = self._context.spool.read(
                request.item_id, request.attempt, request.offset, limit
            )
            # Quotes and backslashes are written twice in JSON: a piece may grow on its way.
            if len(orjson.dumps(piece.text)) <= _ANSWER_BYTES or limit <= 1:
                break
            limit //= 2
        self._reply(LogChunk(id=request.id, offset=piece.offset, text=piece.text, end=piece.end))

    def _require_control(self) -> None:
        if self._grant.scope != "control":
            raise TokenRefusedError(
                "This desktop may watch the agent, and not command it.",
                advice="Run `flotilla-agent pair --take-over` on the worker machine first.",
            )


def _pieces(rows: Sequence[InventoryRow], size: int) -> Sequence[Sequence[InventoryRow]]:
    return [rows[start : start + size] for start in range(0, max(len(rows), 1), size)]


def _controlled(
    request_id: str, done: list[str], refused: dict[str, WireError]
) -> Iterator[Controlled]:
    """Yield the answer, in as many messages as it takes: no refusal is left out."""
    refusals = list(refused.items())
    size = _REFUSALS
    while True:
        piece = dict(refusals[:size])
        answer = Controlled(
            id=request_id, done=done, refused=piece, complete=len(piece) == len(refusals)
        )
        if len(encode(answer).encode()) > _ANSWER_BYTES and size > 1:
            size //= 2
            continue
        yield answer
        if answer.complete:
            return
        done, refusals, size = [], refusals[size:], _REFUSALS
