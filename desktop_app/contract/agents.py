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


class PairAgent(Command):
    """Pair by the line that `flotilla-agent pair` prints."""

    line: WireSecret


class ForgetAgent(Command):
    """Forget a paired agent. Refused while it holds unfinished items, unless forced."""

    id: str
    force: bool = False
