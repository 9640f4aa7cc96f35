"""Finds the processes that a test run started and left behind.

Every process of a run carries the run's token in its environment. This is the program that
`run.py test` starts last; it ends what it finds and exits with 1, so that a leak fails the run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import psutil

VARIABLE = "FLOTILLA_TEST_RUN"
GRACE_SECONDS = 5.0
"""How long a process that is already ending may take."""


def carriers(token: str, variable: str = VARIABLE) -> list[psutil.Process]:
    """Living processes with this token in their environment, this one excepted."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.pid != psutil.Process().pid
            alive = process.status() != psutil.STATUS_ZOMBIE
            if mine and alive and process.environ().get(variable) == token:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or belongs to another user of this machine
    return found


def describe(process: psutil.Process) -> str:
    """One line that tells a person which process this is."""
    try:
        age = time.time() - process.create_time()
        return f"pid {process.pid}, {age:.0f} s old: {' '.join(process.cmdline())[:160]}"
    except psutil.Error:
        return f"pid {process.pid}, ended just now"


def main(arguments: Sequence[str]) -> int:
    """Report and end the processes that carry the token in `arguments`; 1 when there were any."""
    (token,) = arguments
    _, left = psutil.wait_procs(carriers(token), timeout=GRACE_SECONDS)
    for process in left:
        print(f"Left behind by the tests: {describe(process)}", flush=True)
        process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
