"""All paired agents: a link to each, what the core does with it, and how it is shown."""

import asyncio
import platform
import time
from collections.abc import Collection, Mapping
from functools import partial

from sqlalchemy import Connection

from common.domain.accounts import DriverName
from common.domain.states import ItemState, LinkState
from common.domain.transitions import ITEM_FINAL
from common.errors import AgentUnreachableError, FlotillaError, LinkError, WireError, from_wire
from common.protocol.frames import Frame
from common.protocol.messages import Hello, Progress
from common.security.pairing import parse_pairing_line
from common.version import VERSION
from desktop_app.contract.agents import AgentRow
from desktop_app.core.agent_work import AgentWork, Greeting, Verb
from desktop_app.core.changes import ChangeHub
from desktop_app.core.gate import DispatchGate
from desktop_app.core.links.agent_link import AgentLink, LinkFigures, LiveLink
from desktop_app.core.links.dial import AgentAddress
from desktop_app.core.links.inbox import take_events
from desktop_app.core.links.log_puller import LogPuller
from desktop_app.core.links.pairing import pair
from desktop_app.core.links.tls import pinned_context
from desktop_app.core.placing import agents_for, risk_of
from desktop_app.core.preflight import AgentOption
from desktop_app.core.progress import LiveProgress
from desktop_app.core.run_logs import RunLogs
from desktop_app.core.screens import ScreenFan
from desktop_app.core.tasks import TaskOwner, run_together
from desktop_app.store import accounts, agents, cards, generations, items, moving, settling
from desktop_app.store.inbox import Applied
from desktop_app.store.records import AgentRecord, ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import ItemMove, Touched

HANDSHAKES = 20
"""Links that dial at the same time at most."""
_FIRST_LINK_SECONDS = 15.0
_LOGS_SECONDS = 3 * 24 * 3600.0
"""For how long a log that is not whole here is asked for at every link; clocks may be days off."""
_FORGET = (
    "Let it finish or cancel its items first, or stop it for good and forget it anyway: another "
    "agent then looks for what may have been sent before it publishes."
)


