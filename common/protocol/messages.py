"""Every message on the control link: one closed union, told apart by `t`.

Either side sends `hello` first, then heartbeats. The desktop sends requests, acknowledgements and
what it wants to watch; the agent sends responses, outbox batches and transient notices. The agent
has no request verbs towards the desktop.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.domain.states import ItemState
from common.errors import ProtocolVersionError, WireError
from common.items import ItemSpec
from common.protocol.events import OutboxRow

SUBPROTOCOL = "flotilla.v1"
CONTROL_PATH = "/v1/control"
BULK_PATH = "/v1/bulk"
PROTOCOL_MINIMUM = 1
PROTOCOL_MAXIMUM = 1
CONTROL_MESSAGE_LIMIT = 64 * 1024
"""Bytes of one message on the control link; a larger one ends the session."""
BATCH_EVENTS = 100
BATCH_SECONDS = 0.03


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Cursor(_Message):
    """How far a store has applied an agent's outbox."""

    epoch: str
    """Names one life of the outbox; a new one means that its history is gone."""
    seq: int
    """The last sequence number applied; 0 for none."""


class AgentCard(_Message):
    """What an agent says of itself."""

    agent_id: str
    name: str
    boot_id: str
    epoch: str
    lowest_seq: int
    """The lowest outbox sequence number still kept; a cursor below it minus one has a gap."""
    drivers: list[str]
    tasks: list[str]
    browser_slots: int
    capacity: float
    """Relative weight for placement."""
    accounts_held: int = 0


class Hello(_Message):
    """The first message of either side."""

    t: Literal["hello"] = "hello"
    proto_minimum: int = PROTOCOL_MINIMUM
    proto_maximum: int = PROTOCOL_MAXIMUM
    app: str
    """Release, to show: `0.1.0`."""
    features: list[str] = Field(default_factory=list)
    clock: float
    """This side's wall clock, seconds since 1970."""
    store_id: str = ""
    """Desktop only: which store dials."""
    desktop_name: str = ""
    cursor: Cursor | None = None
    """Desktop only: how far it has applied the outbox it knows."""
    agent: AgentCard | None = None
    """Agent only."""


class Heartbeat(_Message):
    """Sent every few seconds by both sides; any message counts as life."""

    t: Literal["heartbeat"] = "heartbeat"
    clock: float
    running: int = 0
    queued: int = 0
    loop_lag: float = 0.0
    """Seconds by which the agent's event loop was late."""
    disk_free: int = 0
    """Bytes free where the agent keeps its data."""
    echo: float | None = None
    """The clock of the last heartbeat received, for the round-trip time."""


class Goodbye(_Message):
    """Why a side is about to close."""

    t: Literal["goodbye"] = "goodbye"
    error: WireError


class Events(_Message):
    """A batch of outbox rows, in order."""

    t: Literal["events"] = "events"
    epoch: str
    rows: list[OutboxRow] = Field(max_length=BATCH_EVENTS)


class Acknowledge(_Message):
    """Everything up to `seq` is applied and may be forgotten."""

    t: Literal["acknowledge"] = "acknowledge"
    epoch: str
    seq: int


class Progress(_Message):
    """How far an item is; not durable, the newest one wins."""

    t: Literal["progress"] = "progress"
    item_id: str
    attempt: int
    step: str
    fraction: float | None = None
    """0 to 1, or None where it cannot be known."""
    log_end: int = 0


class AcceptItem(_Message):
    """Take one item over. Answered by `accepted` once it is journaled; safe to repeat."""

    t: Literal["accept_item"] = "accept_item"
    id: str
    item: ItemSpec


class ControlItems(_Message):
    """Pause, resume or cancel items. Answered by `controlled`."""

    t: Literal["control_items"] = "control_items"
    id: str
    verb: Literal["pause", "resume", "cancel"]
    item_ids: list[str] = Field(max_length=1000)


class AskInventory(_Message):
    """Ask what the agent holds. Answered by `inventory`."""

    t: Literal["ask_inventory"] = "ask_inventory"
    id: str


class ReadLog(_Message):
    """Read an attempt's log from a byte offset. Answered by `log_chunk`."""

    t: Literal["read_log"] = "read_log"
    id: str
    item_id: str
    attempt: int
    offset: int = Field(ge=0)
    limit: int = Field(default=32 * 1024, gt=0, le=48 * 1024)
    """Bytes at most; the answer ends at a line end."""


