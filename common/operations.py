"""The operations a driver may implement, with their value types.

A driver implements some of these Protocols and declares, per operation, how a doubtful effect is
settled. Tasks speak to operations only, and never to a driver's library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from common.domain.content import Baseline, ListedPost, MediaKind, PostKind


class Operation(StrEnum):
    """What a driver can do."""

    SIGN_IN = "sign_in"
    VERIFY_SESSION = "verify_session"
    PUBLISH = "publish"
    FIND_PUBLISHED = "find_published"


class Settlement(StrEnum):
    """How an effect that may or may not have happened is settled."""

    NATIVE_KEY = "native_key"
    """The platform refuses a second one with the same key."""
    PROBE = "probe"
    """We can look whether it is there."""
    NONE = "none"
    """Nothing can tell: never repeated by itself; a person decides."""


class Whose(StrEnum):
    """Whom the platform says a post belongs to."""

    OWN = "own"
    """The account that asks."""
    OTHER = "other"
    """Another account."""
    NOBODY = "nobody"
    """The platform says that there is no such post."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in needs."""

    username: str
    password: SecretStr
    totp_seed: SecretStr | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the platform says a session belongs to."""

    user_id: str
    username: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that an authenticated read has verified."""

    identity: Identity
    session: SecretStr
    """JSON text to start the driver with next time."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One file to publish, on this machine."""

    path: PurePath
    sha256: str
    kind: MediaKind
    width: int
    height: int
    duration: float = 0.0
    """Seconds; 0 for a photo."""
    cover: PurePath | None = None
    """A JPEG to show before a video plays."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post as a driver publishes it."""

    kind: PostKind
    files: Sequence[MediaFile]
    caption: str


@dataclass(frozen=True, slots=True)
class PreparedPost:
    """A post whose bytes are at the platform or in its form, and not visible yet."""

    post: Post
    resume: dict[str, str] = field(default_factory=dict)
    """What a later attempt needs to go on or to find the post: upload ids."""
    platform_time: float | None = None
    """The platform's clock when it had the bytes, seconds since 1970; None where unknown."""


@dataclass(frozen=True, slots=True)
class PublishedPost:
    """A post that the platform confirmed."""

    remote_id: str
    url: str
    """The address of the post's page."""


@runtime_checkable
class SignsIn(Protocol):
    """Can sign an account in. Submits the password at most once per call."""

    async def sign_in(self, credentials: Credentials) -> SignedIn:
        """Sign in and verify by an authenticated read.

        Raises CredentialsRefusedError, SecondFactorRefusedError, ChallengeRequiredError,
        RateLimitedError, ProxyFailedError or PlatformUnreachableError.
        """
        ...


@runtime_checkable
class VerifiesSession(Protocol):
    """Can say whether the saved session still works, without signing in again."""

    async def verify_session(self) -> SignedIn:
        """Read as the account; raises SessionExpiredError when the session is not accepted."""
        ...


@runtime_checkable
class Publishes(Protocol):
    """Can publish a post in two steps, so that a journal entry fits between them."""

    def plan_publish(self, post: Post) -> dict[str, str]:
        """Choose the resume points (upload ids) before anything is sent. Does no I/O."""
        ...

    async def prepare_publish(self, post: Post, resume: dict[str, str]) -> PreparedPost:
        """Bring the bytes to the platform. Nothing is visible yet; may be repeated."""
        ...

    async def publish(self, prepared: PreparedPost) -> PublishedPost:
        """Send the one request that makes the post visible. Never repeated by itself.

        Raises PlatformUnreachableError or ProxyFailedError only where the request provably never
        left, ContentRefusedError where the platform provably refused it, and AmbiguousEffectError
        for everything that may have had an effect.
        """
        ...


@runtime_checkable
class FindsPublished(Protocol):
    """Can list what the account has published, so that a doubtful post can be settled.

    Both calls raise on anything but a whole, well-formed answer: an error is never an absence.
    """

    async def take_baseline(self, *, fresh: bool = False) -> Baseline:
        """Read the ids of the account's newest posts and the platform's clock.

        Unless it must be `fresh`, an answer of the last minutes will do.
        """
        ...

    async def find_published(self, since: Baseline, *, fresh: bool = True) -> Sequence[ListedPost]:
        """List every post of the account that is newer than `since`, newest first.

        Posts of the baseline are left out; of the others, everything that the platform tells.
        Without `fresh` only the newest posts are wanted, and the list from which the last baseline
        was taken will do: that decides whether to look properly, and proves nothing.
        """
        ...


@runtime_checkable
class TellsWhosePost(Protocol):
    """Can say whose a post is, so that one that a person names can be checked. Changes nothing."""

    async def whose_post(self, remote_id: str) -> Whose:
        """Ask the platform for one post; raises on any answer that does not say it plainly."""
        ...
