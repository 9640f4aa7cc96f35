"""One unit of a run as the desktop hands it to an agent, and what the agent says of it."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from common.access import AccountAccess
from common.domain.content import Baseline, MediaKind, Placement, PostKind


class MediaRef(BaseModel):
    """One media file by content. The agent fetches the bytes over the bulk link."""

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int
    """Bytes."""
    name: str
    """The file's name at the desktop, to show; never used as a path."""
    kind: MediaKind
    width: int
    height: int
    duration: float = 0.0
    """Seconds; 0 for a photo."""


class PublishSpec(BaseModel):
    """What one item publishes, and the key under which it does so at most once."""

    model_config = ConfigDict(frozen=True)

    intent_id: str
    """The desktop's id of the intent, a ULID; the action has the same id at the agent."""
    content_key: str
    placement: Placement
    kind: PostKind
    media: list[MediaRef]
    caption: str
    doubt: Baseline | None = None
    """Set where the desktop knows that the post may exist already, and the agent may not: what was
    known before it may have been sent. The agent looks before it publishes."""


class ItemSpec(BaseModel):
    """One item, complete: an agent can run it with no desktop connected."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    run_id: str
    task: str
    """The task type's kind: `bulk_upload`."""
    title: str
    """What it does, to show: `Reel "Harbour at dusk"`."""
    attempt: int = 1
    fence: int
    """The owner's fence for this account; an agent refuses a lower one than it has seen."""
    account: AccountAccess
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """What the task type's agent side needs beyond the rest; validated by the task type."""
    publish: PublishSpec | None = None
    not_before: float | None = None
    """Earliest start, seconds since 1970; None means at once."""

    def media(self) -> list[MediaRef]:
        """Return the files that the item needs."""
        return self.publish.media if self.publish else []
