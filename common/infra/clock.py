"""A clock for spans of time that a suspend must not hide."""

import sys
import time


def running_time() -> float:
    """Return seconds of a clock that never goes back and runs through a suspend.

    Python's own steady clock does so on Windows alone; on macOS and Linux another one does.
    """
    name = "CLOCK_MONOTONIC" if sys.platform == "darwin" else "CLOCK_BOOTTIME"
    clock = getattr(time, name, None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()
