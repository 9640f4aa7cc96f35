"""The platform's values: accounts, sessions, media items, posts and ledger records.

No behaviour beyond what a value can say about itself; how they are stored is in ``state``.
"""

from dataclasses import dataclass, field
from typing import Literal

Source = Literal["private_api", "web", "admin"]
MediaKind = Literal["photo", "video"]
ProductType = Literal["feed", "clips", "carousel_container"]
RecordKind = Literal[
    "account_created",
    "password_submitted",
    "sign_in_refused",
    "signed_in",
    "signed_out",
    "session_revoked",
    "upload_received",
    "published",
    "fault",
]
FaultKind = Literal[
    "refuse_status",
    "drop_before_apply",
    "drop_after_apply",
    "status_after_apply",
    "apply_late",
    "delay_ms",
    "list_late",
    "expire_session",
]

PHOTO, VIDEO, ALBUM = 1, 2, 8
"""The platform's numbers for kinds of post."""

VISIBILITY_SECONDS = 1.0
"""The longest that a late listing or a late effect may take in honest operation.

Whoever looks for a post that long after its request's end, and doesn't find it, may conclude that
it was never made. Told by the admin API and enforced by nothing: a fault may be set beyond it.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of this platform. Its secrets are sealed; ``KeyRing`` opens them."""

    user_id: int
    username: str
    full_name: str
    biography: str
    sealed_password: str
    sealed_totp_seed: str | None
    require_proxy: str | None
    """Name of the only practice proxy through which this account is served, if any."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in state, known by the digest of its token; the token itself is never kept."""

    token_sha256: str
    user_id: int
    source: Source


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """A user name and password that open the practice proxy, and the name they stand for."""

    name: str
    username: str
    sealed_password: str


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One stored photo or video, addressed by the digest of its bytes."""

    kind: MediaKind
    sha256: str
    width: int
    """Pixels, from the file's own header."""
    height: int
    duration: float = 0.0
    """Seconds; 0 for a photo."""
    cover_sha256: str | None = None
    """The cover image that was uploaded with a video."""


@dataclass(frozen=True, slots=True)
class Post:
    """A published post as its page shows it."""

    pk: int
    code: str
    user_id: int
    taken_at: int
    """Unix seconds."""
    media_type: int
    product_type: ProductType
    caption: str
    items: tuple[MediaItem, ...]
    source: Source
    listed_at: float = 0.0
    """Unix seconds from which on readers see it; 0 unless a fault holds it back."""

    @property
    def media_id(self) -> str:
        """The id that clients use: the post's number and its owner's."""
        return f"{self.pk}_{self.user_id}"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where a request came from, as far as the ledger wants to know."""

    request_id: str
    source: Source
    proxy: str | None = None
    user_agent: str | None = None
    list_late_ms: int = 0
    """Milliseconds for which a post that this request makes stays out of sight."""


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """One effect, or one fault, that happened.

    Every record has every field, so that readers need no cases. A fault's record comes before
    those of the effects of the same ``request_id``; its ``account`` is empty where the sender
    wasn't signed in.
    """

    sequence: int
    at: str
    """UTC time in ISO 8601."""
    kind: RecordKind
    account: str
    user_id: int | None
    source: Source
    request_id: str
    proxy: str | None
    user_agent: str | None
    content_sha256: tuple[str, ...] = ()
    """Digests of the main bytes in their order; a video's cover is named in ``items`` only."""
    upload_ids: tuple[str, ...] = ()
    caption: str | None = None
    media_type: int | None = None
    product_type: ProductType | None = None
    post_code: str | None = None
    post_id: str | None = None
    reason: str | None = None
    """Why a sign-in was refused, or how a submitted password was judged."""
    items: tuple[MediaItem, ...] = field(default=())
    list_late_ms: int = 0
    """Milliseconds for which a published post stays out of every listing and single-post read."""
    fault: FaultKind | None = None
    """What went wrong."""
    route: str | None = None
    """Path of the request that the fault hit."""
