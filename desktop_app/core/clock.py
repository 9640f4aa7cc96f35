"""Notices when time did not pass evenly. The clock itself is `common.infra.clock`."""

JUMP_SECONDS = 10.0


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
