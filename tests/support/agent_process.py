"""An agent in a process of its own, on loopback, as the operator starts it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.support.child_process import REPOSITORY, ChildProcess, launch, wait_for_ready_file


class AgentProcess(ChildProcess):
    """A running agent.

    >>> with AgentProcess.start(tmp_path / "agent") as agent:
    ...     line = agent.pair_line()
    """

    name = "agent"
    program = "agent.cli"
    """The module that is started."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes], ready: Mapping[str, Any]):
        super().__init__(data, process)
        self.host: str = ready["host"]
        self.port: int = ready["port"]
        self.agent_id: str = ready["agent_id"]

    @classmethod
    def start(
        cls,
        data: Path,
        environment: Mapping[str, str] | None = None,
        /,
        *,
        port: int | str = 0,
        **variables: str,
    ) -> Self:
        """Start an agent on `data`, and wait until it listens; port 0 takes any free one.

        `variables` are settings, such as `browser_slots="2"`; `environment` is anything else.
        """
        data.mkdir(parents=True, exist_ok=True)
        ready_file = data.with_name(f"{data.name}.ready.json")
        ready_file.unlink(missing_ok=True)
        log = data.with_name(f"{data.name}.output.log")
        settings = {
            f"FLOTILLA_AGENT_{name.upper()}": text
            for name, text in {"ballast_mib": "1", **variables}.items()
        }
        settings |= environment or {}
        where = ["--host", "127.0.0.1", "--port", str(port), "--ready-file", str(ready_file)]
        process = launch([cls.program, "run", "--data", str(data), *where], log, settings)
        return cls(data, process, wait_for_ready_file(ready_file, process, log, cls.start_seconds))

    def pair_line(self, *, take_over: bool = False) -> str:
        """Open a one-time code as the operator does, and return the line to paste."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "agent.cli", "pair", "--data", str(self.data)),
                *(["--take-over"] if take_over else []),
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=self.start_seconds,
            check=True,
        )
        return done.stdout.strip()
