"""How other programs on this machine find a running agent: a private file with its address."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from common.errors import NotFoundError
from common.infra.paths import write_private_file

_FILE = "running.json"
_SAME_START_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Presence:
    """A running agent."""

    pid: int
    host: str
    """The address it listens at."""
    port: int
    agent_id: str
    public_host: str
    """The address or name that desktops dial."""
    started: float
    """The process's start time, so that a reused id is not taken for it."""


def announce(presence: Presence, folder: Path, ready_file: Path | None) -> None:
    """Say that the agent listens; `ready_file` is for whoever started it."""
    write_private_file(folder / _FILE, json.dumps(asdict(presence)).encode())
    if ready_file is not None:
        ready = {
            "pid": presence.pid,
            "host": presence.host,
            "port": presence.port,
            "agent_id": presence.agent_id,
        }
        write_private_file(ready_file, json.dumps(ready).encode())


def withdraw(folder: Path, ready_file: Path | None) -> None:
    """Say that the agent has ended."""
    (folder / _FILE).unlink(missing_ok=True)
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)


def find_running(folder: Path) -> Presence:
    """Return the agent that runs on `folder`; raises NotFoundError where none does."""
    try:
        presence = Presence(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
        started = psutil.Process(presence.pid).create_time()
    except (OSError, ValueError, TypeError, psutil.Error):
        raise _not_running(folder) from None
    if abs(started - presence.started) > _SAME_START_SECONDS:
        raise _not_running(folder)
    return presence


def own_start_time() -> float:
    """Return this process's start time, seconds since 1970."""
    return float(psutil.Process(os.getpid()).create_time())


def dialled_host(host: str, public_host: str) -> str:
    """Return the address to print for desktops, where the agent listens at `host`."""
    if public_host:
        return public_host
    if host not in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return host
    with contextlib.suppress(psutil.Error, OSError):
        for addresses in psutil.net_if_addrs().values():
            for address in addresses:
                if address.family.name == "AF_INET" and not address.address.startswith("127."):
                    return address.address
    return "127.0.0.1"


def _not_running(folder: Path) -> NotFoundError:
    return NotFoundError(
        f"No agent runs on {folder}.",
        subject=str(folder),
        advice="Start it with `flotilla-agent run`, then try again.",
    )
