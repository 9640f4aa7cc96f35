"""Agents as clients see them, and pairing."""

from common.access import WireSecret
from common.domain.states import LinkState
from common.errors import WireError
from desktop_app.contract.base import Command, Value


class AgentRow(Value):
    """One agent in lists and in the inspector."""

    id: str
    """The agent id: from the SHA-256 of its certificate."""
    name: str
    host: str
    port: int
    link: LinkState
    link_error: WireError | None = None
    app: str = ""
    """Release that runs there."""
    drivers: list[str] = []
    tasks: list[str] = []
    browser_slots: int = 0
    capacity: float = 1.0
    accounts: int = 0
    running: int = 0
    queued: int = 0
    disk_free: int | None = None
    """Bytes."""
    round_trip: float | None = None
    """Seconds."""
    clock_skew: float | None = None
    """Seconds by which its clock is ahead of ours."""
    last_seen: float | None = None
    paired_at: float
    is_draining: bool = False
    """Gets nothing new; what it holds goes on to its end."""
    is_disk_full: bool = False
    dead_man_hours: float = 0.0
    """Hours without this desktop after which the agent publishes nothing more; 0 for never."""
    notice: WireError | None = None
    """What keeps work from it although the link is up: a history that is being compared."""


class DrainAgent(Command):
    """Give an agent nothing new, or let it have work again."""

    id: str
    drain: bool = True


class PairAgent(Command):
    """Pair by the line that `flotilla-agent pair` prints."""

    line: WireSecret


class ForgetAgent(Command):
    """Forget a paired agent. Refused while it holds unfinished items, unless forced."""

    id: str
    force: bool = False
