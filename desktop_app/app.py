"""Serves the core of one store: opens it, listens on loopback, and gives everything back."""

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from common.errors import StoreError
from common.infra.logs import start_logging
from common.infra.memory import set_aside_what_is_loaded
from common.infra.paths import make_data_folder, make_private_folder, write_private_file
from common.security.redaction import Redactor
from common.version import VERSION
from desktop_app.api.app import make_api
from desktop_app.contract.routes import Endpoint
from desktop_app.core.app import CoreContext
from desktop_app.store.master_keys import KeySource, VaultChoice, ask_nobody
from desktop_app.store.store import Store, open_store

_LOOPBACK = "127.0.0.1"
_SHUTDOWN_SECONDS = 5
_MESSAGE_BYTES = 256 * 1024
_QUIET = ("alembic", "uvicorn.error")
"""Libraries that write a line for each connection, or each start."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeOptions:
    """How a core is served."""

    data: Path
    vault: VaultChoice | None = None
    """None keeps what the store was made with; a new store takes the system's keyring."""
    store_url: str | None = None
    until_idle: bool = False
    """End when no client is left and nothing runs or is due."""
    detached: bool = False
    """Log to the file alone: nobody reads standard error."""
    ask_passphrase: Callable[[], str] = ask_nobody


def serve(options: ServeOptions) -> None:
    """Serve a data folder until a signal, a client or idleness ends it.

    Raises StoreError where another core has the folder or its disk has no room at all, VaultError
    where the vault stays closed.
    """
    try:
        _open_and_serve(options)
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        raise StoreError(
            f"The disk of {options.data} is full, so the core cannot run.",
            advice="Make room on that disk, then start again. What is at the agents goes on there.",
            subject=str(options.data),
            field="data",
        ) from None


def _open_and_serve(options: ServeOptions) -> None:
    redactor = Redactor()
    logs = make_private_folder(make_data_folder(options.data) / "logs")
    start_logging(redactor, logs / "core.log", console=not options.detached)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    store = open_store(
        options.data,
        vault=options.vault or _new_store_choice(options.data),
        url=options.store_url,
        ask_passphrase=options.ask_passphrase,
    )
    with contextlib.closing(store):
        asyncio.run(_serve(store, redactor, until_idle=options.until_idle))


def make_vault_choice(source: str, key_file: Path | None) -> VaultChoice:
    """Return the operator's choice of where a vault's key is kept."""
    return VaultChoice(KeySource(source), key_file)


def _new_store_choice(data: Path) -> VaultChoice | None:
    """A store keeps the source it was made with; a new one takes the keyring unless told else."""
    return None if (data / "vault.json").exists() else VaultChoice(KeySource.KEYRING)


async def _serve(store: Store, redactor: Redactor, *, until_idle: bool) -> None:
    token = secrets.token_urlsafe(32)
    redactor.add([token])
    core = CoreContext(store)
    # Only on a socket that says it is TCP does asyncio switch Nagle's algorithm off. With it on,
    # each answer's body would wait some 40 ms for the client to acknowledge its headers.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.bind((_LOOPBACK, 0))
        door.setblocking(False)
        port: int = door.getsockname()[1]
        server = _Server(_config(core, token))
        async with _running(core, until_idle=until_idle):
            serving = asyncio.create_task(server.serve(sockets=[door]), name="api")
            with _stopped_by_signals(core):
                await server.began(serving)
                set_aside_what_is_loaded()
                _announce(store, port, token)
                try:
                    await core.stopping.wait()
                finally:
                    store.folder.endpoint.unlink(missing_ok=True)
                    server.should_exit = True
                    await serving


@contextlib.asynccontextmanager
async def _running(core: CoreContext, *, until_idle: bool) -> AsyncIterator[None]:
    try:
        await core.start(until_idle=until_idle)
        yield
    finally:
        await core.aclose()


def _announce(store: Store, port: int, token: str) -> None:
    """Tell clients where to find us, in a file that only this user may read."""
    endpoint = Endpoint(
        url=f"http://{_LOOPBACK}:{port}", token=SecretStr(token), pid=os.getpid(), app=VERSION
    )
    write_private_file(store.folder.endpoint, endpoint.model_dump_json().encode())
    _log.info("Serving %s at %s", store.folder.root, endpoint.url)


def _config(core: CoreContext, token: str) -> uvicorn.Config:
    return uvicorn.Config(
        make_api(core, token),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


class _Server(uvicorn.Server):
    """The server, with signals left to us and a moment in which it has begun."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone; `_stopped_by_signals` has them."""
        yield

    async def began(self, serving: "asyncio.Task[None]") -> None:
        """Wait until the server listens; raises where it could not."""
        while not self.started:
            if serving.done():
                serving.result()
                raise OSError("The local API did not start.")
            await asyncio.sleep(0.005)


@contextlib.contextmanager
def _stopped_by_signals(core: CoreContext) -> Iterator[None]:
    """End cleanly on SIGTERM, SIGINT and, on Windows, Ctrl+Break."""
    loop = asyncio.get_running_loop()
    names = ("SIGTERM", "SIGINT", "SIGBREAK", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]

    def stop(number: int, _frame: object = None) -> None:
        reason = f"Signal {signal.Signals(number).name}."
        loop.call_soon_threadsafe(core.stop, reason)

    with contextlib.ExitStack() as undo:
        for number in numbers:
            if sys.platform == "win32":
                undo.callback(signal.signal, number, signal.signal(number, stop))
            else:
                loop.add_signal_handler(number, stop, number)
                undo.callback(loop.remove_signal_handler, number)
        yield