class AskBlobs(_Message):
    """Ask which blobs are missing at the agent. Answered by `missing_blobs`."""

    t: Literal["ask_blobs"] = "ask_blobs"
    id: str
    sha256s: list[str] = Field(max_length=500)


class WatchScreen(_Message):
    """Send the screen of an account's browser as frames on `channel` until told otherwise.

    Answered by `done`. Nothing is sent while the account has no open browser.
    """

    t: Literal["watch_screen"] = "watch_screen"
    id: str
    account_id: str
    channel: int = Field(ge=1, le=0xFFFF)
    width: int = Field(default=640, ge=80, le=1920)
    """Widest frame wanted, pixels."""


class StopScreen(_Message):
    """Send no more frames on `channel`. Answered by `done`."""

    t: Literal["stop_screen"] = "stop_screen"
    id: str
    channel: int


class ScreenSeen(_Message):
    """The last frame of `channel` arrived whole; the next one may go."""

    t: Literal["screen_seen"] = "screen_seen"
    channel: int


class Accepted(_Message):
    """The item is journaled; the agent answers for it from here on."""

    t: Literal["accepted"] = "accepted"
    id: str
    item_id: str
    attempt: int


class Controlled(_Message):
    """Which items the verb took hold of, and which it could not, with the reason."""

    t: Literal["controlled"] = "controlled"
    id: str
    done: list[str]
    refused: dict[str, WireError] = Field(default_factory=dict)


class InventoryRow(_Message):
    """One item that the agent holds."""

    item_id: str
    run_id: str
    account_id: str
    attempt: int
    state: ItemState
    fence: int


class Inventory(_Message):
    """Items the agent holds. A long one comes in several answers with the same id."""

    t: Literal["inventory"] = "inventory"
    id: str
    rows: list[InventoryRow]
    complete: bool = True
    """False while more answers follow."""


class LogChunk(_Message):
    """Whole lines of a log, each a JSON object with `at`, `level` and `text`."""

    t: Literal["log_chunk"] = "log_chunk"
    id: str
    offset: int
    text: str
    end: int
    """Bytes of the log so far; equal to offset plus length when this is all of it."""


class MissingBlobs(_Message):
    """The blobs that the agent does not have yet."""

    t: Literal["missing_blobs"] = "missing_blobs"
    id: str
    sha256s: list[str]


class Done(_Message):
    """A request without a result of its own was carried out."""

    t: Literal["done"] = "done"
    id: str


class Refused(_Message):
    """A request was not carried out, and why."""

    t: Literal["refused"] = "refused"
    id: str
    error: WireError


Request = AcceptItem | ControlItems | AskInventory | ReadLog | AskBlobs | WatchScreen | StopScreen
Response = Accepted | Controlled | Inventory | LogChunk | MissingBlobs | Done | Refused
Message = (
    Hello | Heartbeat | Goodbye | Events | Acknowledge | Progress | ScreenSeen | Request | Response
)
_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="t")])


class UnknownMessage(_Message):
    """A message that this release cannot read. A request among them gets a typed refusal."""

    t: str
    id: str = ""
    problem: str
    """Which field does not fit; never its value."""


def encode(message: Message) -> str:
    """Write a message as JSON text."""
    return message.model_dump_json(exclude_defaults=False)


def decode(text: str | bytes) -> Message | UnknownMessage:
    """Read a message. Raises ValueError where the text is not a JSON object at all.

    A message of an unknown type, or in a shape this release cannot read, is an `UnknownMessage`.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as problem:
        return _unknown(text, problem)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unknown(text: str | bytes, problem: ValidationError) -> UnknownMessage:
    raw = _RAW.validate_json(text)
    first = problem.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return UnknownMessage(
        t=str(raw.get("t", "")), id=str(raw.get("id", "")), problem=f"{where}: {first['type']}"
    )


_RAW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def agree_version(mine: Hello, theirs: Hello) -> int:
    """Return the highest protocol version that both sides speak.

    Raises ProtocolVersionError where there is none; it says which side is older.
    """
    highest = min(mine.proto_maximum, theirs.proto_maximum)
    if highest >= max(mine.proto_minimum, theirs.proto_minimum):
        return highest
    older = "this side" if mine.proto_maximum < theirs.proto_minimum else "the other side"
    raise ProtocolVersionError(
        f"No protocol version in common: this side speaks {mine.proto_minimum} to "
        f"{mine.proto_maximum} (release {mine.app}), the other {theirs.proto_minimum} to "
        f"{theirs.proto_maximum} (release {theirs.app}). Older is {older}.",
    )
