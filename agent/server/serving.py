"""Listening: uvicorn behind our TLS settings, with a hold on callers who have not shown a token.

A connection that has not been let in within a few seconds is dropped, and only a few of those may
exist at a time; links that were let in have no such limit.
"""

import asyncio
import contextlib
import logging
import socket
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.server.certificate import AgentIdentity
from common.errors import StoreError
from common.protocol.frames import BULK_MESSAGE_LIMIT, HEADER_BYTES

_STRANGERS = 8
"""Connections at once that have not shown a token."""
_STRANGER_SECONDS = 5.0
_SHUTDOWN_SECONDS = 5
_STARTED_SECONDS = 20.0
_HANDSHAKE_SECONDS = 5.0
_UNSENT_BYTES = 64 * 1024


_NO_ERRORS = ("returned without completing handshake", "Invalid UTF-8 sequence received")


class RefusalIsNoError(logging.Filter):
    """Drops the errors that uvicorn logs of what a caller did: neither is a defect of ours.

    A WebSocket that we refuse with an answer of our own, and text that is none.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep everything else."""
        return not any(words in record.getMessage() for words in _NO_ERRORS)


_REFUSAL_IS_NO_ERROR = RefusalIsNoError()


class Strangers:
    """Connections that have not shown a token yet."""

    def __init__(self) -> None:
        self._timers: dict[tuple[str, int], asyncio.TimerHandle] = {}

    def arrived(self, address: tuple[str, int], transport: asyncio.Transport) -> None:
        """Take note of a new connection, or drop it where there are too many."""
        if len(self._timers) >= _STRANGERS:
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._timers[address] = loop.call_later(
            _STRANGER_SECONDS, self._give_up, address, transport
        )

    def left(self, address: tuple[str, int]) -> None:
        """A connection is closed, or is no stranger any more."""
        timer = self._timers.pop(address, None)
        if timer is not None:
            timer.cancel()

    def _give_up(self, address: tuple[str, int], transport: asyncio.Transport) -> None:
        self._timers.pop(address, None)
        transport.abort()


class Door:
    """The listening server of one agent."""

    def __init__(self, app: ASGIApp, identity: AgentIdentity, strangers: Strangers) -> None:
        context = identity.server_context()
        logging.getLogger("uvicorn.error").addFilter(_REFUSAL_IS_NO_ERROR)
        self._config = uvicorn.Config(
            app,
            http=_protocol(strangers),
            ws="websockets-sansio",
            ws_max_size=BULK_MESSAGE_LIMIT + HEADER_BYTES,
            # The session has its own heartbeat; pings would queue behind data on a slow link.
            ws_ping_interval=None,
            ws_ping_timeout=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ssl_context_factory=lambda _config, _default: context,
        )
        self._server = _Server(self._config)
        self._serving: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address in fact; port 0 takes any free one.

        Raises StoreError where the address cannot be had.
        """
        self._socket = _bind(host, port)
        address = self._socket.getsockname()[:2]
        self._serving = asyncio.create_task(
            self._server.serve(sockets=[self._socket]), name="server"
        )
        async with asyncio.timeout(_STARTED_SECONDS):
            await self._server.is_open.wait()
        return str(address[0]), int(address[1])

    async def move(self, host: str) -> None:
        """Listen at another address with the same port; open links stay."""
        if self._socket is None:
            return
        port = int(self._socket.getsockname()[1])
        for server in self._server.servers:
            server.close()
        self._socket.close()
        self._socket = _bind(host, port)
        self._server.servers = [await self._server.listen(self._socket)]

    async def close(self) -> None:
        """Close every connection, and stop listening."""
        self._server.should_exit = True
        if self._serving is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        if self._socket is not None:
            self._socket.close()


class _Server(uvicorn.Server):
    """uvicorn's server, without its own hold on signals: the agent stops in its own order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_open = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets given, and on nothing else."""
        await self.lifespan.startup()
        self.servers = [await self.listen(listener) for listener in sockets or ()]
        self.started = True
        self.is_open.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals to the agent."""
        yield

    async def listen(self, listener: socket.socket) -> asyncio.base_events.Server:
        """Accept connections on one more socket."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: cast("type[H11Protocol]", self.config.http_protocol_class)(
                self.config, self.server_state, {}
            ),
            sock=listener,
            ssl=self.config.ssl,
            backlog=self.config.backlog,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )


def _protocol(strangers: Strangers) -> type[H11Protocol]:
    class GuardedProtocol(H11Protocol):
        """HTTP/1.1 that reports each connection to the strangers' list."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client is not None:
                strangers.arrived(self.client, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                strangers.left(self.client)
            super().connection_lost(exc)

    return GuardedProtocol


def _bind(host: str, port: int) -> socket.socket:
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, the second of
    # two small messages in a row waits 40 ms for the first one's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows the same option would let another program share the port.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # What lies unsent in the system cannot be overtaken: on a slow link little may lie
            # there, or a heartbeat comes after megabytes. Accepted connections inherit it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        listener.bind((host, port))
        listener.setblocking(False)
    except OSError as problem:
        listener.close()
        raise StoreError(
            f"The agent cannot listen at {host} port {port}: {problem.strerror}.",
            field="port",
            advice="Choose another port in agent.toml, or stop what listens there.",
        ) from problem
    return listener
