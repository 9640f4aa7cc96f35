"""Requests to an agent that wait for their answer, each with a deadline."""

import asyncio
import logging

from common.errors import AgentUnreachableError, FlotillaError, from_wire
from common.protocol.messages import Inventory, Refused, Request, Response

_log = logging.getLogger(__name__)


class Requests:
    """The requests of one session. When it ends, every waiting one fails."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        self._parts: dict[str, list[Inventory]] = {}
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
        elif isinstance(response, Inventory):
            self._inventory(future, response)
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

    def _inventory(self, future: asyncio.Future[Response], part: Inventory) -> None:
        parts = self._parts.setdefault(part.id, [])
        parts.append(part)
        if part.complete:
            del self._parts[part.id]
            rows = [row for each in parts for row in each.rows]
            future.set_result(Inventory(id=part.id, rows=rows))
