"""Accounts and proxies as clients see them, and the import of both."""

from typing import Literal

from common.access import WireSecret
from common.domain.accounts import DriverName, Platform
from common.domain.states import SignInState
from common.errors import WireError
from desktop_app.contract.base import Command, Value


class Hold(Value):
    """A stop on an account, with its reason."""

    reason: str
    error: WireError | None = None
    at: float


class AccountRow(Value):
    """One account in lists and in the inspector."""

    id: str
    platform: Platform
    username: str
    full_name: str = ""
    user_id: str = ""
    tags: list[str] = []
    driver: DriverName | None = None
    """The operator's preference; None lets the planner choose."""
    has_password: bool = False
    has_totp: bool = False
    proxy_id: str | None = None
    proxy: str = ""
    """Scheme, host and port of its proxy, to show."""
    agent_id: str | None = None
    agent: str = ""
    """Name of the agent that it is assigned to."""
    moving_to: str = ""
    """Name of the agent that it goes to once the present one holds nothing of it any more."""
    sign_in: SignInState = SignInState.UNKNOWN
    sign_in_at: float | None = None
    """When that was learnt, seconds since 1970."""
    error: WireError | None = None
    """The last thing that went wrong, until something goes well again."""
    hold: Hold | None = None
    posts: int = 0
    """Posts that Flotilla has published on it."""
    profile_url: str = ""
    created_at: float


class ProxyRow(Value):
    """One proxy in lists."""

    id: str
    url: str
    username: str = ""
    has_password: bool = False
    accounts: int = 0


class ImportAccounts(Command):
    """Text to import accounts from. Nothing is applied while a line has a problem."""

    text: WireSecret
    """CSV with a header line, or lines `username:password[:totp seed][:proxy url]`."""
    platform: Platform = Platform.INSTAGRAM
    platform_url: str = ""
    """Practice accounts only: address of the practice platform, on this machine."""
    tags: list[str] = []
    """Added to every account of the import."""
    dry_run: bool = False
    """Only say what would happen."""
    confirmed_authority: bool = False
    """The operator's word that they own these accounts or may manage them. Required to apply."""


class ImportProblem(Value):
    """Why one line cannot be imported."""

    line: int
    field: str
    message: str
    advice: str = ""


class ImportResult(Value):
    """What an import did, or would do."""

    applied: bool
    accounts: int
    """Accounts that were, or would be, created."""
    proxies: int = 0
    problems: list[ImportProblem] = []
    revision: int
    ids: list[str] = []


class EditAccounts(Command):
    """Change accounts; a field left None stays as it is."""

    ids: list[str]
    add_tags: list[str] = []
    remove_tags: list[str] = []
    driver: DriverName | Literal["automatic"] | None = None
    proxy_url: WireSecret | None = None
    """Empty for no proxy; may carry user name and password."""
    password: WireSecret | None = None
    totp_seed: WireSecret | None = None
    full_name: str | None = None


class HoldAccounts(Command):
    """Stop accounts from being used, or let them go again."""

    ids: list[str]
    hold: bool
    reason: str = ""


class DeleteAccounts(Command):
    """Remove accounts. What was published stays in the ledger."""

    ids: list[str]


class MoveAccounts(Command):
    """Give accounts to another agent.

    An account moves at once where its agent holds nothing of it, or has stopped for good: its
    dead-man time is over. Otherwise it moves when the items that are there have ended (drain), or
    on the operator's word that the old agent will do nothing more.
    """

    ids: list[str]
    agent_id: str
    accept_risk: bool = False
    """The operator's word. What the old agent may have sent stays in doubt, and is looked for by
    the new one before anything of it is sent."""


class MoveResult(Value):
    """What became of a move, by account."""

    moved: list[str] = []
    draining: list[str] = []
    """Move by themselves once the old agent has ended what it holds."""
    refused: dict[str, WireError] = {}
    """Why not, with the risk that the operator would have to accept."""
    revision: int
