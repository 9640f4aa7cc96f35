import pytest

from common.domain.states import LinkState
from common.errors import LinkError, ProtocolVersionError
from common.protocol.frames import Frame, FrameKind
from common.protocol.messages import (
    CONTROL_MESSAGE_LIMIT,
    Acknowledge,
    Heartbeat,
    Hello,
    LogChunk,
    Progress,
    Refused,
    decode,
)
from common.protocol.session import (
    FrameReceived,
    LivenessChanged,
    MessageReceived,
    Session,
    SessionEnded,
    SessionEvent,
    SessionOpened,
)


def hello(maximum: int = 1) -> Hello:
    return Hello(proto_minimum=maximum, proto_maximum=maximum, app="0.1.0", clock=0.0)


def pair(now: float = 0.0) -> tuple[Session, Session]:
    desktop, agent = Session(hello(), now), Session(hello(), now)
    deliver(desktop, agent, now)
    deliver(agent, desktop, now)
    return desktop, agent


def deliver(sender: Session, receiver: Session, now: float = 0.0) -> list[SessionEvent]:
    return [event for data in sender.outgoing() for event in receiver.receive(data, now)]


def test_both_sides_open_with_a_hello() -> None:
    desktop, agent = Session(hello(), 0), Session(hello(), 0)
    assert not desktop.is_open
    opened = deliver(desktop, agent)
    assert opened == [SessionOpened(hello(), 1), LivenessChanged(LinkState.ONLINE)]
    deliver(agent, desktop)
    assert desktop.is_open
    assert agent.is_open


def test_without_a_common_version_both_sides_learn_why() -> None:
    old, new = Session(hello(1), 0), Session(hello(2), 0)
    (ended,) = deliver(old, new)
    assert isinstance(ended, SessionEnded)
    assert isinstance(ended.error, ProtocolVersionError)
    events = deliver(new, old)
    assert isinstance(events[-1], SessionEnded)
    assert "Update the older side" in events[-1].error.advice


def test_urgent_messages_overtake_logs_and_screens() -> None:
    desktop, _ = pair()
    desktop.send_frame(Frame(FrameKind.SCREEN, 1, 0, b"jpeg", close=True))
    desktop.send(LogChunk(id="1", offset=0, text="", end=0))
    desktop.send(Acknowledge(epoch="e", seq=1))
    order = [data if isinstance(data, bytes) else decode(data) for data in desktop.outgoing()]
    assert isinstance(order[0], Acknowledge)
    assert isinstance(order[1], LogChunk)
    assert isinstance(order[2], bytes)


def test_a_message_queued_while_writing_still_goes_first() -> None:
    desktop, _ = pair()
    desktop.send(Progress(item_id="i", attempt=1, step="one"))
    desktop.send(Progress(item_id="i", attempt=1, step="two"))
    outgoing = desktop.outgoing()
    next(outgoing)
    desktop.send(Acknowledge(epoch="e", seq=1))
    urgent = next(outgoing)
    assert isinstance(urgent, str)
    assert isinstance(decode(urgent), Acknowledge)


def test_silence_makes_a_link_suspect_then_disconnected_and_any_word_revives_it() -> None:
    desktop, agent = pair(now=100.0)
    assert desktop.tick(114.9) == []
    assert desktop.tick(115.0) == [LivenessChanged(LinkState.SUSPECT)]
    agent.send(Heartbeat(clock=1.0))
    assert LivenessChanged(LinkState.ONLINE) in deliver(agent, desktop, 116.0)
    events = desktop.tick(161.0)
    assert events[0] == LivenessChanged(LinkState.DISCONNECTED)
    assert isinstance(events[1], SessionEnded)
    assert "45 s" in events[1].error.message


def test_what_lay_in_a_buffer_while_this_machine_slept_revives_nothing() -> None:
    desktop, agent = pair()
    agent.send(Heartbeat(clock=1.0))
    assert desktop.may_act(44.9)
    assert not desktop.may_act(3600.0), "no request goes out before it has linked anew"
    events = deliver(agent, desktop, 3600.0)
    assert events[0] == LivenessChanged(LinkState.DISCONNECTED)
    assert isinstance(events[-1], SessionEnded)
    assert not desktop.is_open


