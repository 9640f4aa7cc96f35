"""Clocks: one that runs through a suspend where the system has it, and a watch for jumps."""

import time

JUMP_SECONDS = 10.0


def running_time() -> float:
    """Return seconds of a clock that never goes back and, on Linux, runs through a suspend."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot_clock) if boot_clock is not None else time.monotonic()


class JumpWatch:
    """Notices a suspend, or a wall clock that was set: the two clocks drift apart at once."""

    def __init__(self, wall: float, steady: float) -> None:
        self._gap = wall - steady

    def has_jumped(self, wall: float, steady: float) -> bool:
        """Say whether the clocks moved apart by more than `JUMP_SECONDS` since the last call."""
        gap = wall - steady
        jumped = abs(gap - self._gap) > JUMP_SECONDS
        self._gap = gap
        return jumped
