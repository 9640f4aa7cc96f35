"""Requests to an agent that wait for their answer, each with a deadline."""

import asyncio
import logging
from collections.abc import Sequence

from common.errors import AgentUnreachableError, FlotillaError, LinkError, from_wire
from common.protocol.messages import Controlled, Inventory, Refused, Request, Response

_MOST_PARTS = 5000
"""Of one answer; an agent puts 150 rows of its inventory into each."""

_log = logging.getLogger(__name__)


class Requests:
    """The requests of one session. When it ends, every waiting one fails."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        self._parts: dict[str, list[Inventory | Controlled]] = {}
        self._ended: FlotillaError | None = None

    def expect(self, request: Request) -> asyncio.Future[Response]:
        """Register a request before it is sent; the future gives its answer.

        It raises what the agent refused it with, or the error that ended the session.
        """
        if self._ended is not None:
            raise self._ended
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        future.add_done_callback(lambda _: self._waiting.pop(request.id, None))
        return future

    async def wait(
        self, request: Request, future: asyncio.Future[Response], seconds: float
    ) -> Response:
        """Wait for an answer; raises AgentUnreachableError after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise AgentUnreachableError(
                f"The agent did not answer {request.t!r} within {seconds:.0f} s."
            ) from None

    def answer(self, response: Response) -> None:
        """Hand an answer to the one who waits for it; an answer nobody waits for is dropped."""
        future = self._waiting.get(response.id)
        if future is None or future.done():
            _log.debug("Dropped an answer that nobody waits for: %s", response.t)
        elif isinstance(response, Refused):
            future.set_exception(from_wire(response.error))
        elif isinstance(response, Inventory | Controlled):
            self._take_part(future, response)
        else:
            future.set_result(response)

    def end(self, error: FlotillaError) -> None:
        """Fail everything that waits: the session is over."""
        self._ended = error
        self._parts.clear()
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(error)
                # Nobody may be waiting any more; then the error is not news.
                future.exception()

    def _take_part(self, future: asyncio.Future[Response], part: Inventory | Controlled) -> None:
        parts = self._parts.setdefault(part.id, [])
        parts.append(part)
        if len(parts) > _MOST_PARTS:
            del self._parts[part.id]
            future.set_exception(LinkError("The agent's answer has no end."))
            return
        if part.complete:
            del self._parts[part.id]
            future.set_result(_joined(part, parts))


def _joined(last: Inventory | Controlled, parts: Sequence[Inventory | Controlled]) -> Response:
    if isinstance(last, Inventory):
        rows = [row for part in parts if isinstance(part, Inventory) for row in part.rows]
        return last.model_copy(update={"rows": rows})
    answers = [part for part in parts if isinstance(part, Controlled)]
    done = [item_id for answer in answers for item_id in answer.done]
    refused = {id_: error for answer in answers for id_, error in answer.refused.items()}
    return last.model_copy(update={"done": done, "refused": refused})
