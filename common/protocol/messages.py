"""Every message on the control link: one closed union, told apart by `t`.

Either side sends `hello` first, then heartbeats. The desktop sends requests, acknowledgements and
what it wants to watch; the agent sends responses, outbox batches and transient notices. The agent
has no request verbs towards the desktop.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.domain.states import ActionState, ItemState
from common.errors import ProtocolVersionError, WireError
from common.items import ItemSpec
from common.protocol.events import OutboxRow
from common.protocol.fields import (
    Attempt,
    Channel,
    Count,
    Finite,
    Fraction,
    IdText,
    Moment,
    ShownText,
    WebAddress,
    is_id_text,
)
from common.security.redaction import plain_text

SUBPROTOCOL = "flotilla.v1"
CONTROL_PATH = "/v1/control"
BULK_PATH = "/v1/bulk"
PROTOCOL_MINIMUM = 1
PROTOCOL_MAXIMUM = 1
CONTROL_MESSAGE_LIMIT = 64 * 1024
"""Bytes of one message on the control link; a larger one ends the session."""
_MOST_NAMES = 200
"""Entries of a list in a hello."""
BATCH_EVENTS = 100
BATCH_SECONDS = 0.03


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Cursor(_Message):
    """How far a store has applied an agent's outbox."""

    epoch: IdText
    """Names one life of the outbox; a new one means that its history is gone."""
    seq: Count
    """The last sequence number applied; 0 for none."""
    at: Moment | None = None
    """When that event happened, as its row says; None where that is not known."""


class AgentCard(_Message):
    """What an agent says of itself."""

    agent_id: IdText
    name: ShownText
    boot_id: IdText
    epoch: IdText
    lowest_seq: Count
    """The lowest outbox sequence number still kept; a cursor below it minus one has a gap."""
    drivers: list[ShownText] = Field(max_length=_MOST_NAMES)
    tasks: list[ShownText] = Field(max_length=_MOST_NAMES)
    browser_slots: Attempt
    capacity: Finite = Field(ge=0)
    """Relative weight for placement."""
    accounts_held: Count = 0
    dead_man_hours: Finite = 0.0
    """Hours without its desktop after which the agent publishes nothing more; 0 for never."""
    seen_mark: Count = 0
    """The highest mark that this agent has heard of the store that dials; 0 where none."""


class Hello(_Message):
    """The first message of either side."""

    t: Literal["hello"] = "hello"
    proto_minimum: int = PROTOCOL_MINIMUM
    proto_maximum: int = PROTOCOL_MAXIMUM
    app: ShownText
    """Release, to show: `0.1.0`."""
    features: list[ShownText] = Field(default_factory=list, max_length=_MOST_NAMES)
    clock: Moment
    """This side's wall clock, seconds since 1970."""
    store_id: IdText = ""
    """Desktop only: which store dials."""
    desktop_name: ShownText = ""
    cursor: Cursor | None = None
    """Desktop only: how far it has applied the outbox it knows."""
    mark: Count = 0
    """Desktop only: how far the history of its store is. It is higher in every hello, and grows
    with all that is handed over to any agent; 0 where it says none."""
    agent: AgentCard | None = None
    """Agent only."""


class Heartbeat(_Message):
    """Sent every few seconds by both sides; any message counts as life."""

    t: Literal["heartbeat"] = "heartbeat"
    clock: Moment
    running: Count = 0
    queued: Count = 0
    loop_lag: Finite = 0.0
    """Seconds by which the agent's event loop was late."""
    disk_free: Count = 0
    """Bytes free where the agent keeps its data."""
    is_disk_full: bool = False
    """True while the agent starts nothing because its disk is too full to journal."""
    echo: Finite | None = None
    """The clock of the last heartbeat received, for the round-trip time."""
    mark: Count = 0
    """Desktop only: as in its hello, how far it is by now."""


class Goodbye(_Message):
    """Why a side is about to close."""

    t: Literal["goodbye"] = "goodbye"
    error: WireError


class Events(_Message):
    """A batch of outbox rows, in order."""

    t: Literal["events"] = "events"
    epoch: IdText
    rows: list[OutboxRow] = Field(max_length=BATCH_EVENTS)


class Acknowledge(_Message):
    """Everything up to `seq` is applied and may be forgotten."""

    t: Literal["acknowledge"] = "acknowledge"
    epoch: IdText
    seq: Count


class Progress(_Message):
    """How far an item is; not durable, the newest one wins."""

    t: Literal["progress"] = "progress"
    item_id: IdText
    attempt: Attempt
    step: ShownText
    fraction: Fraction | None = None
    """0 to 1, or None where it cannot be known."""
    log_end: Count = 0


class AcceptItem(_Message):
    """Take one item over. Answered by `accepted` once it is journaled; safe to repeat."""

    t: Literal["accept_item"] = "accept_item"
    id: IdText
    item: ItemSpec


class ControlItems(_Message):
    """Pause, resume or cancel items. Answered by `controlled`."""

    t: Literal["control_items"] = "control_items"
    id: IdText
    verb: Literal["pause", "resume", "cancel"]
    item_ids: list[IdText] = Field(max_length=1000)
    fences: dict[IdText, Count] = Field(default_factory=dict)
    """The owner's fence by item; an item whose account has seen a higher one is refused."""


