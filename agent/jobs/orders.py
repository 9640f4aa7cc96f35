"""What a desktop orders: items to take over, to pause, resume and cancel, and a person's word.

Each order is journaled before it is answered, and carried out even where the desktop is gone by
then.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from agent.jobs import actions, doubts, items, settling
from agent.jobs.cancelling import CancelGrace
from agent.jobs.floor import Floor, failure_of
from agent.jobs.items import Standing, Taken
from agent.jobs.journal import Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.running import RunningItem, WhatRuns
from agent.runners.messages import CancelItem
from common.domain.ids import is_id
from common.domain.states import ItemState
from common.errors import (
    AgentUnreachableError,
    ConflictError,
    FlotillaError,
    InputError,
    OperationUnsupportedError,
)
from common.items import ItemSpec
from common.protocol.messages import SettleAction

T = TypeVar("T")


class Orders:
    """Carries out what the owning desktop asks."""

    def __init__(self, floor: Floor, spool: LogSpool, can: WhatRuns, grace: CancelGrace) -> None:
        self._floor = floor
        self._spool = spool
        self._can = can
        self._grace = grace

    async def accept(self, item: ItemSpec) -> None:
        """Take an item over; returns once it is on disk. Safe to repeat.

        Raises a FlotillaError where the agent cannot or must not run it.
        """
        if self._floor.is_stopping:
            # Not a refusal of the item: the desktop keeps it, and offers it again.
            raise AgentUnreachableError("The agent is stopping.")
        self._require_possible(item)
        log_end = self._spool.end(item.item_id, item.attempt)
        taken = await self._write(
            lambda transaction: items.accept(transaction, item, log_end), self._taken
        )
        if taken.later_attempt is not None:
            raise ConflictError(
                f"A later attempt ({taken.later_attempt}) of this item is known here."
            )

    async def pause(self, item_id: str, fence: int | None = None) -> None:
        """Set a waiting item aside."""
        work = partial(items.pause, item_id=item_id, fence=fence)
        await self._write(work, self._floor.apply)

    async def resume(self, item_id: str, fence: int | None = None) -> None:
        """Let a paused item, or one that waited for the operator, go on."""
        work = partial(items.resume, item_id=item_id, fence=fence)
        await self._write(work, self._floor.apply)

    async def cancel(self, item_id: str, fence: int | None = None) -> None:
        """Cancel an item; a running one ends as soon as its runner can.

        Raises ConflictError where its post is on its way or in doubt: the cancel then takes effect
        once it is proven that nothing was published.
        """
        # At once: a step towards sending that comes from now on is refused.
        job = self._floor.running.get(item_id)
        was_cancelled = job is not None and job.is_cancelled
        if job is not None:
            job.is_cancelled = True
        try:
            _, refusal = await self._write(
                partial(items.cancel, item_id=item_id, fence=fence),
                lambda outcome: self._cancelled(outcome[0]),
            )
        except FlotillaError:
            if job is not None:
                job.is_cancelled = was_cancelled
            raise
        if refusal is not None:
            raise refusal

    async def settle(self, word: SettleAction) -> None:
        """Take a person's word on an effect in doubt. Safe to repeat.

        Raises ConflictError, StaleFenceError, NotFoundError or InputError.
        """
        await self._write(lambda transaction: settling.settle(transaction, word), self._floor.apply)

    def distrust_journal(self) -> None:
        """Look before anything is published that was accepted so far.

        A desktop knows events that the journal does not have, so any of these posts may exist.
        """
        written = self._floor.journal.submit(_doubt_all)
        written.add_done_callback(self._doubted)

    def _taken(self, taken: Taken) -> None:
        if taken.waiting is not None:
            self._floor.take_in(taken.waiting)

    def _cancelled(self, standing: Standing) -> None:
        job = self._floor.running.get(standing.item_id)
        if job is not None:
            job.is_cancelled = True
            self._stop(job)
        elif standing.state is not ItemState.RUNNING:
            self._floor.apply(standing)

    def _doubted(self, written: asyncio.Future[list[Standing]]) -> None:
        if failure_of(written, "doubt what the journal says") is not None:
            return
        for standing in written.result():
            job = self._floor.running.get(standing.item_id)
            if job is None:
                self._floor.apply(standing)
            else:
                job.is_recalled = True
                self._stop(job)

    def _stop(self, job: RunningItem) -> None:
        """Tell a runner to end an item, unless its effect may be on its way."""
        if job.account is not None and not job.is_undecided:
            job.runner.send(CancelItem(item_id=job.waiting.item_id))
        self._grace.begin(job)

    def _require_possible(self, item: ItemSpec) -> None:
        for name, text in (("item_id", item.item_id), ("account_id", item.account.account_id)):
            if not is_id(text):
                raise InputError("An id is not one of ours.", field=name)
        if item.task not in self._can.tasks:
            raise OperationUnsupportedError(
                f"The agent does not know the task {item.task!r}.", advice="Update the agent."
            )
        if item.account.driver not in self._can.drivers:
            raise OperationUnsupportedError(
                f"The agent has no driver {item.account.driver}.",
                advice="Run `flotilla-agent doctor` on the worker machine to see what is missing.",
            )

    async def _write(self, work: Callable[[Transaction], T], then: Callable[[T], object]) -> T:
        """Write what a desktop asks for and act on it, be the desktop's link gone by then or not.

        What is in the journal and not in our memory would wait until the agent starts again.
        """

        def act(done: asyncio.Future[T]) -> None:
            if not done.cancelled() and done.exception() is None:
                then(done.result())

        written = self._floor.journal.submit(work)
        written.add_done_callback(act)
        return await asyncio.shield(written)


def _doubt_all(transaction: Transaction) -> list[Standing]:
    standings: list[Standing] = []
    for item_id in doubts.doubt_unfinished(transaction):
        row = items.require(transaction, item_id)
        action = actions.action_of_item(transaction, item_id)
        if row.state is ItemState.ASSIGNED:
            standings.append(items.queued(transaction, row, action))
        else:
            standings.append(items.standing_of(row, row.state, action))
    return standings