class Fleet:
    """Owns the links. The `LinkHandler` of each of them."""

    def __init__(
        self,
        store: Store,
        hub: ChangeHub,
        logs: RunLogs,
        progress: LiveProgress,
        screens: ScreenFan,
    ) -> None:
        self.deciding = asyncio.Lock()
        """Held by whoever looks at items and acts on it, so that none is handed over meanwhile."""
        self.gate = DispatchGate(store, self._gate_changed)
        self._left: frozenset[str] = frozenset()
        self._left_behind: set[str] = set()
        """Agents that may still publish what others have by now."""
        self._store = store
        self._hub = hub
        self._logs = logs
        self._progress = progress
        self._screens = screens
        self._handshakes = asyncio.Semaphore(HANDSHAKES)
        self._tasks = TaskOwner()
        self._links: dict[str, AgentLink] = {}
        self._greetings: dict[str, Greeting] = {}
        self._work: dict[str, AgentWork] = {}
        self._pullers: dict[str, LogPuller] = {}

    async def start(self) -> None:
        """Link to every paired agent."""
        self._left = await self._store.read(moving.agents_left)
        await self.gate.look()
        for record in await self._store.read(agents.records):
            await self._add(record)

    async def aclose(self) -> None:
        """End every link. Agents go on with what they accepted."""
        await self._tasks.aclose()

    async def pair(self, line_text: str) -> AgentRow:
        """Pair by a line, store the agent, and wait a little for its first link.

        Raises InputError for the line, and the LinkErrors of `links.pairing`.
        """
        line = parse_pairing_line(line_text)
        found = await pair(line, self._store.store_id, platform.node() or "desktop")
        work = partial(
            agents.save_pairing,
            vault=self._store.vault,
            agent_id=found.agent_id,
            name=found.name,
            host=found.host,
            port=found.port,
            certificate=found.certificate,
            token=found.token,
            scope=found.scope,
            at=time.time(),
        )
        self._hub.touch(await self._store.write(work))
        await self._remove(found.agent_id)
        link = await self._add(
            await self._store.read(partial(agents.record, agent_id=found.agent_id))
        )
        await self._until_known(link)
        rows = await self._store.read(partial(self.rows, ids=[found.agent_id]))
        return rows[0]

    async def forget(self, agent_id: str, *, force: bool) -> int:
        """Forget an agent; return the revision. What it may have sent is looked for by others.

        Raises ConflictError, with what is risked, while it has unfinished items, unless forced;
        NotFoundError.
        """
        record = await self._store.read(partial(agents.record, agent_id=agent_id))
        async with self.deciding:
            held = [
                item
                for item in await self._store.read(partial(items.unfinished, agent_id=agent_id))
                if item.is_away
            ]
            if held and not force:
                seen = self.last_seen(record)
                risk = risk_of(record, held, last_seen=seen, now=time.time(), advice=_FORGET)
                raise from_wire(risk)
            await self._remove(agent_id)
            touched = await self._store.write(partial(self._forget, record=record))
        revision = self._hub.touch(touched)
        await self.gate.look()
        self.wake_all()
        return revision

    def _forget(self, connection: Connection, record: AgentRecord) -> Touched:
        """Remove an agent, and give what it had to others; where none is left, a person decides."""
        left = items.unfinished(connection, agent_id=record.id)
        touched = moving.forget_target(connection, record.id) | agents.forget(connection, record.id)
        known = accounts.records(connection, {item.account_id for item in left})
        agent_of = agents_for(left, known, self.options(agents.records(connection)))
        gone = LinkError("The agent of this item was forgotten before the item ended.").to_wire()
        touched |= settling.take_from_agent(connection, left, agent_of, at=time.time(), error=gone)
        placed = {item.account_id: agent_of[item.id] for item in left if item.id in agent_of}
        return touched | accounts.assign(connection, placed)

    def wake_all(self) -> None:
        """There may be something new for any agent."""
        self.wake(list(self._work))

    def moving_changed(self, left: frozenset[str]) -> None:
        """Take note of the agents that accounts are about to leave."""
        self._left = left

    def last_seen(self, record: AgentRecord) -> float | None:
        """Return when something was last heard of an agent, seconds since 1970."""
        link = self._links.get(record.id)
        return (link.figures.last_seen if link else None) or record.last_seen

    def wake(self, agent_ids: Collection[str]) -> None:
        """There is new work for these agents, or a wish to be told to them."""
        for agent_id in agent_ids:
            if (work := self._work.get(agent_id)) is not None:
                work.wake()

    def compare_again(self, agent_ids: Collection[str]) -> None:
        """Items were taken from these agents: they give up what they still have of them."""
        self._left_behind.update(agent_ids)
        for agent_id in agent_ids:
            if (work := self._work.get(agent_id)) is not None:
                work.compare_again()

    def is_online(self, agent_id: str | None) -> bool:
        """Say whether the agent can be asked something now."""
        return agent_id in self._work

    async def control(
        self, agent_id: str, verb: Verb, ids: Collection[str]
    ) -> dict[str, WireError]:
        """Ask an agent for a verb; return what it refused, by item id.

        Raises AgentUnreachableError where there is no link: the wish is stored, and waits.
        """
        work = self._work.get(agent_id)
        if work is None:
            raise AgentUnreachableError("The agent is not connected.")
        return await work.control(verb, ids)

    def options(self, records: Collection[AgentRecord]) -> list[AgentOption]:
        """Return the agents as placement sees them; one that never linked is left out."""
        return [
            AgentOption(
                id=record.id,
                name=record.name,
                drivers=_known_drivers(record.card.drivers),
                tasks=frozenset(record.card.tasks),
                capacity=record.card.capacity,
                is_online=self.is_online(record.id),
                is_draining=record.is_draining,
            )
            for record in records
            if record.card is not None and record.is_ours
        ]

    def rows(self, connection: Connection, ids: Collection[str] | None = None) -> list[AgentRow]:
        """Return agents as clients see them, all or those with these ids."""
        counts = agents.account_counts(connection)
        return [
            self._row(record, counts)
            for record in agents.records(connection)
            if ids is None or record.id in ids
        ]

    def online(self) -> int:
        """Return how many agents answer."""
        return sum(link.state is LinkState.ONLINE for link in self._links.values())

    async def make_hello(self, agent_id: str) -> Hello:
        """Return our hello, with the cursor and the mark of this moment."""
        greeting = await self._store.write(partial(_greet, agent_id=agent_id))
        self._greetings[agent_id] = greeting
        self.gate.note_mark(greeting.mark)
        return Hello(
            app=VERSION,
            clock=time.time(),
            store_id=self._store.store_id,
            desktop_name=platform.node() or "desktop",
            cursor=greeting.cursor if greeting.cursor.epoch else None,
            mark=greeting.mark,
        )

    async def serve(self, live: LiveLink) -> None:
        """Work with an agent while the link is up."""
        agent_id = live.agent_id
        let_go = partial(self._let_go, agent_id)
        work = AgentWork(live, self._store, self.gate, self.deciding, self._hub.touch, let_go)
        await work.begin(self._greetings[agent_id])
        live.link.notice = None
        puller = LogPuller(self._logs, self._find_items, self._hub.touch_log)
        self._work[agent_id], self._pullers[agent_id] = work, puller
        try:
            live.link.settled.set()
            await self._show_waiting(agent_id)
            await self._want_old_logs(agent_id, puller)
            await run_together(
                take_events(live, self._store, partial(self._applied, agent_id)),
                work.run(),
                puller.run(live),
                self._screens.serve(live),
            )
        finally:
            del self._work[agent_id], self._pullers[agent_id]
            await self._store.write(
                partial(
                    agents.save_seen,
                    agent_id=agent_id,
                    at=live.link.figures.last_seen or time.time(),
                )
            )
            await self._show_waiting(agent_id)

    def link_changed(self, link: AgentLink) -> None:
        """Tell the clients that an agent's row changed."""
        self._hub.touch(Touched(agents=frozenset({link.agent_id})))

    def progressed(self, agent_id: str, progress: Progress) -> None:
        """Take note of an item's progress, and that its log may be longer."""
        self._progress.note(progress)
        self._hub.touch_item(progress.item_id)
        puller = self._pullers.get(agent_id)
        if puller is not None and progress.log_end:
            puller.want(progress.item_id, progress.attempt, progress.log_end)

    def frame_received(self, live: LiveLink, frame: Frame) -> None:
        """Pass a piece of a screen on."""
        self._screens.frame_received(live, frame)

    def _applied(self, agent_id: str, applied: Applied) -> None:
        touched = applied.touched
        self._hub.touch(touched)
        if (work := self._work.get(agent_id)) is not None:
            work.events_came(applied.cursor.seq)
            if agent_id in self._left and any(move.after in ITEM_FINAL for move in touched.moves):
                work.wake()
        if touched.cards or (touched.intents and agent_id in self._left_behind):
            self.wake(set(self._work) - {agent_id})  # what one agent settled another may hold
        if (puller := self._pullers.get(agent_id)) is not None:
            for growth in touched.logs:
                puller.want(growth.item_id, growth.attempt, growth.end)
        for move in touched.moves:
            if move.after is not ItemState.RUNNING:
                self._progress.forget(move.item_id)

    async def _show_waiting(self, agent_id: str) -> None:
        """Push what waits for an agent anew, cards and wishes: whether it hears them changed."""
        self._hub.touch(await self._store.read(partial(_waiting_for, agent_id=agent_id)))

    async def _let_go(self, agent_id: str) -> None:
        """Move those accounts on that wait to leave an agent which holds nothing of them now."""
        if agent_id not in self._left:
            return
        async with self.deciding:
            work = partial(moving.move_on, agent_id=agent_id, at=time.time())
            self._hub.touch(await self._store.write(work))
        self._left = await self._store.read(moving.agents_left)
        self.wake(set(self._work) - {agent_id})

    def _gate_changed(self) -> None:
        self._hub.touch(Touched(agents=frozenset(self._links)))
        self.wake_all()

    async def _find_items(self, ids: Collection[str]) -> Mapping[str, ItemRecord]:
        return await self._store.read(partial(items.records, ids=ids))

    async def _want_old_logs(self, agent_id: str, puller: LogPuller) -> None:
        """Pull what grew while the link was down."""
        work = partial(items.with_logs, agent_id=agent_id, since=time.time() - _LOGS_SECONDS)
        for item in await self._store.read(work):
            puller.want(item.id, item.attempt, item.log_end)

    async def _add(self, record: AgentRecord) -> AgentLink:
        token = await self._store.read(
            partial(agents.token, vault=self._store.vault, agent_id=record.id)
        )
        address = AgentAddress(
            agent_id=record.id,
            host=record.host,
            port=record.port,
            context=pinned_context(record.certificate),
            token=token,
        )
        link = AgentLink(address, self, self._handshakes, lambda: self.gate.mark)
        self._links[record.id] = link
        self._tasks.spawn(f"link {record.id}", link.run())
        return link

    async def _remove(self, agent_id: str) -> None:
        await self._tasks.cancel(f"link {agent_id}")
        self._links.pop(agent_id, None)

    async def _until_known(self, link: AgentLink) -> None:
        """Wait until it is clear what the agent can do; not for ever, it is paired already."""
        try:
            async with asyncio.timeout(_FIRST_LINK_SECONDS):
                await link.settled.wait()
        except TimeoutError:
            link.notice = (link.error or LinkError("The first link takes long.")).to_wire()

    def _row(self, record: AgentRecord, accounts: Mapping[str, int]) -> AgentRow:
        link = self._links.get(record.id)
        figures = link.figures if link else LinkFigures()
        card = record.card
        return AgentRow(
            id=record.id,
            name=record.name,
            host=record.host,
            port=record.port,
            link=link.state if link else LinkState.DISCONNECTED,
            link_error=_error_of(link),
            app=figures.app,
            drivers=card.drivers if card else [],
            tasks=card.tasks if card else [],
            browser_slots=card.browser_slots if card else 0,
            capacity=card.capacity if card else 1.0,
            accounts=accounts.get(record.id, 0),
            running=figures.running,
            queued=figures.queued,
            disk_free=figures.disk_free,
            round_trip=figures.round_trip,
            clock_skew=figures.clock_skew,
            last_seen=figures.last_seen or record.last_seen,
            paired_at=record.paired_at,
            is_draining=record.is_draining,
            is_disk_full=figures.is_disk_full,
            dead_man_hours=card.dead_man_hours if card else 0.0,
            notice=self.gate.notice() if record.is_ours else None,
        )


def _greet(connection: Connection, agent_id: str) -> Greeting:
    return Greeting(
        cursor=agents.record(connection, agent_id).cursor,
        mark=generations.raise_mark(connection),
        generation=generations.current(connection),
    )


def _waiting_for(connection: Connection, agent_id: str) -> Touched:
    asked = items.with_wishes(connection, agent_id)
    moves = (ItemMove(item.id, item.run_id, item.state, item.state) for item in asked)
    return Touched.moved(moves) | Touched(cards=cards.open_ids(connection, agent_id))


def _error_of(link: AgentLink | None) -> WireError | None:
    if link is None:
        return None
    error: FlotillaError | None = link.error
    return error.to_wire() if error else link.notice


def _known_drivers(names: Collection[str]) -> frozenset[DriverName]:
    """Leave out drivers that only a newer release knows."""
    known = {driver.value for driver in DriverName}
    return frozenset(DriverName(name) for name in names if name in known)
