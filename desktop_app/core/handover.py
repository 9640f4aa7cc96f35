"""Hands queued items to one agent while the link to it is up: media first, then the items.

An item counts as handed over only once the agent has journaled it, and the agent is asked to do so
only once it has the item's media. Everything here may break at any point and be done again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from common.domain.ids import new_id
from common.domain.states import ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.errors import (
    AgentUnreachableError,
    DuplicateIntentError,
    FlotillaError,
    LinkError,
    NotFoundError,
    StoreError,
)
from common.items import ItemSpec, MediaRef
from common.protocol.messages import AcceptItem, AskBlobs, MissingBlobs
from desktop_app.core.gate import DispatchGate
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.links.bulk import BlobToSend, send_blobs
from desktop_app.core.tasks import end_all
from desktop_app.store import agents, generations, intents, items, rehoming, runs, specs
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

ITEMS_AT_ONCE = 100
OUTSTANDING = 32
"""Items that may wait for the agent's word at the same time."""
_BLOBS_PER_QUESTION = 500
_ACCEPT_SECONDS = 60.0
_SAVE_SECONDS = 0.05
_TRANSFER_TRIES = 4
_TRANSFER_PAUSE_SECONDS = 0.2
_TRANSFER_PAUSE_MOST_SECONDS = 3.0

_log = logging.getLogger(__name__)


