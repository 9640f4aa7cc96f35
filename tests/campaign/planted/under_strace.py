"""The campaign's agent below strace: `python -m tests.campaign.planted.under_strace run ...`.

The traced program keeps this process's number; strace watches from the side and ends with it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.planted.system_calls import CALLS, TEXT_BYTES

_AGENT = "tests.campaign.inside.start_agent"


def trace_file(folder: Path) -> Path:
    """Where the trace of a machine is written."""
    return folder / "trace"


def main() -> None:
    """Become the agent, traced."""
    folder = Surroundings.read().folder
    folder.mkdir(parents=True, exist_ok=True)
    watch = ["strace", "-D", "-f", "-q", "-y", "-s", str(TEXT_BYTES), "-e", f"trace={CALLS}"]
    agent = [sys.executable, "-m", _AGENT, *sys.argv[1:]]
    command = [*watch, "-o", str(trace_file(folder)), *agent]
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
