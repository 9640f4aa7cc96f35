"""What the voyage runs on: a fresh folder, and in it practice platform, agent and core."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from common.errors import ConflictError
from common.infra.paths import make_private_folder, write_private_file
from desktop_app.client.launcher import CoreOptions, find_or_start, read_endpoint
from desktop_app.demo.processes import VoyageProcess, ask_pairing_line, end_process

_MARK = "voyage.json"
"""Marks a folder as ours to clear, and says which process uses it."""


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
        self._platform: VoyageProcess | None = None
        self._agent: VoyageProcess | None = None
        self.platform_ready: Mapping[str, Any] = {}

    async def start(self) -> None:
        """Start all three and wait until they listen. Raises FlotillaError by name of the part."""
        self._platform = VoyageProcess(
            "practice platform",
            "practice.cli",
            ["serve", "--data", str(self.folder / "platform")],
            self.folder / "platform-process",
        )
        self._agent = VoyageProcess(
            "agent",
            "agent.cli",
            ["run", "--data", str(self.folder / "agent"), "--host", "127.0.0.1", "--port", "0"],
            self.folder / "agent-process",
        )
        self.platform_ready, _, _ = await asyncio.gather(
            self._platform.ready(), self._agent.ready(), find_or_start(self.core_options)
        )

    async def stop(self) -> None:
        """End every process that was started, in the order in which they need each other."""
        endpoint = read_endpoint(self.core_options.data)
        if endpoint is not None:
            await end_process(endpoint.pid)
        for process in (self._agent, self._platform):
            if process is not None:
                await process.stop()
        (self.folder / _MARK).write_text(json.dumps({}), "utf-8")

    async def pairing_line(self) -> str:
        """Return a line to pair with the agent."""
        return await ask_pairing_line(self.folder / "agent")


def _take(folder: Path) -> None:
    mark = folder / _MARK
    if mark.is_file():
        _refuse_where_in_use(mark)
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise ConflictError(
            f"{folder} holds other files.",
            subject=str(folder),
            advice="Name an empty folder with --folder.",
        )
    make_private_folder(folder)
    us = psutil.Process()
    owner = {"pid": os.getpid(), "started": us.create_time()}
    write_private_file(mark, json.dumps(owner).encode())


def _refuse_where_in_use(mark: Path) -> None:
    owner = json.loads(mark.read_text("utf-8") or "{}")
    pid = owner.get("pid")
    if pid is None or not psutil.pid_exists(pid):
        return
    if psutil.Process(pid).create_time() == owner["started"]:
        raise ConflictError(
            f"A demo is still running in {mark.parent} (process {pid}).",
            subject=str(mark.parent),
            advice="Stop it with Ctrl+C first, or name another folder with --folder.",
        )
