"""The control session as a state machine without I/O, the same for both sides.

Feed it what arrives and the time; it says what happened and what to write next. Outgoing messages
wait in lanes and leave by priority, so that an acknowledgement never waits behind a log.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from common.domain.lease import ActingLease
from common.domain.states import LinkState
from common.errors import FlotillaError, LinkError, ProtocolVersionError, from_wire
from common.protocol.frames import Frame, decode_frame
from common.protocol.messages import (
    CONTROL_MESSAGE_LIMIT,
    Acknowledge,
    ControlItems,
    Goodbye,
    Heartbeat,
    Hello,
    LogChunk,
    Message,
    Progress,
    Refused,
    UnknownMessage,
    agree_version,
    decode,
    encode,
)

HEARTBEAT_SECONDS = 5.0
SUSPECT_SECONDS = 15.0
DISCONNECTED_SECONDS = 45.0
_NEVER_PASSED_OVER = frozenset({"hello", "events", "acknowledge"})


class Lane(IntEnum):
    """Who goes first on one socket."""

    URGENT = 0
    STATE = 1
    LOG = 2
    SCREEN = 3


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """Both sides have said hello and share a protocol version."""

    peer: Hello
    version: int


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message for the owner of the session."""

    message: Message


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A binary frame for the owner of the session."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class LivenessChanged:
    """The link is alive, suspect or taken for disconnected."""

    state: LinkState


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over: close the socket. Nothing more is written after what is queued."""

    error: FlotillaError


SessionEvent = SessionOpened | MessageReceived | FrameReceived | LivenessChanged | SessionEnded


class Session:
    """One control session, from hello to the end."""

    def __init__(self, hello: Hello, now: float) -> None:
        """Queue our `hello`. `now` is any clock in seconds that runs through a suspend."""
        self._hello = hello
        self._lanes: tuple[deque[str | bytes], ...] = tuple(deque() for _ in Lane)
        self._peer: Hello | None = None
        self._ended = False
        self._goodbye: str | None = None
        self._last_heard = now
        self._lease = ActingLease(DISCONNECTED_SECONDS, now)
        self._last_heartbeat = now
        self._liveness = LinkState.CONNECTING
        self._peer_clock: float | None = None
        self.send(hello)

    @property
    def is_open(self) -> bool:
        """True between the peer's hello and the end."""
        return self._peer is not None and not self._ended

    @property
    def peer_clock(self) -> float | None:
        """The peer's clock in its last heartbeat, to echo."""
        return self._peer_clock

    def may_act(self, now: float) -> bool:
        """Say whether a request may go out: open, and heard from lately enough.

        False after this machine slept, before the next `receive` or `tick` ends the session.
        """
        return self.is_open and self._lease.may_act(now)

    def send(self, message: Message) -> None:
        """Queue a message on the lane that its type belongs to."""
        if not self._ended:
            self._lanes[_lane_of(message)].append(encode(message))

    def send_encoded(self, text: str, lane: Lane) -> None:
        """Queue a message that is JSON already, as the outbox keeps its events."""
        if not self._ended:
            self._lanes[lane].append(text)

    def send_frame(self, frame: Frame) -> None:
        """Queue a binary frame behind everything else."""
        if not self._ended:
            self._lanes[Lane.SCREEN].append(frame.encode())

    def queued(self, lane: Lane) -> int:
        """Return how many messages wait on a lane."""
        return len(self._lanes[lane])

    @property
    def has_outgoing(self) -> bool:
        """Say whether anything waits to be written."""
        return any(self._lanes)

    def outgoing(self) -> Iterator[str | bytes]:
        """Yield what to write, the most urgent first; look again after each write."""
        while True:
            lane = next((lane for lane in self._lanes if lane), None)
            if lane is None:
                return
            yield lane.popleft()

    def receive(self, data: str | bytes, now: float) -> list[SessionEvent]:
        """Take one WebSocket message: text for messages, bytes for frames."""
        if self._ended:
            return []
        if not self._lease.renew(now):
            return self._lose(now)
        if _size(data) > CONTROL_MESSAGE_LIMIT:
            return [self.end(LinkError("The other side sent a message over the size limit."))]
        events: list[SessionEvent] = self._heard(now)
        try:
            if isinstance(data, bytes):
                return [*events, self._frame(data)]
            return [*events, *self._message(decode(data))]
        except ValueError as problem:
            # The text itself stays out of the error: it may hold a secret.
            what = f"The other side sent something unreadable ({type(problem).__name__})."
            return [*events, self.end(LinkError(what))]

    def tick(self, now: float) -> list[SessionEvent]:
        """Let time pass: notice silence. Call about once a second."""
        if self._ended:
            return []
        if not self._lease.may_act(now):
            return self._lose(now)
        if now - self._last_heard >= SUSPECT_SECONDS:
            return self._now(LinkState.SUSPECT)
        return []

    def is_heartbeat_due(self, now: float) -> bool:
        """Say whether a heartbeat should be sent; True once per interval."""
        if not self.is_open or now - self._last_heartbeat < HEARTBEAT_SECONDS:
            return False
        self._last_heartbeat = now
        return True

    def end(self, error: FlotillaError) -> SessionEnded:
        """End from this side, telling the peer why."""
        if not self._ended:
            self._goodbye = encode(Goodbye(error=error.to_wire()))
            self._lanes[Lane.URGENT].appendleft(self._goodbye)
        return self._end(error)

    def take_goodbye(self) -> str | None:
        """Return the goodbye to write before hanging up; afterwards nothing waits any more.

        For an owner whose writer was ended, perhaps with the goodbye in its hands: the other side
        may hear it twice, which harms nobody.
        """
        goodbye, self._goodbye = self._goodbye, None
        if goodbye is not None:
            for lane in self._lanes:
                lane.clear()
        return goodbye

    def _lose(self, now: float) -> list[SessionEvent]:
        """End in silence. What arrives after it lay in a buffer, and proves no life."""
        silence = now - self._last_heard
        error = LinkError(f"Nothing was heard from the other side for {silence:.0f} s.")
        return [*self._now(LinkState.DISCONNECTED), self._end(error)]

    def _heard(self, now: float) -> list[SessionEvent]:
        self._last_heard = now
        return self._now(LinkState.ONLINE) if self.is_open else []

    def _now(self, state: LinkState) -> list[SessionEvent]:
        if state == self._liveness:
            return []
        self._liveness = state
        return [LivenessChanged(state)]

    def _frame(self, data: bytes) -> SessionEvent:
        if self._peer is None:
            return self.end(LinkError("The other side sent bytes before its hello."))
        return FrameReceived(decode_frame(data))

    def _message(self, message: Message | UnknownMessage) -> list[SessionEvent]:
        if isinstance(message, Goodbye):
            return [self._end(from_wire(message.error))]
        if isinstance(message, Hello):
            return self._welcome(message)
        if self._peer is None:
            return [self.end(LinkError("The other side did not begin with a hello."))]
        if isinstance(message, UnknownMessage):
            return self._unknown(message)
        if isinstance(message, Heartbeat):
            self._peer_clock = message.clock
        return [MessageReceived(message)]

    def _welcome(self, hello: Hello) -> list[SessionEvent]:
        if self._peer is not None:
            return [self.end(LinkError("The other side said hello twice."))]
        try:
            version = agree_version(self._hello, hello)
        except ProtocolVersionError as error:
            return [self.end(error)]
        self._peer = hello
        return [SessionOpened(hello, version), *self._now(LinkState.ONLINE)]

    def _unknown(self, message: UnknownMessage) -> list[SessionEvent]:
        """Refuse a request, pass over the rest; but a batch that is passed over would be lost."""
        if message.t in _NEVER_PASSED_OVER:
            what = f"The other side sent {message.t!r} that cannot be read ({message.problem})."
            return [self.end(LinkError(what))]
        if message.id:
            self._refuse(message)
        return []

    def _refuse(self, message: UnknownMessage) -> None:
        what = f"This release does not know the request {message.t!r} ({message.problem})."
        error = LinkError(what, advice="Update this side.").to_wire()
        self.send(Refused(id=message.id, error=error))

    def _end(self, error: FlotillaError) -> SessionEnded:
        self._ended = True
        return SessionEnded(error)


def _size(data: str | bytes) -> int:
    """Return the bytes of a message as it came."""
    if isinstance(data, str) and len(data) <= CONTROL_MESSAGE_LIMIT:
        return len(data.encode()) if not data.isascii() else len(data)
    return len(data)


def _lane_of(message: Message) -> Lane:
    if isinstance(message, Hello | Heartbeat | Acknowledge | Goodbye | ControlItems):
        return Lane.URGENT
    if isinstance(message, LogChunk | Progress):
        return Lane.LOG
    return Lane.STATE
