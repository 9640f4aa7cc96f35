"""One control link: the session on a WebSocket, with one reader and one writer.

What a request means is in `requests.py`; here is only how messages come and go, and when.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.jobs.screens import Watch
from agent.server import sockets
from agent.server.context import AgentContext
from agent.server.event_pump import EventPump, JournalBehindError
from agent.server.requests import Requests
from agent.server.tokens import Grant
from common.errors import FlotillaError, LinkError, TokenRefusedError
from common.infra.clock import running_time
from common.protocol.frames import CONTROL_CHUNK, FrameKind, cut
from common.protocol.messages import (
    Acknowledge,
    Heartbeat,
    Hello,
    Message,
    Progress,
    ScreenSeen,
    StopScreen,
    WatchScreen,
)
from common.protocol.session import (
    Lane,
    MessageReceived,
    Session,
    SessionEnded,
    SessionEvent,
    SessionOpened,
)
from common.version import VERSION

_LOG = logging.getLogger(__name__)
FEATURES = ["logs", "screens", "blobs"]
_TICK_SECONDS = 1.0
_PROGRESS_SECONDS = 0.1
_WRITE_SECONDS = 30.0
_HELLO_SECONDS = 10.0
_WATCHES = 32
_REQUESTS_AT_ONCE = 64


@dataclass(slots=True)
class _Pending:
    """What waits to be sent besides the session's own lanes."""

    progress: set[str] = field(default_factory=set)
    progress_after: float = 0.0


