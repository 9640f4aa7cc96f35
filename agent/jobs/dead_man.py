"""An agent that its desktop has left alone for too long publishes nothing more.

So an account may be moved to another agent although this one cannot be reached. What is under way
is still looked for and told; the first word of the owner's desktop lifts it.
"""

from agent.jobs.journal import Transaction
from agent.jobs.meta import read_number, write_number

SAVE_SECONDS = 60.0
"""How old the time of the last contact on disk may be while the desktop is there."""
_SLACK_SECONDS = 300.0
"""How far a wall clock may be set back before it is taken for one that lost the time."""
_LAST_CONTACT = "last_contact"


class DeadMan:
    """When the owner's desktop was heard last, by two clocks: neither can be fooled alone.

    Over a restart of the machine the wall clock alone counts; one that is behind the last contact
    tells nothing, and so nothing is published.
    """

    def __init__(self, hours: float, last_contact: float, wall: float, running: float) -> None:
        """Begin with the contact that was saved last, seconds since 1970; 0 for never.

        `wall` and `running` are the clocks now; `hours` is how long the agent may be alone, 0 for
        ever.
        """
        self._seconds = hours * 3600.0
        self._heard_wall = last_contact or wall
        self._heard_running = running
        self._saved_wall = last_contact

    @property
    def hours(self) -> float:
        """How long the agent may be alone; 0 for ever."""
        return self._seconds / 3600.0

    def heard(self, wall: float, running: float) -> None:
        """The owner's desktop is there."""
        self._heard_wall = wall
        self._heard_running = running

    def reason(self, wall: float, running: float) -> str:
        """Say why nothing may be published; empty where it may.

        The longer of the two spans counts: a wall clock that was set back hides nothing, and time
        in which the agent did not run counts as well.
        """
        if self._seconds and wall < self._heard_wall - _SLACK_SECONDS:
            return "Waits: this machine's clock is behind the last word of a desktop. Set it."
        alone = max(wall - self._heard_wall, running - self._heard_running)
        if not self._seconds or alone < self._seconds:
            return ""
        return f"Waits: no desktop has been in touch for {self.hours:g} hours."

    def to_save(self) -> float | None:
        """Return the time of contact to write down; None where what is on disk is fresh enough."""
        if not self._seconds or self._heard_wall - self._saved_wall < SAVE_SECONDS:
            return None
        self._saved_wall = self._heard_wall
        return self._heard_wall


def load_contact(transaction: Transaction) -> float:
    """Return when the owner's desktop was heard last, seconds since 1970; 0 for never."""
    return read_number(transaction, _LAST_CONTACT)


def save_contact(transaction: Transaction, at: float) -> None:
    """Note when the owner's desktop was heard last."""
    write_number(transaction, _LAST_CONTACT, at)
