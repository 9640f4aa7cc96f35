"""A process of ours under test: started apart, waited for, stopped politely or killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]


class ChildProcess:
    """One running process. Use it as a context manager; leaving stops it."""

    name = "process"
    start_seconds = 40.0
    stop_seconds = 45.0

    def __init__(self, data: Path, process: subprocess.Popen[bytes]) -> None:
        self.data = data
        self.process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """True until the process has ended."""
        return self.process.poll() is None

    def stop(self) -> int:
        """Ask the process to stop, wait for it, and return its exit status."""
        if self.is_running:
            ask_to_stop(self.process)
        try:
            return self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the {self.name} didn't stop when it was asked to") from None

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.process.kill()
        self.process.wait(self.stop_seconds)


def launch(
    command: Sequence[str], log: Path, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a module of ours with this interpreter; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=REPOSITORY,
            # The run's mark is in the environment: what is left behind is found by it.
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Send what a terminal or a service manager would."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process is gone, or only waits for its parent to take note of its end."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for_ready_file(
    ready_file: Path, process: subprocess.Popen[bytes], log: Path, seconds: float
) -> dict[str, Any]:
    """Return what the process says once it listens; kills it where it does not come up."""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                ready: dict[str, Any] = json.loads(ready_file.read_bytes())
                return ready
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(0.02)
                raise AssertionError(f"it ended with {status}: {log.read_text()}")
        raise AssertionError(f"it isn't ready after {seconds} s: {log.read_text()}")
    except BaseException:
        process.kill()
        process.wait()
        raise
