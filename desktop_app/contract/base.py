"""What every value and every list of the local API has in common."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from common.errors import WireError


class Value(BaseModel):
    """Root of everything that the core sends."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Command(BaseModel):
    """Root of everything that a client sends: nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Row = TypeVar("Row", bound=Value)


class Page(Value, Generic[Row]):
    """A slice of a list, as of a revision."""

    rows: list[Row]
    total: int
    """Rows in the whole list under the same filter."""
    offset: int
    revision: int
    """The core's revision when the slice was read; later changes carry a higher one."""


class Changed(Value):
    """What a command changed, so that a view refreshes only that."""

    revision: int
    ids: list[str] = []
    refused: dict[str, WireError] = {}
    """Per id, why it was left as it is."""
    postponed: dict[str, WireError] = {}
    """Of `ids`, those in which it takes effect later, and what it waits for."""
