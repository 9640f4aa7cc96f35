"""The processes that the voyage starts, and how each of them is ended, whatever happens."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

from common.errors import FlotillaError

_START_SECONDS = 30.0
_STOP_SECONDS = 12.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.02
_ROOT = Path(__file__).resolve().parents[2]


class VoyageProcess:
    """One child process that says where it listens in a ready file."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        ready_file: Path | None = None,
    ) -> None:
        """`folder` takes its output, and its ready file unless it has a place of its own for it."""
        self.name = name
        self._ready_file = ready_file or folder / "ready.json"
        self._log = folder / "output.log"
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", module, *arguments]
        if ready_file is None:
            command += ["--ready-file", str(self._ready_file)]
        with self._log.open("wb") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                # Out of reach of the terminal's Ctrl+C: the voyage ends them in its own order.
                **_apart(),
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def ready(self) -> dict[str, Any]:
        """Wait until it listens, and return what its ready file says.

        Raises FlotillaError with the end of its output where it ends or does not come up.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                ready: dict[str, Any] = json.loads(self._ready_file.read_bytes())
                return ready
            await asyncio.sleep(_POLL_SECONDS)
        lines = self._log.read_text("utf-8", "replace").splitlines()
        raise FlotillaError(
            f"The {self.name} did not start.", subject=self.name, advice="\n".join(lines[-12:])
        )

    async def stop(self) -> None:
        """Ask it to end, wait, then end it with everything it started."""
        await end_process(self._process.pid)
        await asyncio.to_thread(self._process.wait)


async def ask_pairing_line(agent_data: Path) -> str:
    """Ask the running agent for a pairing line, as a person at the worker machine would.

    Raises FlotillaError with what the agent's command said where it gives none.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "pair", "--data", str(agent_data)),
        cwd=_ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    line = problem = b""
    try:
        async with asyncio.timeout(_START_SECONDS):
            line, problem = await process.communicate()
    except TimeoutError:
        problem = f"It did not answer within {_START_SECONDS:.0f} s.".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise FlotillaError(
            "The agent gave no pairing line.", advice=problem.decode("utf-8", "replace").strip()
        )
    return line.decode().strip().splitlines()[-1]


async def end_process(pid: int, *, ask: bool = True) -> None:
    """End a process and its descendants: ask the process first, then kill what is left."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    if ask:
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            _ask_to_end(process)
        await asyncio.to_thread(psutil.wait_procs, [process], _STOP_SECONDS)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    await asyncio.to_thread(psutil.wait_procs, family, _KILL_SECONDS)


def kill_families(processes: Iterable[psutil.Process]) -> None:
    """Kill processes that nobody owns any more, with their descendants."""
    family = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            family += [process, *process.children(recursive=True)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, _KILL_SECONDS)


def _ask_to_end(process: psutil.Process) -> None:
    if sys.platform == "win32":
        os.kill(process.pid, signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def _apart() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
