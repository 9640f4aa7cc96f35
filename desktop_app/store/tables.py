"""Every table of the store, and nothing else. Rows never leave `desktop_app.store`.

States and names are stored as their text, times as seconds since 1970, sealed values as bytes that
only the vault can open. Accounts, agents and runs may be deleted while items, intents and ledger
steps that name them stay: those columns are therefore no foreign keys.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, MetaData, Table, text
from sqlmodel import Field, SQLModel, UniqueConstraint

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class _Row(SQLModel):
    metadata = MetaData(naming_convention=_NAMES)


def _json(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=nullable))


def _sealed() -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class Meta(_Row, table=True):
    """Facts of the store itself: `store_id`, `generation`."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str


class Proxy(_Row, table=True):
    """One proxy; the same address with another user name is another proxy."""

    __tablename__ = "proxy"
    __table_args__ = (UniqueConstraint("url", "username"),)
    id: str = Field(primary_key=True)
    url: str
    username: str
    password: bytes | None = _sealed()


class Account(_Row, table=True):
    """One account."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("platform", "platform_url", "username"),)
    id: str = Field(primary_key=True)
    platform: str
    platform_url: str
    username: str
    full_name: str
    user_id: str
    driver: str | None
    proxy_id: str | None = Field(
        default=None, foreign_key="proxy.id", ondelete="SET NULL", index=True
    )
    agent_id: str | None = Field(default=None, index=True)
    moving_to: str | None
    """The agent that it goes to once the present one holds nothing of it any more."""
    fence: int
    password: bytes | None = _sealed()
    totp_seed: bytes | None = _sealed()
    sign_in: str
    sign_in_at: float | None
    error: dict[str, Any] | None = _json(nullable=True)
    hold_by: str | None
    """`operator`, or `platform` for a hold that a verified sign-in lifts by itself."""
    hold_reason: str | None
    hold_error: dict[str, Any] | None = _json(nullable=True)
    hold_at: float | None
    posts: int
    """Confirmed posts; counted here so that a list of accounts needs no second table."""
    authority_confirmed_at: float
    created_at: float


class AccountName(_Row, table=True):
    """A name on a platform, in lower case, and whose it is. Never pruned."""

    __tablename__ = "account_name"
    platform: str = Field(primary_key=True)
    platform_url: str = Field(primary_key=True)
    username: str = Field(primary_key=True)
    account_id: str
    fence: int
    """The account's when it was deleted; 0 before."""


class AccountTag(_Row, table=True):
    """One tag of one account."""

    __tablename__ = "account_tag"
    account_id: str = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    tag: str = Field(primary_key=True, index=True)


class Session(_Row, table=True):
    """The saved sign-in state of one account with one driver."""

    __tablename__ = "session"
    account_id: str = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    driver: str = Field(primary_key=True)
    version: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Agent(_Row, table=True):
    """One paired agent, with the cursor into its outbox."""

    __tablename__ = "agent"
    id: str = Field(primary_key=True)
    name: str
    host: str
    port: int
    certificate: str
    """PEM; the only one that is trusted at this address."""
    token: bytes | None = _sealed()
    scope: str
    card: dict[str, Any] | None = _json(nullable=True)
    cursor_epoch: str
    cursor_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    cursor_at: float | None
    """When the event that the cursor stands on happened: it tells a journal that was put back."""
    generation: int
    """The store's generation in which it was compared last with what is known here."""
    foreign_items: list[str] = _json()
    """Items that it holds and that this store does not know."""
    is_draining: bool
    paired_at: float
    last_seen: float | None


class Media(_Row, table=True):
    """One file of the library; its bytes lie in the media folder under this name."""

    __tablename__ = "media"
    sha256: str = Field(primary_key=True)
    name: str
    title: str
    kind: str
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    width: int
    height: int
    duration: float
    added_at: float
    used: int


class Run(_Row, table=True):
    """One execution of a task."""

    __tablename__ = "run"
    id: str = Field(primary_key=True)
    name: str
    task: str
    parameters: dict[str, Any] = _json()
    targets: dict[str, Any] = _json()
    created_at: float
    ended_at: float | None
    handed_over_at: float | None