class ControlLink:
    """One desktop at the door, from its hello to the end."""

    def __init__(self, websocket: WebSocket, grant: Grant, context: AgentContext) -> None:
        self._socket = websocket
        self._grant = grant
        self._context = context
        self._session = Session(_hello(context, grant.store_id), _now())
        self._wake = asyncio.Event()
        self._pending = _Pending()
        self._pump: EventPump | None = None
        self._watches: dict[int, Watch] = {}
        self._requests = Requests(context, grant, self._reply)
        self._slots = asyncio.Semaphore(_REQUESTS_AT_ONCE)
        self._ended: SessionEnded | None = None
        self._opened_at = _now()

    @property
    def store_id(self) -> str:
        """The store that dialled."""
        return self._grant.store_id

    async def serve(self) -> None:
        """Pump the session until either side ends it."""
        stop_progress = self._context.supervisor.listen(self._item_moved)
        stop_events = self._context.outbox.listen(self._wake.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read(tasks), name="control reader")
                writer = tasks.create_task(self._write(), name="control writer")
                await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
                reader.cancel()
                if not writer.done():
                    await self._say_last_words(writer)
        finally:
            stop_progress()
            stop_events()
            for watch in self._watches.values():
                self._context.supervisor.screens.stop(watch)
            self._context.links.closed(self)
            await self._close_socket()

    def end(self, error: FlotillaError) -> None:
        """Say goodbye and close."""
        if self._ended is None:
            self._take([self._session.end(error)])

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        try:
            while self._ended is None:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                data = text if text is not None else message.get("bytes", b"")
                for received in self._take(self._session.receive(data, _now())):
                    await self._slots.acquire()
                    tasks.create_task(self._answer(received), name="control request")
        except WebSocketDisconnect:
            return

    async def _answer(self, message: Message) -> None:
        try:
            await self._requests.answer(message)
        finally:
            self._slots.release()

    async def _write(self) -> None:
        try:
            await self._write_until_ended()
        except (WebSocketDisconnect, TimeoutError) as problem:
            _LOG.info("Link of %s broke (%s).", self._grant.name, type(problem).__name__)

    async def _write_until_ended(self) -> None:
        while True:
            self._tick()
            await self._send_queued()
            if self._ended is not None:
                return
            if await self._queue_events():
                continue
            self._queue_progress()
            if not self._session.has_outgoing and self._ended is None:
                await self._wait()

    async def _send_queued(self) -> None:
        if not self._session.has_outgoing:
            return
        async with asyncio.timeout(_WRITE_SECONDS) as deadline:
            for data in self._session.outgoing():
                await sockets.send(self._socket, data)
                # What came meanwhile may be more urgent than the next of these.
                await asyncio.sleep(0)
                # On a slow link this takes long, and a heartbeat must not wait for all of it.
                self._tick()
                deadline.reschedule(asyncio.get_running_loop().time() + _WRITE_SECONDS)

    async def _queue_events(self) -> bool:
        """Queue the next batch where one is due; say whether there was one."""
        if self._pump is None or not self._session.is_open:
            return False
        if self._pump.wait_seconds(_now()) != 0.0:
            return False
        try:
            text = await self._pump.next_batch(_now())
        except JournalBehindError as error:
            self._distrust_journal(error)
            return False
        if text is not None:
            self._session.send_encoded(text, Lane.STATE)
        return text is not None

    def _queue_progress(self) -> None:
        pending = self._pending
        if not pending.progress or _now() < pending.progress_after or not self._session.is_open:
            return
        moved, pending.progress = pending.progress, set()
        pending.progress_after = _now() + _PROGRESS_SECONDS
        for item_id in moved:
            live = self._context.supervisor.live(item_id)
            if live is not None:
                self._session.send(
                    Progress(
                        item_id=item_id,
                        attempt=live.attempt,
                        step=live.step,
                        fraction=live.fraction,
                        log_end=live.log_end,
                    )
                )

    async def _wait(self) -> None:
        """Sleep until there is something to write, or it is time to look."""
        seconds = _TICK_SECONDS
        if self._pump is not None:
            due = self._pump.wait_seconds(_now())
            seconds = min(seconds, due) if due is not None else seconds
        if self._pending.progress:
            seconds = min(seconds, max(0.0, self._pending.progress_after - _now()))
        if seconds <= 0:
            return
        self._wake.clear()
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    def _tick(self) -> None:
        now = _now()
        self._take(self._session.tick(now))
        if not self._session.is_open and now - self._opened_at > _HELLO_SECONDS:
            self.end(LinkError("The desktop did not say hello."))
        if self._session.is_heartbeat_due(now):
            health = self._context.health()
            self._session.send(
                Heartbeat(
                    clock=time.time(),
                    running=health.running,
                    queued=health.waiting,
                    loop_lag=health.loop_lag,
                    disk_free=health.disk_free,
                    is_disk_full=health.is_disk_full,
                    echo=self._session.peer_clock,
                )
            )

    def _take(self, events: list[SessionEvent]) -> list[Message]:
        """Act on what the session says; return the requests among it."""
        requests: list[Message] = []
        for event in events:
            match event:
                case SessionOpened():
                    self._open(event.peer)
                case MessageReceived():
                    self._heard()
                    requests += self._receive(event.message)
                case SessionEnded():
                    self._ended = event
                    _LOG.info("Link of %s ended: %s", self._grant.name, event.error.message)
                case _:
                    continue
        self._wake.set()
        return requests

    def _open(self, peer: Hello) -> None:
        if peer.store_id != self._grant.store_id:
            self.end(TokenRefusedError("This token was given to another store."))
            return
        try:
            self._context.links.opened(self)
            if self._grant.scope == "control":
                outbox = self._context.outbox
                self._pump = EventPump(outbox, self._context.journal.key, peer.cursor)
        except JournalBehindError as error:
            self._distrust_journal(error)
            return
        except LinkError as error:
            self.end(error)
            return
        self._heard()
        self._context.marks.note(self.store_id, peer.mark)
        _LOG.info("%s is linked (%s).", peer.desktop_name or "A desktop", self._grant.scope)

    def _distrust_journal(self, error: JournalBehindError) -> None:
        self._context.supervisor.orders.distrust_journal()
        self._context.begin_new_epoch()
        self.end(error)

    def _heard(self) -> None:
        if self._grant.scope == "control":
            self._context.owner_heard()

    def _receive(self, message: Message) -> list[Message]:
        try:
            match message:
                case Heartbeat():
                    self._context.marks.note(self.store_id, message.mark)
                    return []
                case Acknowledge():
                    self._acknowledge(message)
                case ScreenSeen():
                    self._screen_seen(message.channel)
                case WatchScreen():
                    self._watch(message)
                case StopScreen():
                    self._stop_watch(message)
                case _:
                    return [message]
        except LinkError as error:
            self.end(error)
        return []

    def _acknowledge(self, message: Acknowledge) -> None:
        if self._pump is None:
            raise LinkError("This desktop gets no events, and acknowledged some.")
        self._pump.acknowledge(message.epoch, message.seq)

    def _watch(self, request: WatchScreen) -> None:
        channel = request.channel
        previous = self._watches.pop(channel, None)
        if previous is not None:
            self._context.supervisor.screens.stop(previous)
        if len(self._watches) >= _WATCHES:
            self._requests.refuse(request.id, LinkError("Too many screens are watched at once."))
            return

        def show(jpeg: bytes) -> None:
            for frame in cut(FrameKind.SCREEN, channel, jpeg, CONTROL_CHUNK):
                self._session.send_frame(frame)
            self._wake.set()

        screens = self._context.supervisor.screens
        self._watches[channel] = screens.watch(request.account_id, request.width, show)
        self._requests.done(request.id)

    def _stop_watch(self, request: StopScreen) -> None:
        watch = self._watches.pop(request.channel, None)
        if watch is not None:
            self._context.supervisor.screens.stop(watch)
        self._requests.done(request.id)

    def _screen_seen(self, channel: int) -> None:
        watch = self._watches.get(channel)
        if watch is not None:
            self._context.supervisor.screens.seen(watch)

    def _reply(self, message: Message) -> None:
        self._session.send(message)
        self._wake.set()

    def _item_moved(self, item_id: str) -> None:
        if not self._pending.progress:
            self._wake.set()
        self._pending.progress.add(item_id)

    async def _say_last_words(self, writer: asyncio.Task[None]) -> None:
        """Let the writer send what is queued, a goodbye among it."""
        if self._ended is None:
            writer.cancel()
            return
        self._wake.set()
        await asyncio.wait({writer}, timeout=_TICK_SECONDS)
        writer.cancel()

    async def _close_socket(self) -> None:
        try:
            await self._socket.close()
        except (RuntimeError, WebSocketDisconnect, OSError):
            # The other side closed first: there is nothing left to close.
            return


def _hello(context: AgentContext, store_id: str) -> Hello:
    card = context.card(store_id)
    return Hello(app=VERSION, features=FEATURES, clock=time.time(), agent=card)


def _now() -> float:
    """Return a time that a suspend does not hide: a link that slept is not alive."""
    return running_time()