class SettleAction(_Message):
    """Take a person's word on an effect in doubt. Answered by `done` once it is journaled.

    The same word has the same `id` whenever it is told, and is taken once: told again it changes
    nothing, because the effect may be in a doubt by then that nobody has looked at. Refused for an
    effect that is not in doubt, or with a stale fence.
    """

    t: Literal["settle_action"] = "settle_action"
    id: IdText
    item_id: IdText
    action_id: IdText
    fence: Count
    verdict: Literal["there", "absent", "look_again"]
    """`there`: it exists; `absent`: it does not, and is done again; `look_again`: ask the platform
    once more."""
    remote_id: ShownText = ""
    remote_url: WebAddress = ""
    by: ShownText = ""
    """Who says so, to show."""
    check: bool = False
    """With `there`: ask the platform first whether the post is one of this account. A person is
    asked anew where it says no; where it cannot be asked, the word is taken as it is."""


class AskInventory(_Message):
    """Ask what the agent holds. Answered by `inventory`."""

    t: Literal["ask_inventory"] = "ask_inventory"
    id: IdText


class ReadLog(_Message):
    """Read an attempt's log from a byte offset. Answered by `log_chunk`."""

    t: Literal["read_log"] = "read_log"
    id: IdText
    item_id: IdText
    attempt: Attempt
    offset: Count
    limit: int = Field(default=32 * 1024, gt=0, le=48 * 1024)
    """Bytes at most; the answer ends at a line end."""


class AskBlobs(_Message):
    """Ask which blobs are missing at the agent. Answered by `missing_blobs`."""

    t: Literal["ask_blobs"] = "ask_blobs"
    id: IdText
    sha256s: list[IdText] = Field(max_length=500)


class WatchScreen(_Message):
    """Send the screen of an account's browser as frames on `channel` until told otherwise.

    Answered by `done`. Nothing is sent while the account has no open browser.
    """

    t: Literal["watch_screen"] = "watch_screen"
    id: IdText
    account_id: IdText
    channel: int = Field(ge=1, le=0xFFFF)
    width: int = Field(default=640, ge=80, le=1920)
    """Widest frame wanted, pixels."""


class StopScreen(_Message):
    """Send no more frames on `channel`. Answered by `done`."""

    t: Literal["stop_screen"] = "stop_screen"
    id: IdText
    channel: Channel


class ScreenSeen(_Message):
    """The last frame of `channel` arrived whole; the next one may go."""

    t: Literal["screen_seen"] = "screen_seen"
    channel: Channel


class Accepted(_Message):
    """The item is journaled; the agent answers for it from here on."""

    t: Literal["accepted"] = "accepted"
    id: IdText
    item_id: IdText
    attempt: Attempt


class Controlled(_Message):
    """Which items the verb took hold of, and which it could not, with the reason.

    A long one comes in several answers with the same id.
    """

    t: Literal["controlled"] = "controlled"
    id: IdText
    done: list[IdText]
    refused: dict[IdText, WireError] = Field(default_factory=dict)
    complete: bool = True
    """False while more answers follow."""


class InventoryRow(_Message):
    """One item that the agent holds."""

    item_id: IdText
    run_id: IdText
    account_id: IdText
    attempt: Attempt
    state: ItemState
    fence: Count
    action_id: IdText = ""
    action: ActionState | None = None
    """State of the item's external effect, where it has one."""
    remote_id: ShownText = ""
    remote_url: WebAddress = ""


class Inventory(_Message):
    """Items the agent holds. A long one comes in several answers with the same id."""

    t: Literal["inventory"] = "inventory"
    id: IdText
    rows: list[InventoryRow]
    complete: bool = True
    """False while more answers follow."""
    last_seq: Count = 0
    """The last outbox number given when the rows were read: whoever has applied the events up to
    it knows of every item that is not named why that is so."""


class LogChunk(_Message):
    """Whole lines of a log, each a JSON object with `at`, `level` and `text`."""

    t: Literal["log_chunk"] = "log_chunk"
    id: IdText
    offset: Count
    text: str
    end: Count
    """Bytes of the log so far; equal to offset plus length when this is all of it."""


class MissingBlobs(_Message):
    """The blobs that the agent does not have yet."""

    t: Literal["missing_blobs"] = "missing_blobs"
    id: IdText
    sha256s: list[IdText]


class Done(_Message):
    """A request without a result of its own was carried out."""

    t: Literal["done"] = "done"
    id: IdText


class Refused(_Message):
    """A request was not carried out, and why."""

    t: Literal["refused"] = "refused"
    id: IdText
    error: WireError


Request = (
    AcceptItem
    | ControlItems
    | SettleAction
    | AskInventory
    | ReadLog
    | AskBlobs
    | WatchScreen
    | StopScreen
)
Response = Accepted | Controlled | Inventory | LogChunk | MissingBlobs | Done | Refused
Message = (
    Hello | Heartbeat | Goodbye | Events | Acknowledge | Progress | ScreenSeen | Request | Response
)
_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="t")])


class UnknownMessage(_Message):
    """A message that this release cannot read. A request among them gets a typed refusal."""

    t: str
    """Cut to what a type of ours may have."""
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
    first = problem.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    kind, request_id = raw.get("t"), raw.get("id")
    return UnknownMessage(
        t=plain_text(kind[:_NAME_CHARACTERS]) if isinstance(kind, str) else "",
        # Whoever asks under an id that is none of ours cannot be answered.
        id=str(request_id) if is_id_text(request_id) else "",
        problem=plain_text(f"{where[:_NAME_CHARACTERS]}: {first['type']}"),
    )


_RAW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_NAME_CHARACTERS = 64


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
