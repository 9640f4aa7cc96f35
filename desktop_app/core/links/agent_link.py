"""The control link to one agent: dialled, kept alive and dialled again while it is paired.

One task reads, one writes, one minds the time; the session itself decides (`common.protocol`).
What is done with an agent while the link is up belongs to the `LinkHandler`.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from common.domain.ids import new_id
from common.domain.states import LinkState
from common.errors import (
    AgentUnreachableError,
    FlotillaError,
    LinkError,
    NotAnAgentError,
    WireError,
)
from common.infra.clock import running_time
from common.protocol.frames import Frame
from common.protocol.messages import (
    CONTROL_MESSAGE_LIMIT,
    CONTROL_PATH,
    AgentCard,
    AskBlobs,
    Events,
    Heartbeat,
    Hello,
    Message,
    Progress,
    Request,
    Response,
    encode,
)
from common.protocol.outbox import WINDOW_EVENTS
from common.protocol.session import (
    FrameReceived,
    LivenessChanged,
    MessageReceived,
    Session,
    SessionEvent,
    SessionOpened,
)
from desktop_app.core.clock import JumpWatch
from desktop_app.core.links.backoff import BackOff
from desktop_app.core.links.dial import AgentAddress, dial, is_refusal
from desktop_app.core.links.requests import Requests
from desktop_app.core.tasks import end_all

REQUEST_SECONDS = 20.0
_HELLO_SECONDS = 15.0
_WRITE_SECONDS = 20.0
_TICK_SECONDS = 1.0
_MEASURE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class LinkHandler(Protocol):
    """What the owner of a link does with it."""

    async def make_hello(self, agent_id: str) -> Hello:
        """Return our hello, with the cursor of this moment."""
        ...

    async def serve(self, live: "LiveLink") -> None:
        """Work with the agent while the link is up; cancelled when it breaks."""
        ...

    def link_changed(self, link: "AgentLink") -> None:
        """Take note that the link's state or figures changed."""
        ...

    def progressed(self, agent_id: str, progress: Progress) -> None:
        """Take note of an item's progress."""
        ...

    def frame_received(self, live: "LiveLink", frame: Frame) -> None:
        """Take a piece of a screen."""
        ...


@dataclass(slots=True)
class LinkFigures:
    """What was last heard of an agent. Not stored; a new link begins with nothing."""

    app: str = ""
    running: int = 0
    queued: int = 0
    disk_free: int | None = None
    is_disk_full: bool = False
    round_trip: float | None = None
    """Seconds."""
    clock_skew: float | None = None
    """Seconds by which its clock is ahead of ours."""
    last_seen: float | None = None


