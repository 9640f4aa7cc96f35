"""A request's body on its way in, which can be let by, thrown away or kept for later."""

from collections import deque

from starlette.types import Message, Receive


class RequestBody:
    """Stands between the server and a route, and knows whether the body has arrived whole."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()
        self._ended = False

    async def receive(self) -> Message:
        """The next piece: what was kept first, then what arrives."""
        return self._kept.popleft() if self._kept else await self._next()

    async def drain(self) -> None:
        """Throw away what is left, so that an early answer doesn't cut off a sender mid-way."""
        self._kept.clear()
        while not self._ended:
            await self._next()

    async def take_in(self) -> bool:
        """Keep what is left; False when the sender went away before it was whole."""
        while not self._ended:
            message = await self._next()
            if message["type"] == "http.disconnect":
                return False
            self._kept.append(message)
        return True

    async def sender_gone(self) -> None:
        """Wait until the connection is closed. What was kept stays."""
        while (await self._next())["type"] != "http.disconnect":
            pass

    async def _next(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message
