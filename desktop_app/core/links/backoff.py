"""How long to wait before the next attempt to reach an agent. Pure."""

FIRST_SECONDS = 0.5
MOST_SECONDS = 64.0


class BackOff:
    """A window that doubles with each failure; the wait is a random point in its upper half."""

    def __init__(self) -> None:
        self._window = FIRST_SECONDS

    def next_wait(self, chance: float) -> float:
        """Return the seconds to wait, from a random number between 0 and 1, and double."""
        window = self._window
        self._window = min(window * 2, MOST_SECONDS)
        return window * (0.5 + 0.5 * chance)

    def reset(self) -> None:
        """Begin anew: the link was up."""
        self._window = FIRST_SECONDS
