"""How long one side may act on the strength of what it last heard from the other. Pure.

The clock has to run through a suspend (see `common.infra.clock.running_time`): a machine that
slept must find its leases run out, not frozen. What a lease protects is not here; a command that
slips through all the same is caught by its fence (`fences.py`).
"""


class ActingLease:
    """The right to act, until `ttl` seconds after the other side was last known to be there.

    A lease that has run out stays out, whatever arrives afterwards: a message that lay in a buffer
    while this machine slept proves nothing about the present. Shake hands again and take a new one.
    """

    __slots__ = ("_is_over", "_margin", "_ttl", "_until")

    def __init__(self, ttl: float, granted_at: float, *, margin: float = 0.0) -> None:
        """Begin at `granted_at`.

        `ttl` is how long the other side counts on it, in seconds; the holder stops `margin`
        seconds earlier, so that what it began is over by then.
        """
        if not 0.0 <= margin < ttl:
            raise ValueError("A lease's margin is shorter than the lease.")
        self._ttl = ttl
        self._margin = margin
        self._until = granted_at + ttl - margin
        self._is_over = False

    def may_act(self, now: float) -> bool:
        """Say whether something may be begun at `now`."""
        return self.left(now) > 0.0

    def left(self, now: float) -> float:
        """Return the seconds for which it may still be acted; 0 once the lease has run out."""
        if now >= self._until:
            self._is_over = True
        return 0.0 if self._is_over else self._until - now

    def renew(self, now: float, as_of: float | None = None) -> bool:
        """Hear from the other side at `now`; return False where that comes too late.

        `as_of` is a moment at which it is certain to have been there: when the question was sent
        that it answers. Without one, hearing from it counts from `now`.
        """
        if not self.may_act(now):
            return False
        heard = now if as_of is None else min(as_of, now)
        self._until = max(self._until, heard + self._ttl - self._margin)
        return self.may_act(now)

    def end(self) -> None:
        """Give it up: the clock jumped, or the session is over."""
        self._is_over = True
