"""The agent's own program with runners that only do what an item's script says.

What hostile messages make of an item can then reach no platform. Usage:
python -m tests.integration.hostile_frames.scripted_agent DATA READY_FILE
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from agent.app import build_agent
from agent.presence import find_running
from agent.server.pairing import open_code
from agent.settings import load_settings
from common.infra.logs import start_logging
from common.infra.paths import make_data_folder, make_private_folder
from common.security.pairing import PairingLine
from common.security.redaction import Redactor
from tests.support.child_process import ChildProcess, launch, wait_for_ready_file

_RUNNER = (sys.executable, "-m", "tests.support.scripted_runner")


class ScriptedAgent(ChildProcess):
    """A running agent."""

    name = "agent"

    @classmethod
    def start(cls, data: Path) -> Self:
        """Start it, and wait until it listens."""
        ready_file = data.with_name(f"{data.name}.ready.json")
        output = data.with_name(f"{data.name}.output.log")
        process: subprocess.Popen[bytes] = launch([__name__, str(data), str(ready_file)], output)
        wait_for_ready_file(ready_file, process, output, cls.start_seconds)
        return cls(data, process)

    def line(self) -> str:
        """A pairing line."""
        running = find_running(self.data)
        return str(PairingLine("127.0.0.1", running.port, running.agent_id, open_code(self.data)))

    def logs(self) -> list[Path]:
        """The files that a defect would leave its traceback in."""
        return [
            self.data / "logs" / "agent.log",
            self.data.with_name(f"{self.data.name}.output.log"),
        ]


async def _run(data: Path, ready_file: Path) -> None:
    make_data_folder(data)
    start_logging(Redactor(), make_private_folder(data / "logs") / "agent.log")
    settings = load_settings(data, host="127.0.0.1", port=0, browser_slots=0, api_runners=1)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    polite = signal.SIGBREAK if sys.platform == "win32" else signal.SIGTERM
    signal.signal(polite, lambda *_: loop.call_soon_threadsafe(stopping.set))
    async with build_agent(settings, lambda _kind: _RUNNER) as agent:
        await agent.open(ready_file)
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), Path(sys.argv[2])))