def test_a_peer_that_never_says_hello_is_given_up() -> None:
    lonely = Session(hello(), 0.0)
    assert any(isinstance(event, SessionEnded) for event in lonely.tick(45.0))


def test_heartbeats_are_due_once_per_interval_and_carry_the_clock_to_echo() -> None:
    desktop, agent = pair()
    assert not desktop.is_heartbeat_due(4.9)
    assert desktop.is_heartbeat_due(5.0)
    assert not desktop.is_heartbeat_due(5.1)
    desktop.send(Heartbeat(clock=123.5))
    deliver(desktop, agent)
    assert agent.peer_clock == 123.5


def test_a_request_of_a_newer_release_gets_a_typed_refusal() -> None:
    desktop, agent = pair()
    assert agent.receive('{"t":"teleport","id":"9"}', 0) == []
    (received,) = deliver(agent, desktop)
    assert isinstance(received, MessageReceived)
    assert isinstance(received.message, Refused)
    assert received.message.id == "9"
    assert "teleport" in received.message.error.message


def test_frames_arrive_whole() -> None:
    desktop, agent = pair()
    frame = Frame(FrameKind.SCREEN, 3, 0, b"jpeg", close=True)
    agent.send_frame(frame)
    assert deliver(agent, desktop) == [FrameReceived(frame)]


@pytest.mark.parametrize(
    "data",
    ["no json", b"short", "x" * (CONTROL_MESSAGE_LIMIT + 1), '{"t":"hello","app":"a","clock":0}'],
    ids=["text", "frame", "size", "second hello"],
)
def test_what_no_peer_of_ours_sends_ends_the_session(data: str | bytes) -> None:
    desktop, _ = pair()
    (ended,) = desktop.receive(data, 0)
    assert isinstance(ended, SessionEnded)
    assert isinstance(ended.error, LinkError)
    assert desktop.receive('{"t":"heartbeat","clock":1}', 0) == []


@pytest.mark.parametrize("data", ['{"t":"heartbeat","clock":1}', b"\1" + b"\0" * 15])
def test_nothing_is_taken_before_the_hello(data: str | bytes) -> None:
    (ended,) = Session(hello(), 0).receive(data, 0)
    assert isinstance(ended, SessionEnded)


def test_unreadable_text_stays_out_of_the_error() -> None:
    desktop, _ = pair()
    (ended,) = desktop.receive("hunter2hunter2", 0)
    assert isinstance(ended, SessionEnded)
    assert "hunter2" not in str(ended.error)


def test_a_goodbye_carries_the_reason_as_the_same_error() -> None:
    desktop, agent = pair()
    agent.end(LinkError("Another window of this store has connected."))
    (ended,) = deliver(agent, desktop)
    assert isinstance(ended, SessionEnded)
    assert isinstance(ended.error, LinkError)
    assert "Another window" in ended.error.message


@pytest.mark.parametrize(
    "data",
    [
        "no json",
        b"short",
        "é" * (CONTROL_MESSAGE_LIMIT // 2 + 1),
        '{"t":"events","epoch":"e","rows":[{"seq":-1,"at":0,"body":{}}]}',
        '{"t":"acknowledge","epoch":"e"}',
    ],
    ids=["text", "frame", "bytes", "events", "acknowledgement"],
)
def test_whoever_breaks_the_rules_is_told_which(data: str | bytes) -> None:
    desktop, agent = pair()
    (ended,) = desktop.receive(data, 0)
    assert isinstance(ended, SessionEnded)
    (told,) = deliver(desktop, agent)
    assert isinstance(told, SessionEnded)
    assert told.error.message == ended.error.message


def test_a_goodbye_that_was_not_written_can_be_taken_and_nothing_else_goes_out() -> None:
    desktop, _ = pair()
    desktop.send(Heartbeat(clock=1.0))
    assert desktop.take_goodbye() is None
    desktop.end(LinkError("Enough."))
    goodbye = desktop.take_goodbye()
    assert goodbye is not None
    assert "Enough." in goodbye
    assert desktop.take_goodbye() is None
    assert not desktop.has_outgoing
