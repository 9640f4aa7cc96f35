"""One runner: a child process, the pipe to it, and its end in three steps.

What it is asked to run, and what its messages mean, is the supervisor's business.
"""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import psutil

from agent.runners import pipe
from agent.runners.messages import (
    FROM_RUNNER,
    FromRunner,
    RunnerKind,
    RunnerReady,
    StopRunner,
    ToRunner,
)
from agent.runners.pipe import ScreenFrame

_LOG = logging.getLogger(__name__)
_READY_SECONDS = 60.0
_STEP_SECONDS = 5.0
"""How long each step of ending a process may take."""
_LINE_LIMIT = 64 * 1024
# Windows alone has this flag; elsewhere a session of its own is the group.
_NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class RunnerEvents(Protocol):
    """What a runner tells its owner."""

    def runner_started(self, runner: "RunnerProcess", pid: int, started: float) -> None:
        """Its process exists; `started` is the process's own start time."""

    def runner_said(self, runner: "RunnerProcess", message: FromRunner) -> None:
        """It sent a message."""

    def runner_showed(self, runner: "RunnerProcess", frame: ScreenFrame) -> None:
        """It sent a picture."""

    def runner_ended(self, runner: "RunnerProcess") -> None:
        """Its process is gone, whether it was asked to or not."""


class RunnerProcess:
    """A child process that runs items. Messages sent before it is up wait for it."""

    def __init__(
        self,
        kind: RunnerKind,
        command: Sequence[str],
        events: RunnerEvents,
        environment: Mapping[str, str],
    ) -> None:
        """`environment` is what the process gets beside our own."""
        self.kind = kind
        self._environment = environment
        self.pid = 0
        self._command = command
        self._events = events
        self._process: asyncio.subprocess.Process | None = None
        self._unsent: list[bytes] = []
        self._writing: asyncio.Handle | None = None
        self._ready = asyncio.Event()
        self._gone = asyncio.Event()
        self.is_stopping = False

    @property
    def is_alive(self) -> bool:
        """True until its process is gone or it was asked to stop."""
        return not self._gone.is_set() and not self.is_stopping

    @property
    def was_ready(self) -> bool:
        """True once it has said that it takes items."""
        return self._ready.is_set()

    def send(self, message: ToRunner) -> None:
        """Write a message to the runner; one that is gone takes it silently: its end is told."""
        self._unsent.append(pipe.pack_json(message.model_dump_json()))
        if self._process is not None and self._writing is None:
            # What is said in one turn of the loop goes out in one write.
            self._writing = asyncio.get_running_loop().call_soon(self._write)

    async def run(self) -> None:
        """Start the process and read it to its end. Tells `runner_ended` exactly once."""
        readers: list[asyncio.Task[None]] = []
        try:
            process = await self._spawn()
            readers.append(asyncio.create_task(self._watch_ready(), name="runner ready"))
            readers.append(asyncio.create_task(_forward_errors(process, self.kind)))
            await self._read(process)
        except OSError as problem:
            _LOG.error("A %s runner could not start: %s", self.kind, problem)
        except ValueError as problem:
            # The message itself stays out of the log: it may hold a secret.
            _LOG.error("A %s runner sent what nobody can read (%s).", self.kind, type(problem))
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            await self._end_process()
            self._gone.set()
            self._events.runner_ended(self)

    async def stop(self, grace: float) -> None:
        """Ask it to stop, wait `grace` seconds, then terminate, then kill."""
        if self._gone.is_set():
            return
        self.is_stopping = True
        self.send(StopRunner())
        try:
            async with asyncio.timeout(grace):
                await self._gone.wait()
        except TimeoutError:
            _LOG.warning("A %s runner did not stop within %.0f s.", self.kind, grace)
            await self._end_process()

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=_LINE_LIMIT,
            env={**os.environ, **self._environment},
            start_new_session=True,
            creationflags=_NEW_GROUP,
        )
        self.pid = process.pid
        self._process = process
        with contextlib.suppress(psutil.Error):
            started = psutil.Process(process.pid).create_time()
            self._events.runner_started(self, process.pid, started)
        self._write()
        return process

    def _write(self) -> None:
        self._writing = None
        unsent, self._unsent = self._unsent, []
        stdin = self._process.stdin if self._process else None
        if stdin is not None and unsent and not stdin.is_closing():
            stdin.write(b"".join(unsent))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while (body := await pipe.read(process.stdout)) is not None:
            if isinstance(body, ScreenFrame):
                self._events.runner_showed(self, body)
                continue
            message = FROM_RUNNER.validate_json(body)
            if isinstance(message, RunnerReady):
                self._ready.set()
            self._events.runner_said(self, message)

    async def _watch_ready(self) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            _LOG.warning("A %s runner was not ready within %.0f s.", self.kind, _READY_SECONDS)
            self._signal(kill=True)

    async def _end_process(self) -> None:
        """Make sure that the process, and what it started, is gone."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        for step in ("exit", "terminate", "kill"):
            if step != "exit":
                self._signal(kill=step == "kill")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STEP_SECONDS):
                    await process.wait()
                    break
            _LOG.warning("A %s runner is still there after: %s.", self.kind, step)
        self._signal(kill=True)

    def _signal(self, *, kill: bool) -> None:
        """Signal the runner's whole group; where there are no groups, the process alone."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                if self._process.returncode is None:
                    self._process.kill() if kill else self._process.terminate()
            else:
                os.killpg(self._process.pid, signal.SIGKILL if kill else signal.SIGTERM)


async def _forward_errors(process: asyncio.subprocess.Process, kind: RunnerKind) -> None:
    """Write what the runner says on its standard error into the agent's log."""
    log = logging.getLogger(f"agent.runner.{kind}")
    if process.stderr is None:
        return
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:
            continue
        if not line:
            return
        log.info("%d: %s", process.pid, line.decode(errors="replace").rstrip())


RunnerCommand = Callable[[RunnerKind], Sequence[str]]
"""How to start a runner of a kind."""