class Item(_Row, table=True):
    """One unit of a run."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("run_id", "position"),
        Index(None, "run_id", "state"),
        Index(None, "agent_id", "state"),
    )
    id: str = Field(primary_key=True)
    run_id: str
    position: int
    account_id: str = Field(index=True)
    username: str
    """As it was at the start; the account may be gone later."""
    agent_id: str | None
    title: str
    state: str = Field(index=True)
    attempt: int
    driver: str
    driver_reason: str
    parameters: dict[str, Any] = _json()
    intent_id: str | None = Field(default=None, index=True)
    not_before: float | None
    step: str
    error: dict[str, Any] | None = _json(nullable=True)
    result: dict[str, Any] = _json()
    offered_at: float | None
    """When its agent was first asked to take it: from then on it may have it."""
    accepted_at: float | None
    started_at: float | None
    ended_at: float | None
    changed_at: float
    log_end: int = Field(sa_column=Column(BigInteger, nullable=False))
    wanted: str | None
    """`paused` or `cancelled`: what the operator asked of an agent that has not answered yet."""


class FormerHolder(_Row, table=True):
    """An agent that had an item before; an empty one where a lost history knew who. Only grows."""

    __tablename__ = "former_holder"
    item_id: str = Field(primary_key=True)
    agent_id: str = Field(primary_key=True)


class PublishIntent(_Row, table=True):
    """The one right to publish certain media on an account. Never pruned."""

    __tablename__ = "publish_intent"
    __table_args__ = (
        UniqueConstraint("account_id", "content_key", "placement"),
        Index(
            "uq_publish_intent_account_id_remote_id",
            "account_id",
            "remote_id",
            unique=True,
            sqlite_where=text("remote_id <> ''"),
            postgresql_where=text("remote_id <> ''"),
        ),
    )
    id: str = Field(primary_key=True)
    account_id: str
    content_key: str
    placement: str
    kind: str
    caption: str
    media: list[str] = _json()
    """SHA-256 of each source file, in order."""
    item_id: str = Field(index=True)
    state: str = Field(index=True)
    remote_id: str
    remote_url: str
    created_at: float
    baseline: dict[str, Any] | None = _json(nullable=True)
    """What the account's list showed before it was sent last."""
    sent_at: float | None
    """When the deciding request left last, by the agent's clock."""
    must_look: bool
    """True where whoever publishes it next may not know that it was sent, and has to look."""


class LedgerStep(_Row, table=True):
    """One step of one external effect, as the agent reported it. Only ever added to.

    A step that was taken here, on a person's word, has no agent and a number of our own.
    """

    __tablename__ = "ledger_step"
    # An item's steps are found among its account's: two indexes would cost each step twice.
    __table_args__ = (Index(None, "account_id", "at", "item_id"),)
    agent_id: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    action_id: str = Field(index=True)
    item_id: str
    attempt: int
    account_id: str
    operation: str
    state: str
    driver: str
    resume: dict[str, Any] = _json()
    remote_id: str
    remote_url: str
    note: str
    at: float
    baseline: dict[str, Any] | None = _json(nullable=True)
    sighted: list[dict[str, Any]] | None = _json(nullable=True)
    by: str


class AttentionCard(_Row, table=True):
    """One thing that needs the operator. Kept when it is resolved."""

    __tablename__ = "attention_card"
    __table_args__ = (
        Index(
            "uq_attention_card_action_id",
            "action_id",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    kind: str
    account_id: str = Field(index=True)
    run_id: str
    item_id: str = Field(index=True)
    action_id: str
    note: str
    """Why nobody but a person can settle it."""
    sighted: list[dict[str, Any]] = _json()
    looked_at: float | None
    opened_at: float
    answer: str | None
    answer_remote_id: str
    answer_url: str
    answered_at: float | None
    answered_by: str
    told_at: float | None
    """When the agent was first asked to take the answer: from then on it stands."""
    resolved_at: float | None = Field(default=None, index=True)
    resolution: str


class UnappliedEvent(_Row, table=True):
    """An event that was taken and changed nothing: unknown, stale, or about something gone."""

    __tablename__ = "unapplied_event"
    agent_id: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: float
    reason: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The event as it came. Sealed, because nothing is known of what is in it."""


METADATA = _Row.metadata


def _table(name: str) -> Table:
    return METADATA.tables[name]


META = _table("meta")
PROXY = _table("proxy")
ACCOUNT = _table("account")
ACCOUNT_NAME = _table("account_name")
ACCOUNT_TAG = _table("account_tag")
SESSION = _table("session")
AGENT = _table("agent")
MEDIA = _table("media")
RUN = _table("run")
ITEM = _table("item")
FORMER_HOLDER = _table("former_holder")
PUBLISH_INTENT = _table("publish_intent")
LEDGER_STEP = _table("ledger_step")
ATTENTION_CARD = _table("attention_card")
UNAPPLIED_EVENT = _table("unapplied_event")
