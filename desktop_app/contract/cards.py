"""Attention cards: what needs the operator, what is known of it, and what can be done."""

from typing import Literal

from common.domain.accounts import DriverName
from common.domain.content import ListedPost, PostKind
from common.domain.states import ActionState
from common.errors import WireError
from desktop_app.contract.base import Command, Value

CardKind = Literal["unresolved_publish"]
"""Later kinds are added here; a client shows an unknown one by its title and text."""
CardAct = Literal["it_is_there", "publish_it", "look_again", "close"]


class OurSide(Value):
    """What we know of a post that may or may not exist."""

    title: str
    kind: PostKind | None = None
    caption: str = ""
    media: list[str] = []
    """SHA-256 of each source file."""
    driver: DriverName
    agent: str = ""
    sent_at: float | None = None
    """When the deciding request left, by the agent's clock."""
    resume: dict[str, str] = {}
    """Upload ids and other resume points."""
    error: WireError | None = None
    """What went wrong with the request."""


class TheirSide(Value):
    """What the platform showed."""

    looked_at: float | None = None
    """When it was asked last, by the agent's clock; None where it could not be asked."""
    posts: list[ListedPost] = []
    """Posts that may be the one."""
    note: str = ""
    """Why that settles nothing."""


class CardRow(Value):
    """One thing that needs the operator, open or resolved."""

    id: str
    kind: CardKind
    title: str
    """One line: `Is “Harbour at dusk” published on @summer_lisbon?`"""
    text: str
    """What happened and what is on hold because of it, in one or two sentences."""
    account_id: str
    username: str
    run_id: str = ""
    item_id: str = ""
    action_id: str = ""
    action: ActionState | None = None
    agent_id: str | None = None
    agent: str = ""
    agent_online: bool = False
    held: int = 0
    """Other posts of the account that wait for this."""
    ours: OurSide | None = None
    theirs: TheirSide | None = None
    acts: list[CardAct] = []
    """What may be done now."""
    opened_at: float
    answer: CardAct | None = None
    """What the operator said; the agent may not have taken it yet."""
    answered_at: float | None = None
    answered_by: str = ""
    resolved_at: float | None = None
    resolution: str = ""
    """What settled it, in one sentence; empty while it is open."""


class ActOnCard(Command):
    """Answer an attention card."""

    act: CardAct
    link: str = ""
    """With `it_is_there`: the post's address, or its id."""
