"""The bulk link's messages: how a blob travels, resumable and named by its content.

The desktop offers a blob, the agent answers with the offset it has, then come binary frames. The
agent answers `received` as it writes; the sender keeps at most a window unacknowledged, sized by
the measured rate. A blob is stored only once its SHA-256 is right.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from common.errors import WireError
from common.protocol.fields import Channel, Count

WINDOW_MINIMUM = 256 * 1024
WINDOW_MAXIMUM = 4 * 1024 * 1024
WINDOW_SECONDS = 1.0


class _BulkMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class OfferBlob(_BulkMessage):
    """Desktop: I have this blob for you."""

    t: Literal["offer_blob"] = "offer_blob"
    channel: Channel
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=1, le=4 * 1024**3)


class BlobOffset(_BulkMessage):
    """Agent: send from here; `offset` equal to the size means that it is complete already."""

    t: Literal["blob_offset"] = "blob_offset"
    channel: Channel
    offset: Count


class BlobReceived(_BulkMessage):
    """Agent: everything below `offset` is written."""

    t: Literal["blob_received"] = "blob_received"
    channel: Channel
    offset: Count


class BlobStored(_BulkMessage):
    """Agent: the blob is complete, its hash is right, and it is on disk."""

    t: Literal["blob_stored"] = "blob_stored"
    channel: Channel


class BlobRefused(_BulkMessage):
    """Agent: the blob is not wanted or did not fit its hash; what was there is deleted."""

    t: Literal["blob_refused"] = "blob_refused"
    channel: Channel
    error: WireError


BulkMessage = Annotated[
    OfferBlob | BlobOffset | BlobReceived | BlobStored | BlobRefused, Field(discriminator="t")
]
_ADAPTER: TypeAdapter[BulkMessage] = TypeAdapter(BulkMessage)


def decode_bulk(text: str | bytes) -> BulkMessage:
    """Read a bulk message; raises ValueError (pydantic's) where it is none."""
    return _ADAPTER.validate_json(text)


def window_bytes(rate: float) -> int:
    """Return how many bytes may be unacknowledged at a measured rate (bytes per second).

    The delay a reader sees is window divided by rate, so the window follows the rate.
    """
    return int(min(max(rate * WINDOW_SECONDS, WINDOW_MINIMUM), WINDOW_MAXIMUM))