class _Batches(asyncio.Queue[Events]):
    """Batches of events, full when they hold as many rows as may go unacknowledged."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._rows = 0

    def _put(self, item: Events) -> None:
        super()._put(item)
        self._rows += max(1, len(item.rows))

    def _get(self) -> Events:
        item = super()._get()
        self._rows -= max(1, len(item.rows))
        return item

    def full(self) -> bool:
        """Say whether an agent that obeys the window could not have sent more."""
        return self._rows >= self.maxsize


class LiveLink:
    """One session with an agent, while it lasts."""

    def __init__(self, link: "AgentLink", session: Session) -> None:
        self.link = link
        self.events: asyncio.Queue[Events] = _Batches(WINDOW_EVENTS)
        """Batches as they came; bounded by the window of unacknowledged events."""
        self._session = session
        self._requests = Requests()
        self._peer: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._outgoing = asyncio.Event()
        self._outgoing.set()

    @property
    def agent_id(self) -> str:
        """The agent at the other end."""
        return self.link.agent_id

    @property
    def card(self) -> AgentCard:
        """What the agent said of itself in this session's hello."""
        card = self._peer.result().agent
        if card is None:
            raise NotAnAgentError("The other side sent no agent card.")
        return card

    def send(self, message: Message) -> None:
        """Queue a message; it leaves by the priority of its type."""
        self._session.send(message)
        self._outgoing.set()

    async def request(self, request: Request, seconds: float = REQUEST_SECONDS) -> Response:
        """Send a request and wait for its answer.

        Raises what the agent refused it with, AgentUnreachableError when the answer does not come,
        the session ends or was not heard of lately enough to act on it, and LinkError where the
        request is too large for the wire.
        """
        self._require_lease()
        if len(encode(request)) > CONTROL_MESSAGE_LIMIT:
            raise LinkError(f"The request {request.t!r} is larger than the wire allows.")
        future = self._requests.expect(request)
        self.send(request)
        return await self._requests.wait(request, future, seconds)

    def _require_lease(self) -> None:
        """Raise where this machine slept: much may have changed before both shake hands again."""
        if not self._session.may_act(running_time()):
            raise AgentUnreachableError("The link was silent for too long to act on it.")

    def take(self, events: list[SessionEvent]) -> None:
        """Act on what the session says of something that arrived or of time that passed.

        Raises the error that ended the session.
        """
        for event in events:
            if isinstance(event, MessageReceived):
                self._take_message(event.message)
            elif isinstance(event, FrameReceived):
                self.link.handler.frame_received(self, event.frame)
            elif isinstance(event, SessionOpened):
                self._open(event.peer)
            elif isinstance(event, LivenessChanged):
                self.link.set_state(event.state)
            else:
                raise event.error

    def receive(self, data: str | bytes) -> None:
        """Take what the socket gave; raises the error that ended the session."""
        self.link.figures.last_seen = time.time()
        self.take(self._session.receive(data, running_time()))
        self._outgoing.set()

    def pass_time(self) -> None:
        """Notice silence and send the heartbeat when it is due."""
        now = running_time()
        self.take(self._session.tick(now))
        if self._session.is_heartbeat_due(now):
            echo, mark = self._session.peer_clock, self.link.mark()
            self.send(Heartbeat(clock=time.time(), echo=echo, mark=mark))

    async def opened(self) -> None:
        """Wait until both sides have said hello."""
        async with asyncio.timeout(_HELLO_SECONDS):
            await asyncio.shield(self._peer)

    async def write_to(self, socket: ClientConnection) -> None:
        """Write whatever is queued, for as long as the session lasts."""
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            for piece in self._session.outgoing():
                if self._peer.done():
                    self._require_lease()
                async with asyncio.timeout(_WRITE_SECONDS):
                    await socket.send(piece)

    async def say_goodbye(self, socket: ClientConnection, error: FlotillaError) -> None:
        """Tell the agent why this side ends the session, or did; ask for nothing more.

        Nothing is said where the agent ended it, or where the socket takes nothing any more.
        """
        self._session.end(error)
        if (goodbye := self._session.take_goodbye()) is None:
            return
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_TICK_SECONDS):
                await socket.send(goodbye)

    def end(self, error: FlotillaError) -> None:
        """Fail every waiting request."""
        self._requests.end(error)
        if not self._peer.done():
            self._peer.cancel()

    def _open(self, peer: Hello) -> None:
        if peer.agent is None or peer.agent.agent_id != self.agent_id:
            raise NotAnAgentError("The other side says that it is another agent.")
        figures = self.link.figures
        figures.app = peer.app
        figures.clock_skew = peer.clock - time.time()
        self._peer.set_result(peer)

    def _take_message(self, message: Message) -> None:
        if isinstance(message, Response):
            self._requests.answer(message)
        elif isinstance(message, Events):
            self._take_batch(message)
        elif isinstance(message, Progress):
            self.link.handler.progressed(self.agent_id, message)
        elif isinstance(message, Heartbeat):
            self._note(message)
        else:
            # An agent has no request verbs towards the desktop.
            raise LinkError(f"The agent sent {message.t!r}, which only a desktop sends.")

    def _take_batch(self, events: Events) -> None:
        try:
            self.events.put_nowait(events)
        except asyncio.QueueFull:
            raise LinkError("The agent sent more events than it may before we answer.") from None

    def _note(self, heartbeat: Heartbeat) -> None:
        figures, now = self.link.figures, time.time()
        figures.running, figures.queued = heartbeat.running, heartbeat.queued
        figures.disk_free = heartbeat.disk_free
        figures.is_disk_full = heartbeat.is_disk_full
        figures.clock_skew = heartbeat.clock - now
        self.link.handler.link_changed(self.link)


