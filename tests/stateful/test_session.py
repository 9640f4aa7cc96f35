"""The control session, both ends of it: order, priority, and who may still act.

Both ends run by one clock. Messages wait in lanes, travel in order, and are lost with the link;
a direction may swallow everything (half-open); a machine sleeps and finds its buffers full of
messages from before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from common.domain.states import LinkState
from common.protocol.frames import Frame, FrameKind
from common.protocol.messages import (
    Acknowledge,
    Done,
    Heartbeat,
    Hello,
    LogChunk,
    Message,
    decode,
)
from common.protocol.session import (
    DISCONNECTED_SECONDS,
    SUSPECT_SECONDS,
    FrameReceived,
    Lane,
    LivenessChanged,
    MessageReceived,
    Session,
    SessionEnded,
    SessionEvent,
    SessionOpened,
)
from tests.stateful.machines import assert_caught, hold

SIDES = st.sampled_from([0, 1])


@dataclass
class End:
    """One end of the link, and what its owner saw."""

    session: Session
    wire: deque[str | bytes] = field(default_factory=deque)
    """What it has written and the other end has not read yet."""
    swallowed: bool = False
    """True while nothing that it writes arrives any more."""
    sent: dict[Lane, list[int]] = field(default_factory=lambda: {lane: [] for lane in Lane})
    received: dict[Lane, list[int]] = field(default_factory=lambda: {lane: [] for lane in Lane})
    is_open: bool = False
    has_ended: bool = False
    liveness: LinkState = LinkState.CONNECTING
    heard_at: float = 0.0
    ticked_at: float = 0.0


def hello() -> Hello:
    return Hello(app="0.1.0", clock=0.0)


def message_of(lane: Lane, number: int) -> Message | Frame:
    match lane:
        case Lane.URGENT:
            return Acknowledge(epoch="e", seq=number)
        case Lane.STATE:
            return Done(id=str(number))
        case Lane.LOG:
            return LogChunk(id="log", offset=number, text="", end=number)
        case Lane.SCREEN:
            return Frame(FrameKind.SCREEN, 1, number, b"jpeg", close=True)


def number_of(event: MessageReceived | FrameReceived) -> tuple[Lane, int] | None:
    match event:
        case FrameReceived(frame):
            return Lane.SCREEN, frame.offset
        case MessageReceived(Acknowledge(seq=number)):
            return Lane.URGENT, number
        case MessageReceived(Done(id=text)):
            return Lane.STATE, int(text)
        case MessageReceived(LogChunk(offset=number)):
            return Lane.LOG, number
        case _:
            return None


class SessionPair(RuleBasedStateMachine):
    """A desktop and an agent with one link between them, dialled again when it is over."""

    session_class = Session

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.count = 0
        self.dial()

    @rule()
    def dial(self) -> None:
        self.ends = tuple(
            End(self.session_class(hello(), self.now), heard_at=self.now, ticked_at=self.now)
            for _ in range(2)
        )

    @rule(side=SIDES, lane=st.sampled_from(list(Lane)), count=st.integers(1, 3))
    def send(self, side: int, lane: Lane, count: int) -> None:
        end = self.ends[side]
        if not end.session.is_open:
            return
        for _ in range(count):
            self.count += 1
            message = message_of(lane, self.count)
            if isinstance(message, Frame):
                end.session.send_frame(message)
            else:
                end.session.send(message)
            end.sent[lane].append(self.count)

    @rule(side=SIDES, count=st.integers(1, 6))
    def write(self, side: int, count: int) -> None:
        """Write the most urgent first, however late it was queued."""
        end = self.ends[side]
        outgoing = end.session.outgoing()
        for _ in range(count):
            best = next((lane for lane in Lane if end.session.queued(lane)), None)
            data = next(outgoing, None)
            if data is None:
                return
            assert lane_of(data) is best, "something urgent had to wait"
            if not end.swallowed:
                end.wire.append(data)

    @rule(side=SIDES, count=st.integers(1, 6))
    def read(self, side: int, count: int) -> None:
        end, other = self.ends[side], self.ends[1 - side]
        for _ in range(min(count, len(other.wire))):
            was_over = self.now - end.heard_at >= DISCONNECTED_SECONDS
            events = end.session.receive(other.wire.popleft(), self.now)
            if was_over:
                assert not any(isinstance(event, MessageReceived) for event in events)
            else:
                end.heard_at = self.now
            self.take(end, events)

    @rule(
        seconds=st.sampled_from([1.0, 4.0, 14.0, 44.0, 3600.0]), asleep=st.sampled_from([0, 1, 2])
    )
    def pass_time(self, seconds: float, asleep: int) -> None:
        """Let time pass; who is not asleep looks at the clock and says that it lives."""
        self.now += seconds
        for side, end in enumerate(self.ends):
            if side != asleep:
                end.ticked_at = self.now
                self.take(end, end.session.tick(self.now))
                if end.session.is_heartbeat_due(self.now):
                    end.session.send(Heartbeat(clock=self.now))

    @rule(side=SIDES)
    def swallow(self, side: int) -> None:
        """Half-open: what this end writes is lost from now on, and nobody is told."""
        self.ends[side].swallowed = True

    def take(self, end: End, events: list[SessionEvent]) -> None:
        for event in events:
            assert not end.has_ended, "something came after the end"
            match event:
                case SessionOpened():
                    assert not end.is_open
                    end.is_open = True
                case SessionEnded():
                    end.has_ended = True
                case LivenessChanged(state):
                    assert state is not end.liveness
                    end.liveness = state
                case MessageReceived() | FrameReceived():
                    assert end.is_open, "something came before the hello"
                    if numbered := number_of(event):
                        end.received[numbered[0]].append(numbered[1])

    @invariant()
    def each_lane_keeps_its_order_and_loses_nothing_in_between(self) -> None:
        for end, other in (self.ends, self.ends[::-1]):
            for lane in Lane:
                arrived = end.received[lane]
                assert arrived == other.sent[lane][: len(arrived)]

    @invariant()
    def nobody_acts_on_what_it_heard_long_ago(self) -> None:
        for end in self.ends:
            if end.session.may_act(self.now):
                assert end.is_open
                assert not end.has_ended
                assert self.now - end.heard_at < DISCONNECTED_SECONDS

    @invariant()
    def silence_is_noticed_at_the_next_look_at_the_clock(self) -> None:
        for end in self.ends:
            silence = end.ticked_at - end.heard_at
            if silence >= DISCONNECTED_SECONDS:
                assert end.has_ended
            elif silence >= SUSPECT_SECONDS and not end.has_ended:
                assert end.liveness is LinkState.SUSPECT

    def teardown(self) -> None:
        """A link without faults opens and stays up, however little there is to say."""
        self.dial()
        for _ in range(30):
            for side in (0, 1):
                self.write(side, 6)
                self.read(1 - side, 6)
            self.pass_time(4.0, asleep=2)
        assert all(end.is_open and end.liveness is LinkState.ONLINE for end in self.ends)
        assert not any(end.has_ended for end in self.ends)


def lane_of(data: str | bytes) -> Lane:
    if isinstance(data, bytes):
        return Lane.SCREEN
    match decode(data):
        case Done():
            return Lane.STATE
        case LogChunk():
            return Lane.LOG
        case _:
            return Lane.URGENT


def test_a_session_keeps_order_and_never_outlives_its_peer(examples: int) -> None:
    hold(SessionPair, examples)


# --- what the machine is able to catch ------------------------------------------------------------


class TrustsItsBuffers(Session):
    """Takes a message for life, however long this machine slept."""

    def receive(self, data: str | bytes, now: float) -> list[SessionEvent]:
        self._lease.__init__(DISCONNECTED_SECONDS, now)  # type: ignore[misc]
        return super().receive(data, now)


class NeverGivesUp(Session):
    def tick(self, now: float) -> list[SessionEvent]:
        return []


class FirstComeFirstServed(Session):
    def send(self, message: Message) -> None:
        super().send(message)
        for lane in self._lanes[1:]:
            while lane:
                self._lanes[0].append(lane.popleft())


@pytest.mark.parametrize("mistake", [TrustsItsBuffers, NeverGivesUp, FirstComeFirstServed])
def test_a_mistake_would_be_noticed(mistake: type[Session]) -> None:
    assert_caught(type(mistake.__name__, (SessionPair,), {"session_class": mistake}))
