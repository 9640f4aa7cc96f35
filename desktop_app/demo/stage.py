"""What the voyage runs on: a fresh folder, and in it practice platform, agent and core."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from common.errors import ConflictError, StoreError
from common.infra.paths import make_data_folder, write_private_file
from desktop_app.client.launcher import CoreOptions, read_endpoint
from desktop_app.contract.routes import ENDPOINT_FILE
from desktop_app.demo.processes import (
    VoyageProcess,
    ask_pairing_line,
    end_process,
    kill_families,
)

_MARK = "voyage.json"
"""Marks a folder as ours to clear, and says which process uses it, and which ones it started."""


class Stage:
    """The processes of one voyage. `start` once, `stop` always."""

    def __init__(self, folder: Path) -> None:
        """Take `folder` for this voyage and clear what an earlier one left there.

        Raises ConflictError where it is in use, or is not a voyage's folder and not empty.
        """
        self.folder = folder
        _take(folder)
        self.core_options = CoreOptions(
            folder / "practice fleet", vault="key-file", key_file=folder / "keys" / "master.key"
        )
        self._started: list[VoyageProcess] = []
        self.platform_ready: Mapping[str, Any] = {}

    async def start(self) -> None:
        """Start all three and wait until they listen. Raises FlotillaError by name of the part."""
        core, vault = self.core_options.data, self.core_options.vault
        platform = self._start(
            "practice platform", "practice.cli", "serve", self.folder / "platform"
        )
        agent = self._start(
            "agent", "agent.cli", "run", self.folder / "agent", "--host", "127.0.0.1", "--port", "0"
        )
        # A process of our own, so that it can be ended however early that is wished.
        serving = self._start(
            *("core", "desktop_app.cli", "serve", core, "--until-idle", "--vault", vault),
            *("--key-file", str(self.core_options.key_file)),
            ready_file=core / ENDPOINT_FILE,
        )
        self.platform_ready, _, _ = await asyncio.gather(
            platform.ready(), agent.ready(), serving.ready()
        )

    async def stop(self) -> None:
        """End every process that was started, in the order in which they need each other."""
        endpoint = read_endpoint(self.core_options.data)
        if endpoint is not None:  # another one than we started, where that one broke down
            await end_process(endpoint.pid)
        while self._started:
            await self._started[-1].stop()
            self._started.pop()
        (self.folder / _MARK).write_text(json.dumps({}), "utf-8")

    def _start(
        self,
        name: str,
        module: str,
        verb: str,
        data: Path,
        *arguments: str,
        ready_file: Path | None = None,
    ) -> VoyageProcess:
        command = [verb, "--data", str(data), *arguments]
        output = self.folder / f"{name.replace(' ', '-')}-process"
        process = VoyageProcess(name, module, command, output, ready_file)
        self._started.append(process)
        _write_mark(self.folder, [process.pid for process in self._started])
        return process

    async def pairing_line(self) -> str:
        """Return a line to pair with the agent."""
        return await ask_pairing_line(self.folder / "agent")


def _take(folder: Path) -> None:
    mark = folder / _MARK
    if mark.is_file():
        demo, started = _read_mark(mark)
        if demo is not None:
            raise ConflictError(
                f"A demo is still running in {folder} (process {demo.pid}).",
                subject=str(folder),
                advice="Stop it with Ctrl+C first, or name another folder with --folder.",
            )
        kill_families(started)
        _clear(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise ConflictError(
            f"{folder} holds other files.",
            subject=str(folder),
            advice="Name an empty folder with --folder.",
        )
    make_data_folder(folder)
    _write_mark(folder, [])


def _clear(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as problem:
        raise StoreError(
            f"What an earlier demo left in {folder} cannot be cleared: {problem.strerror}.",
            subject=str(folder),
            advice="Delete the folder, or name another one with --folder.",
        ) from problem


def _write_mark(folder: Path, started: Sequence[int]) -> None:
    mark = {"demo": _identity(os.getpid()), "started": [_identity(pid) for pid in started]}
    write_private_file(folder / _MARK, json.dumps(mark).encode())


def _read_mark(mark: Path) -> tuple[psutil.Process | None, list[psutil.Process]]:
    """Return the demo that uses the folder, and what it started, as far as they still run."""
    try:
        said = json.loads(mark.read_text("utf-8"))
    except ValueError:
        said = {}
    started = [_running(identity) for identity in said.get("started", [])]
    return _running(said.get("demo")), [process for process in started if process is not None]


def _identity(pid: int) -> dict[str, float] | None:
    try:
        return {"pid": pid, "since": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return None


def _running(identity: Mapping[str, Any] | None) -> psutil.Process | None:
    """Return the process, unless its number has passed on to another one."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity["pid"])
        return process if process.create_time() == identity["since"] else None
    except psutil.NoSuchProcess:
        return None
