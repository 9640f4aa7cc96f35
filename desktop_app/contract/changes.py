"""What the core pushes to its clients: deltas at most ten times a second, and screens.

A client reads a list (with its revision), then applies every later change in order. Item rows are
pushed only for runs that the client watches.
"""

from typing import Annotated, Literal

from pydantic import Field

from common.domain.states import ItemState, RunState, SignInState
from desktop_app.contract.accounts import AccountRow, ProxyRow
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.base import Command, Value
from desktop_app.contract.cards import CardRow
from desktop_app.contract.media import MediaRow
from desktop_app.contract.runs import ItemRow, RunRow


class Overview(Value):
    """The fleet in numbers: the status bar, and the counts of the rail."""

    store_name: str
    practice: bool
    """True where every account is a practice account (and there is one)."""
    accounts: int = 0
    signed_in: int = 0
    held: int = 0
    agents: int = 0
    agents_online: int = 0
    media: int = 0
    needs_operator: int = 0
    cards: int = 0
    """Attention cards that wait for an answer."""
    items: dict[ItemState, int] = {}
    """Unfinished items of all runs by state."""
    runs: dict[RunState, int] = {}
    sign_in: dict[SignInState, int] = {}
    revision: int = 0


class Delta(Value):
    """Rows that changed and ids that are gone, since the last delta."""

    t: Literal["delta"] = "delta"
    revision: int
    overview: Overview | None = None
    accounts: list[AccountRow] = []
    proxies: list[ProxyRow] = []
    agents: list[AgentRow] = []
    media: list[MediaRow] = []
    runs: list[RunRow] = []
    items: list[ItemRow] = []
    cards: list[CardRow] = []
    log_sizes: dict[str, int] = {}
    """Bytes of the log so far, by run, for watched runs."""
    removed: dict[str, list[str]] = {}
    """Ids that are gone, by list name."""


class Reset(Value):
    """The client fell behind or the core restarted: read everything again."""

    t: Literal["reset"] = "reset"
    revision: int


class Closing(Value):
    """The core is about to end, and why."""

    t: Literal["closing"] = "closing"
    reason: str


Change = Annotated[Delta | Reset | Closing, Field(discriminator="t")]


class Watch(Command):
    """A client's wishes; each one replaces the one before it. Sent on the changes socket."""

    runs: list[str] = []
    """Push item rows and log sizes of these runs."""


class WatchScreens(Command):
    """Which screens to push on the screens socket; each one replaces the one before it.

    Frames come as binary messages: the account's id (26 ASCII bytes), then a JPEG.
    """

    account_ids: list[str] = []
    width: int = Field(default=640, ge=80, le=1920)
