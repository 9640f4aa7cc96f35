"""Serving the platform: sockets, the ready file, and a clean stop."""

import asyncio
import contextlib
import ipaddress
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, cast

import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from practice.app import build
from practice.files import write_private
from practice.proxy.server import PracticeProxy
from practice.state.lock import FolderLock
from practice.state.platform import PlatformState

_GRACE_SECONDS = 1
_KEEP_ALIVE_SECONDS = 120
"""Long, so that the platform's own housekeeping hardly ever closes a connection just when a client
sends its next request on it: that would look like a fault nobody set."""
_BACKLOG = 512


class AddressError(ValueError):
    """The platform can't listen where it was told to."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where the platform keeps its state and where it listens. Port 0 takes any free one."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    admin_port: int = 0
    proxy_port: int = 0
    ready_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running platform is reached."""

    url: str
    admin_url: str
    proxy_url: str


async def serve(options: Options, announce: Callable[[Addresses], None]) -> None:
    """Serve until the process is told to stop. ``announce`` is called once listening.

    Raises:
        AddressError: when an address isn't on loopback or is taken.
        FolderInUseError: when another platform uses the folder.
    """
    with contextlib.ExitStack() as cleanup:
        if options.ready_file:
            options.ready_file.parent.mkdir(parents=True, exist_ok=True)
            options.ready_file.unlink(missing_ok=True)
        listeners = _listeners(options)
        for listener in listeners:
            cleanup.callback(listener.close)
        lock = FolderLock(options.data)
        cleanup.callback(lock.release)
        state = PlatformState(options.data)
        cleanup.callback(state.close)
        await _serve_state(options, state, listeners, announce)


async def _serve_state(
    options: Options,
    state: PlatformState,
    listeners: tuple[socket.socket, socket.socket, socket.socket],
    announce: Callable[[Addresses], None],
) -> None:
    public_listener, admin_listener, proxy_listener = listeners
    addresses = Addresses(*(_url(each) for each in listeners))
    token = secrets.token_urlsafe(32)
    proxy = PracticeProxy(state.proxies, public_listener.getsockname()[1])
    applications = build(state, addresses.url, proxy.proxied_ports, token)
    servers = [
        (_server(applications.public), public_listener),
        (_server(applications.admin), admin_listener),
    ]
    stop = _stop_event()
    await proxy.start(proxy_listener)
    try:
        async with asyncio.TaskGroup() as group:
            for server, listener in servers:
                group.create_task(server.serve([listener]), name="practice server")
            if options.ready_file:
                write_private(options.ready_file, _ready(addresses, token))
            announce(addresses)
            await stop.wait()
            for server, _ in servers:
                server.should_exit = True
            await proxy.close()
    finally:
        if options.ready_file:
            options.ready_file.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process's one stop event."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", _protocol),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return _Server(config)


class _Connection:
    """Lets a fault cut the connection of the request that it hits."""

    def __init__(self) -> None:
        self.protocol: Any = None

    def abort(self) -> None:
        """Cut it, without a goodbye."""
        self.protocol.transport.abort()


def _protocol(app_state: dict[str, Any], **arguments: Any) -> asyncio.Protocol:
    """The server's own protocol, with a handle on its connection in every request's state."""
    connection = _Connection()
    state = {**app_state, "connection": connection}
    make: Callable[..., asyncio.Protocol] = AutoHTTPProtocol
    protocol = make(app_state=state, **arguments)
    connection.protocol = protocol
    return protocol


def _listeners(options: Options) -> tuple[socket.socket, socket.socket, socket.socket]:
    host = "127.0.0.1" if options.host == "localhost" else options.host
    try:
        on_loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        on_loopback = False
    if not on_loopback:
        raise AddressError(
            f"The practice platform listens on loopback only, and {options.host!r} isn't a "
            "loopback address. Use --host 127.0.0.1."
        )
    ports = (options.port, options.admin_port, options.proxy_port)
    with contextlib.ExitStack() as opened:
        first, second, third = (_listen(host, port, opened) for port in ports)
        opened.pop_all()
        return first, second, third


def _listen(host: str, port: int, opened: contextlib.ExitStack) -> socket.socket:
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
        # Only a socket that says it is TCP has Nagle's algorithm switched off by asyncio. With it
        # on, each answer's body would wait some 40 ms for the client to acknowledge its headers.
        named = socket.socket(
            listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach()
        )
        return opened.enter_context(named)
    except OSError as error:
        raise AddressError(
            f"Port {port} on {host} can't be opened: {error.strerror}. "
            "Choose another one, or 0 for any."
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _ready(addresses: Addresses, token: str) -> bytes:
    return orjson.dumps(
        {
            "pid": os.getpid(),
            "url": addresses.url,
            "admin_url": addresses.admin_url,
            "proxy_url": addresses.proxy_url,
            "admin_token": token,
        }
    )


def _stop_event() -> asyncio.Event:
    """An event that the process's stop signals set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal(_: int, __: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, on_signal)
    return stop
