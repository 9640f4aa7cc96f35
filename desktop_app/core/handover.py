"""Hands queued items to one agent while the link to it is up: media first, then the items.

An item counts as handed over only once the agent has journaled it, and the agent is asked to do so
only once it has the item's media. Everything here may break at any point and be done again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from common.domain.ids import new_id
from common.domain.states import ItemState
from common.errors import (
    AgentUnreachableError,
    FlotillaError,
    LinkError,
    NotFoundError,
)
from common.items import ItemSpec, MediaRef
from common.protocol.messages import AcceptItem, AskBlobs, MissingBlobs
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.links.bulk import BlobToSend, send_blobs
from desktop_app.core.tasks import end_all
from desktop_app.store import items, runs, specs
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


class InFlight:
    """Items that an agent may hold without our knowing. The operator's verbs treat them as its own.

    An item is in here from before it is sent until the agent has answered; where the link broke
    in between, until the agent has said at the next link what it holds. `deciding` is held by
    whoever looks at an item's state and acts on it, so that an item is never cancelled here in the
    moment in which it is sent.
    """

    def __init__(self) -> None:
        self.deciding = asyncio.Lock()
        self._agent_of: dict[str, str] = {}

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._agent_of

    def add(self, ids: Iterable[str], agent_id: str) -> None:
        """These are on their way."""
        self._agent_of.update(dict.fromkeys(ids, agent_id))

    def remove(self, ids: Iterable[str]) -> None:
        """These are not on their way any more: each was accepted, refused or given up."""
        for item_id in ids:
            self._agent_of.pop(item_id, None)

    def clear(self, agent_id: str) -> None:
        """Nothing of this agent is on its way: it has said what it holds, or is gone."""
        self.remove([item_id for item_id, agent in self._agent_of.items() if agent == agent_id])


class Handover:
    """One agent's share of all runs, handed over in order."""

    def __init__(
        self, store: Store, in_flight: InFlight, changed: Callable[[Touched], object]
    ) -> None:
        """`changed` hears of every commit."""
        self._store = store
        self._in_flight = in_flight
        self._changed = changed

    async def hand_over_some(self, live: LiveLink) -> bool:
        """Hand over the next of what is queued for the agent; False when nothing was.

        Raises a LinkError where the link breaks; what was not accepted stays queued.
        """
        ids = await self._take(live.agent_id)
        if ids:
            await self._hand_over(live, ids)
        # Where the link broke they stay: the agent may have journaled what it did not answer.
        self._in_flight.remove(ids)
        return bool(ids)

    async def _take(self, agent_id: str) -> list[str]:
        """Mark the next items as being on their way."""
        async with self._in_flight.deciding:
            queued = await self._store.read(partial(items.ids_to_hand_over, agent_id=agent_id))
            some = queued[:ITEMS_AT_ONCE]
            self._in_flight.add(some, agent_id)
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
            if isinstance(answer, MissingBlobs):
                missing += [sha256 for sha256 in answer.sha256s if sha256 in set(some)]
        return missing

    async def _transfer(self, live: LiveLink, blobs: "_Blobs") -> None:
        """Bring the missing media over. A bulk link that breaks is dialled again a few times."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(AgentUnreachableError),
                stop=stop_after_attempt(_TRANSFER_TRIES),
                wait=wait_exponential_jitter(_TRANSFER_PAUSE_SECONDS, _TRANSFER_PAUSE_MOST_SECONDS),
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
            await live.request(AcceptItem(id=new_id(), item=spec), _ACCEPT_SECONDS)
        except AgentUnreachableError:
            raise
        except FlotillaError as refusal:
            await self._fail(spec.item_id, refusal)
        else:
            accepted.add(spec.item_id, spec.attempt)
        finally:
            room.release()

    async def _fail(self, item_id: str, problem: FlotillaError) -> None:
        _log.warning("Item %s was not handed over: %s", item_id, problem.message)
        work = partial(
            items.move,
            ids=[item_id],
            state=ItemState.FAILED,
            at=time.time(),
            error=problem.to_wire(),
        )
        self._changed(await self._store.write(work))


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