class Handover:
    """One agent's share of all runs, handed over in order."""

    def __init__(
        self,
        store: Store,
        gate: DispatchGate,
        deciding: asyncio.Lock,
        changed: Callable[[Touched], object],
    ) -> None:
        """`changed` hears of every commit.

        `deciding` is held by whoever looks at an item's state and acts on it, so that an item is
        never cancelled here in the moment in which it is sent.
        """
        self._store = store
        self._gate = gate
        self._deciding = deciding
        self._changed = changed

    async def hand_over_some(self, live: LiveLink) -> bool:
        """Hand over the next of what is queued for the agent; False when nothing was.

        Raises a LinkError where the link breaks; what was not accepted stays queued.
        """
        if not self._gate.is_open:
            return False
        ids = await self._take(live.agent_id)
        if ids:
            await self._hand_over(live, ids)
        return bool(ids)

    async def _take(self, agent_id: str) -> list[str]:
        """Note of the next items that the agent may have them from now on.

        That outlives this process: whatever ends it, the agent's word is asked for before anything
        is decided about them here.
        """
        async with self._deciding:
            queued = await self._store.read(partial(_next_items, agent_id=agent_id))
            some = queued[:ITEMS_AT_ONCE]
            if some:
                work = partial(_note_offered, ids=some, at=time.time())
                self._gate.note_mark(await self._store.write(work))
            return some

    async def _hand_over(self, live: LiveLink, ids: Sequence[str]) -> None:
        found = await self._read_specs(ids)
        blobs = _Blobs({ref.sha256: ref for spec in found for ref in spec.media()})
        missing = await self._ask_missing(live, list(blobs.refs))
        blobs.expect(missing)
        accepted = _AcceptedItems(self._store, self._changed)
        saver = asyncio.create_task(accepted.keep_saving(), name="save accepted")
        transfer = asyncio.create_task(self._transfer(live, blobs), name="transfer")
        try:
            await self._accept_all(live, found, blobs, accepted)
            await transfer
        finally:
            await end_all([transfer, saver])
            await accepted.save()
        run_ids = {spec.run_id for spec in found}
        self._changed(
            await self._store.write(partial(runs.save_handed_over, run_ids=run_ids, at=time.time()))
        )

    async def _read_specs(self, ids: Sequence[str]) -> list[ItemSpec]:
        """Return the items with their secrets; one that cannot be put together fails."""
        try:
            found = await self._store.read(
                partial(specs.item_specs, vault=self._store.vault, item_ids=ids)
            )
        except FlotillaError as problem:
            if len(ids) == 1:
                await self._fail(ids[0], problem)
                return []
            return [spec for item_id in ids for spec in await self._read_specs([item_id])]
        left = set(ids) - {spec.item_id for spec in found}
        gone = NotFoundError("The account of this item is no longer in the store.")
        for item_id in left:
            await self._fail(item_id, gone)
        return found

    async def _ask_missing(self, live: LiveLink, sha256s: Sequence[str]) -> list[str]:
        missing: list[str] = []
        for start in range(0, len(sha256s), _BLOBS_PER_QUESTION):
            some = list(sha256s[start : start + _BLOBS_PER_QUESTION])
            answer = await live.request(AskBlobs(id=new_id(), sha256s=some))
            if not isinstance(answer, MissingBlobs):
                raise LinkError(f"The agent answered {answer.t!r} when asked which files it has.")
            missing += [sha256 for sha256 in answer.sha256s if sha256 in set(some)]
        return missing

    async def _transfer(self, live: LiveLink, blobs: "_Blobs") -> None:
        """Bring the missing media over. A bulk link that breaks is dialled again a few times."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(AgentUnreachableError),
                stop=stop_after_attempt(_TRANSFER_TRIES),
                wait=wait_exponential_jitter(
                    multiplier=_TRANSFER_PAUSE_SECONDS, max=_TRANSFER_PAUSE_MOST_SECONDS
                ),
                reraise=True,
            ):
                with attempt:
                    left = [self._to_send(ref) for ref in blobs.coming()]
                    await send_blobs(live.link.address, left, blobs.stored)
        except FlotillaError as problem:
            blobs.broke(problem)
            raise

    def _to_send(self, ref: MediaRef) -> BlobToSend:
        return BlobToSend(ref.sha256, ref.size, self._store.folder.media_file(ref.sha256))

    async def _accept_all(
        self,
        live: LiveLink,
        found: Sequence[ItemSpec],
        blobs: "_Blobs",
        accepted: "_AcceptedItems",
    ) -> None:
        room = asyncio.Semaphore(OUTSTANDING)
        tasks: list[asyncio.Task[None]] = []
        try:
            for spec in found:
                await room.acquire()
                if problem := await blobs.wait_for(spec.media()):
                    await self._fail(spec.item_id, problem)
                    room.release()
                    continue
                work = self._accept(live, spec, accepted, room)
                tasks.append(asyncio.create_task(work, name=f"accept {spec.item_id}"))
            await asyncio.gather(*tasks)
        finally:
            await end_all(tasks)

    async def _accept(
        self, live: LiveLink, spec: ItemSpec, accepted: "_AcceptedItems", room: asyncio.Semaphore
    ) -> None:
        try:
            if not self._gate.is_open:
                return
            await live.request(AcceptItem(id=new_id(), item=spec), _ACCEPT_SECONDS)
        except AgentUnreachableError:
            raise
        except StoreError as full:
            # The agent cannot write it down now; the item stays queued, and is offered again.
            raise AgentUnreachableError(full.message, advice=full.advice) from full
        except FlotillaError as refusal:
            await self._refused(spec, refusal)
        else:
            accepted.add(spec.item_id, spec.attempt)
        finally:
            room.release()

    async def _refused(self, spec: ItemSpec, refusal: FlotillaError) -> None:
        """Take an agent's no. A post that may exist is not given up with it: a person is asked."""
        if spec.publish is None or spec.publish.doubt is None:
            await self._fail(spec.item_id, refusal)
            return
        _log.warning("The doubt of item %s stays: %s", spec.item_id, refusal.message)
        work = partial(_ask_person, item_id=spec.item_id, problem=refusal, at=time.time())
        self._changed(await self._store.write(work))

    async def _fail(self, item_id: str, problem: FlotillaError) -> None:
        _log.warning("Item %s was not handed over: %s", item_id, problem.message)
        work = partial(_give_up, item_id=item_id, problem=problem, at=time.time())
        self._changed(await self._store.write(work))


