"""Finds the core of a data folder, or starts it so that it outlives whoever asked first.

The core writes `core.json` when it listens and removes it when it ends. Several clients may start
one at the same moment: the store's lock lets one of them live, and all of them find that one.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from common.errors import ConflictError, CoreUnreachableError
from common.infra.paths import make_data_folder, make_private_folder
from common.version import VERSION
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.routes import ENDPOINT_FILE, HEALTH, LOCK_HELD_STATUS, Endpoint

START_SECONDS = 40.0
STORE_URL_VARIABLE = "FLOTILLA_STORE_URL"
_HEALTH_SECONDS = 3.0
_POLL_SECONDS = 0.03
_LOSER_SECONDS = 5.0
"""How long after our own core's death another one may still turn up."""
_TAIL_BYTES = 4096
_TAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class CoreOptions:
    """How a core is started where none runs."""

    data: Path
    """The data folder: store, media, logs."""
    vault: str = ""
    """`keyring`, `passphrase` or `key-file`; empty keeps what the store was made with."""
    key_file: Path | None = None
    store_url: str = ""
    """Only for a store on Postgres."""


async def connect(options: CoreOptions) -> CoreClient:
    """Return a client of the data folder's core, started where none runs.

    The client finds the core again when that was restarted. Raises CoreUnreachableError.
    """
    endpoint = await find_or_start(options)

    async def locate() -> Endpoint:
        return await find_or_start(options)

    return CoreClient.connect(endpoint, locate)


async def find_or_start(options: CoreOptions) -> Endpoint:
    """Return where the data folder's core listens; start it where none answers.

    Raises CoreUnreachableError with the end of the core's log where it does not come up,
    ConflictError where a core of another release runs, and StoreError without a data folder.
    """
    return await find(options.data) or await _start(options)


async def find(data: Path) -> Endpoint | None:
    """Return where the data folder's core listens, or None where none answers.

    Raises ConflictError where a core of another release runs.
    """
    endpoint = read_endpoint(data)
    if endpoint is None or not await _is_healthy(endpoint):
        return None
    if endpoint.app != VERSION:
        raise ConflictError(
            f"A core of release {endpoint.app} is running, and this is release {VERSION}.",
            subject=str(data),
            advice="Close every window of the other release, then try again.",
        )
    return endpoint


def read_endpoint(data: Path) -> Endpoint | None:
    """Return what `core.json` says, without asking whether it is still true."""
    try:
        return Endpoint.model_validate_json((data / ENDPOINT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def core_command(options: CoreOptions) -> list[str]:
    """Return the command that serves a data folder; it holds no secret."""
    frozen = bool(getattr(sys, "frozen", False))
    program = [sys.executable] if frozen else [sys.executable, "-m", "desktop_app.cli"]
    command = [*program, "serve", "--data", str(options.data), "--until-idle", "--detached"]
    if options.vault:
        command += ["--vault", options.vault]
    if options.key_file:
        command += ["--key-file", str(options.key_file)]
    return command


async def _is_healthy(endpoint: Endpoint) -> bool:
    headers = {"Authorization": f"Bearer {endpoint.token.get_secret_value()}"}
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:  # noqa: S501 - loopback
            answer = await http.get(endpoint.url + HEALTH, headers=headers, timeout=_HEALTH_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.is_success


async def _start(options: CoreOptions) -> Endpoint:
    logs = make_private_folder(make_data_folder(options.data) / "logs")
    output = logs / "core-start.log"
    process = _spawn(core_command(options), output, _environment(options))
    try:
        return await _wait_for(options.data, process, output)
    finally:
        # Popen warns of a child that outlives it, which here is the point.
        process.returncode = process.poll() or 0


def _spawn(
    command: list[str], output: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    with output.open("wb") as sink:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=environment,
            **detached,
        )


def _environment(options: CoreOptions) -> dict[str, str]:
    """Return our environment, with the store's address, which may hold a password.

    From a checkout, the modules are found from anywhere.
    """
    environment = dict(os.environ)
    if options.store_url:
        environment[STORE_URL_VARIABLE] = options.store_url
    if not getattr(sys, "frozen", False):
        root = str(Path(__file__).resolve().parents[2])
        known = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join(part for part in (root, known) if part)
    return environment


async def _wait_for(data: Path, process: subprocess.Popen[bytes], output: Path) -> Endpoint:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        endpoint = read_endpoint(data)
        if endpoint is not None and await _is_healthy(endpoint):
            return endpoint
        if process.poll() is not None:
            deadline = min(deadline, time.monotonic() + _LOSER_SECONDS)
            if process.returncode not in {0, LOCK_HELD_STATUS}:
                break
        await asyncio.sleep(_POLL_SECONDS)
    what = (
        f"The core ended with status {process.returncode} when it started."
        if process.poll() is not None
        else f"The core did not come up within {START_SECONDS:.0f} s."
    )
    raise CoreUnreachableError(what, subject=str(data), advice=_tail(output))


def _tail(output: Path) -> str:
    try:
        text = output.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-_TAIL_LINES:])
