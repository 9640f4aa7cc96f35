"""A headless core in a process of its own, as `flotilla serve` starts it."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import CoreOptions, read_endpoint
from desktop_app.contract.routes import Endpoint
from tests.support.child_process import ChildProcess, launch
from tests.support.waiting import wait_until


class CoreProcess(ChildProcess):
    """A running core.

    >>> with CoreProcess.start(tmp_path / "core") as core:
    ...     async with core.client() as client:
    ...         await client.overview()
    """

    name = "core"
    program = "desktop_app.cli"
    """The module that is started."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes], endpoint: Endpoint) -> None:
        super().__init__(data, process)
        self.endpoint = endpoint

    @classmethod
    def start(
        cls, data: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Start a core on `data`, and wait until it listens. Its key lies beside the folder."""
        log = data.with_name(f"{data.name}.output.log")
        process = launch([cls.program, *_arguments(data), *arguments], log, environment)

        def is_listening() -> bool:
            assert process.poll() is None, f"the core ended: {log.read_text()}"
            endpoint = read_endpoint(data)
            return endpoint is not None and endpoint.pid == process.pid

        try:
            wait_until(is_listening, "core.json", seconds=cls.start_seconds)
            endpoint = read_endpoint(data)
            assert endpoint is not None
            return cls(data, process, endpoint)
        except BaseException:
            process.kill()
            process.wait()
            raise

    def client(self) -> CoreClient:
        """Return a client; use it as a context manager."""
        return CoreClient.connect(self.endpoint)


def core_options(data: Path) -> CoreOptions:
    """How a launcher would start the same core."""
    return CoreOptions(data, vault="key-file", key_file=data.with_name(f"{data.name}.key"))


def core_command(data: Path) -> Sequence[str]:
    """Return the command that serves a data folder."""
    return [sys.executable, "-m", CoreProcess.program, *_arguments(data)]


def _arguments(data: Path) -> Sequence[str]:
    options = core_options(data)
    key = ["--vault", options.vault, "--key-file", str(options.key_file)]
    return ["serve", "--data", str(data), *key]