class AgentLink:
    """Keeps the control link to one paired agent up."""

    def __init__(
        self,
        address: AgentAddress,
        handler: LinkHandler,
        handshakes: asyncio.Semaphore,
        mark: Callable[[], int] = lambda: 0,
    ) -> None:
        """`handshakes` bounds how many links of the fleet dial at once.

        `mark` says how far the store's history is, for heartbeats.
        """
        self.address = address
        self.handler = handler
        self.mark = mark
        self.figures = LinkFigures()
        self.state = LinkState.CONNECTING
        self.error: FlotillaError | None = None
        self.notice: WireError | None = None
        """Something that the operator should know although the link is up."""
        self.live: LiveLink | None = None
        """The session, while both sides have said hello."""
        self.settled = asyncio.Event()
        """Set once the agent is known to work, or has been refused: no use in waiting longer."""
        self._handshakes = handshakes
        self._back_off = BackOff()
        self._hurry = asyncio.Event()

    @property
    def agent_id(self) -> str:
        """The agent that this link belongs to."""
        return self.address.agent_id

    def hurry(self) -> None:
        """Dial now instead of waiting out the back-off."""
        self._back_off.reset()
        self._hurry.set()

    def set_state(self, state: LinkState, error: FlotillaError | None = None) -> None:
        """Take a new state and tell the owner."""
        if state is self.state and error is self.error:
            return
        if state is not self.state:
            _log.info("Agent %s is %s%s", self.address.where, state, f": {error}" if error else "")
        self.state, self.error = state, error
        if state is LinkState.REFUSED:
            self.settled.set()
        self.handler.link_changed(self)

    async def run(self) -> None:
        """Dial, serve and dial again until cancelled."""
        while True:
            try:
                await self._connect_once()
                error: FlotillaError = AgentUnreachableError("The agent closed the link.")
            except FlotillaError as problem:
                error = problem
            except Exception as problem:  # noqa: BLE001 - one link's defect must not end it
                _log.exception("The link to %s failed.", self.address.where)
                error = LinkError(f"The link failed ({type(problem).__name__}).")
            _forget_origin(error)
            state = LinkState.REFUSED if is_refusal(error) else LinkState.DISCONNECTED
            self.set_state(state, error)
            await self._wait()

    async def _connect_once(self) -> None:
        hello = await self.handler.make_hello(self.agent_id)
        async with self._handshakes:
            socket = await dial(self.address, CONTROL_PATH, message_limit=CONTROL_MESSAGE_LIMIT)
        live = LiveLink(self, Session(hello, running_time()))
        error: FlotillaError = AgentUnreachableError("The link to the agent ended.")
        reason: FlotillaError = LinkError("The desktop ended the link.")
        try:
            await self._serve(live, socket)
        except FlotillaError as problem:
            error = reason = problem
            raise
        finally:
            self.live = None
            live.end(error)
            await live.say_goodbye(socket, reason)
            await socket.close()

    async def _serve(self, live: LiveLink, socket: ClientConnection) -> None:
        """Run the tasks of one session; the first that ends, ends all."""
        tasks = [
            asyncio.create_task(self._read(live, socket), name=f"read {self.address.where}"),
            asyncio.create_task(live.write_to(socket), name=f"write {self.address.where}"),
            asyncio.create_task(self._mind_time(live, socket), name=f"time {self.address.where}"),
            asyncio.create_task(self._work(live), name=f"work {self.address.where}"),
            asyncio.create_task(self._measure(live), name=f"measure {self.address.where}"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_all(tasks)
        _raise_first([task for task in tasks if task in done])

    async def _read(self, live: LiveLink, socket: ClientConnection) -> None:
        async for data in socket:
            live.receive(data)
            # What lies ready is given out without a pause: the other links want their turn.
            await asyncio.sleep(0)

    async def _mind_time(self, live: LiveLink, socket: ClientConnection) -> None:
        watch = JumpWatch(time.time(), time.monotonic())
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            live.pass_time()
            if watch.has_jumped(time.time(), time.monotonic()):
                error = LinkError("The clock jumped, or this machine slept; linking again.")
                await live.say_goodbye(socket, error)
                self.hurry()
                raise error

    async def _measure(self, live: LiveLink) -> None:
        """Time a question that costs the agent nothing, now and then."""
        await live.opened()
        while True:
            began = time.perf_counter()
            await live.request(AskBlobs(id=new_id(), sha256s=[]))
            self.figures.round_trip = time.perf_counter() - began
            self.handler.link_changed(self)
            await asyncio.sleep(_MEASURE_SECONDS)

    async def _work(self, live: LiveLink) -> None:
        try:
            await live.opened()
        except TimeoutError:
            raise NotAnAgentError("The other side did not say hello in time.") from None
        self.live = live
        self._back_off.reset()
        await self.handler.serve(live)

    async def _wait(self) -> None:
        seconds = self._back_off.next_wait(random.random())
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()
        if self.state is LinkState.DISCONNECTED:
            self.set_state(LinkState.CONNECTING, self.error)


def _forget_origin(error: BaseException | None) -> None:
    """Let go of the frames that an error came through: they hold the session and its socket.

    The error itself is kept, to be shown; with its frames it would be a circle that only the
    garbage collector breaks, late, with a quarter of a MiB of buffers for each broken link.
    """
    while error is not None:
        origin = error.__context__
        error.with_traceback(None)
        error.__context__ = None
        error = origin


def _raise_first(ended: list["asyncio.Task[None]"]) -> None:
    """Raise what ended a session; a closed socket counts as the agent's hanging up."""
    for task in ended:
        problem = None if task.cancelled() else task.exception()
        if isinstance(problem, FlotillaError):
            raise problem
        if isinstance(problem, ConnectionClosed | TimeoutError | OSError):
            raise AgentUnreachableError("The link to the agent broke.") from None
        if problem is not None:
            raise problem