def _next_items(connection: Connection, agent_id: str) -> list[str]:
    is_draining = agents.record(connection, agent_id).is_draining
    return items.ids_to_hand_over(connection, agent_id, is_draining=is_draining)


def _note_offered(connection: Connection, ids: Sequence[str], at: float) -> int:
    """Note that an agent may have items from now on; return the store's mark."""
    items.save_offered(connection, ids, at=at)
    return generations.raise_mark(connection)


def _give_up(connection: Connection, item_id: str, problem: FlotillaError, at: float) -> Touched:
    """Fail an item that cannot be handed over; whether a post in doubt exists, a person says.

    Where the agent knows of the same post, whoever has the item next looks before it publishes.
    """
    item = items.records(connection, [item_id]).get(item_id)
    if item is not None and item.action in IN_DOUBT_STATES:
        return _ask_person(connection, item_id, problem, at)
    touched = items.move(connection, [item_id], ItemState.FAILED, at=at, error=problem.to_wire())
    if item is None or item.intent_id is None or item.action is None:
        return touched
    if isinstance(problem, DuplicateIntentError):
        touched |= intents.set_state(connection, [item.intent_id], item.action, must_look=True)
    return touched


def _ask_person(connection: Connection, item_id: str, problem: FlotillaError, at: float) -> Touched:
    item = items.records(connection, [item_id]).get(item_id)
    if item is None or item.state in ITEM_FINAL:
        return Touched()
    note = f"It cannot be handed over: {problem.message}"
    return rehoming.ask_person(connection, item, note, at=at, error=problem.to_wire())


class _Blobs:
    """Which media of a batch is still on its way."""

    def __init__(self, refs: Mapping[str, MediaRef]) -> None:
        self.refs = refs
        self._coming: dict[str, asyncio.Future[FlotillaError | None]] = {}

    def expect(self, missing: Iterable[str]) -> None:
        loop = asyncio.get_running_loop()
        self._coming = {sha256: loop.create_future() for sha256 in missing}

    def coming(self) -> list[MediaRef]:
        """What is not there yet."""
        return [self.refs[sha256] for sha256, there in self._coming.items() if not there.done()]

    def stored(self, sha256: str, problem: FlotillaError | None) -> None:
        if not self._coming[sha256].done():
            self._coming[sha256].set_result(problem)

    def broke(self, problem: FlotillaError) -> None:
        """The transfer ended early: whoever waits must not go on."""
        for future in self._coming.values():
            if not future.done():
                future.set_exception(_link_error(problem))
                future.exception()  # perhaps nobody waits for this one

    async def wait_for(self, media: Iterable[MediaRef]) -> FlotillaError | None:
        """Wait until these files are at the agent; return what is wrong with one of them."""
        for ref in media:
            coming = self._coming.get(ref.sha256)
            problem = await coming if coming else None
            if problem is not None:
                return problem
        return None


def _link_error(problem: FlotillaError) -> FlotillaError:
    return problem if isinstance(problem, LinkError) else AgentUnreachableError(problem.message)


class _AcceptedItems:
    """Saves what the agent accepted, many at a time: a transaction costs more than its rows."""

    def __init__(self, store: Store, changed: Callable[[Touched], object]) -> None:
        self._store = store
        self._changed = changed
        self._waiting: dict[str, int] = {}
        self._saving = asyncio.Lock()

    def add(self, item_id: str, attempt: int) -> None:
        self._waiting[item_id] = attempt

    async def keep_saving(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            await self.save()

    async def save(self) -> None:
        async with self._saving:
            waiting, self._waiting = self._waiting, {}
            if waiting:
                work = partial(items.save_accepted, attempts=waiting, at=time.time())
                try:
                    self._changed(await self._store.write(work))
                except BaseException:
                    self._waiting = waiting | self._waiting  # the last save takes them
                    raise
