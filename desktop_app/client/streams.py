"""What the core pushes, as async iterators that connect again by themselves."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Generic, Self, TypeVar

from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from common.errors import CoreUnreachableError, FlotillaError, TokenRefusedError
from desktop_app.contract.base import Command
from desktop_app.contract.changes import Change, Watch, WatchScreens
from desktop_app.contract.routes import Endpoint

Locate = Callable[[], Awaitable[Endpoint]]
"""Finds the core again after the connection to it broke; it may have another port by then."""

_CHANGES: TypeAdapter[Change] = TypeAdapter(Change)
_ACCOUNT_ID_BYTES = 26
_MESSAGE_BYTES = 32 * 1024 * 1024
_OPEN_SECONDS = 10.0
_SEND_SECONDS = 10.0
_PAUSE_FIRST_SECONDS = 0.1
_PAUSE_MOST_SECONDS = 5.0
_UNAUTHORISED = 401

Wish = TypeVar("Wish", bound=Command)
Pushed = TypeVar("Pushed")


class _Stream(ABC, Generic[Wish, Pushed]):
    """One socket of the core, with what the client wishes to hear on it."""

    def __init__(self, locate: Locate, path: str, wish: Wish) -> None:
        self._locate = locate
        self._path = path
        self._wish = wish
        self._socket: ClientConnection | None = None
        self._closed = False
        self._pause = _PAUSE_FIRST_SECONDS

    @property
    def is_connected(self) -> bool:
        """True while the core is on the other end."""
        return self._socket is not None

    async def set_watch(self, wish: Wish) -> None:
        """Replace what is pushed; kept over a reconnection."""
        self._wish = wish
        if self._socket is not None:
            await self._send_wish(self._socket)

    async def aclose(self) -> None:
        """End the iteration and close the socket."""
        self._closed = True
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Pushed:
        """Wait for the next thing pushed, over as many connections as that takes.

        Raises TokenRefusedError where the core at the endpoint does not know our token.
        """
        while not self._closed:
            socket = self._socket or await self._connect()
            if socket is None:
                continue
            try:
                return self._read(await socket.recv())
            except ConnectionClosed:
                self._socket = None
        raise StopAsyncIteration

    async def _connect(self) -> ClientConnection | None:
        """Try once; on failure wait a little, longer each time, and return None."""
        try:
            endpoint = await self._locate()
            socket = await self._dial(endpoint)
            await self._send_wish(socket)
        except InvalidStatus as problem:
            if problem.response.status_code == _UNAUTHORISED:
                raise TokenRefusedError(
                    "The core does not accept this client's token.", advice="Start it again."
                ) from None
            await self._wait()
            return None
        except (OSError, WebSocketException, TimeoutError, FlotillaError):
            await self._wait()
            return None
        self._pause = _PAUSE_FIRST_SECONDS
        self._socket = socket
        return socket

    async def _dial(self, endpoint: Endpoint) -> ClientConnection:
        return await connect(
            endpoint.url.replace("http", "ws", 1) + self._path,
            additional_headers={"Authorization": f"Bearer {endpoint.token.get_secret_value()}"},
            proxy=None,
            compression=None,
            max_size=_MESSAGE_BYTES,
            open_timeout=_OPEN_SECONDS,
        )

    async def _send_wish(self, socket: ClientConnection) -> None:
        try:
            await asyncio.wait_for(socket.send(self._wish.model_dump_json()), _SEND_SECONDS)
        except ConnectionClosed:
            return  # the reader notices, and the next connection sends the wish again

    async def _wait(self) -> None:
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, _PAUSE_MOST_SECONDS)

    @abstractmethod
    def _read(self, data: str | bytes) -> Pushed:
        """Turn one message of the socket into what the client iterates over."""


class ChangeStream(_Stream[Watch, Change]):
    """Changes of the store, in order.

    Each connection, the first one included, begins with a `Reset`: read the lists then (those
    that carry its revision already are still right). Later deltas have a higher revision.
    """

    def _read(self, data: str | bytes) -> Change:
        return _CHANGES.validate_json(data)


class ScreenStream(_Stream[WatchScreens, tuple[str, bytes]]):
    """Screens of the watched accounts: pairs of account id and JPEG."""

    def _read(self, data: str | bytes) -> tuple[str, bytes]:
        if isinstance(data, str):
            raise CoreUnreachableError("The core sent text where a picture was due.")
        return data[:_ACCOUNT_ID_BYTES].decode("ascii"), data[_ACCOUNT_ID_BYTES:]
