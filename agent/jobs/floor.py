"""What the supervisor and the desktop's orders share: which items wait, which run, what is held.

Nothing is decided here about one item; a change of one item is carried over to the others.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from agent.jobs import items
from agent.jobs.items import WAITS_FOR_DOUBT, Standing
from agent.jobs.journal import Journal, Transaction
from agent.jobs.running import RunningItem
from agent.jobs.waiting import WaitingItem, WaitingItems
from common.domain.states import ItemState
from common.errors import FlotillaError, OperationCancelledError, WireError

_LOG = logging.getLogger(__name__)
WAITS_FOR_PERSON = "Waits: an earlier item of this account needs you first."


class Floor:
    """The items of one agent, in memory."""

    def __init__(
        self, journal: Journal, has_blob: Callable[[str], bool], wake: Callable[[], None]
    ) -> None:
        """`wake` is called whenever something may be able to start."""
        self.journal = journal
        self.waiting = WaitingItems(has_blob)
        self.running: dict[str, RunningItem] = {}
        self.is_stopping = False
        self._wake = wake

    def take_in(self, waiting: WaitingItem) -> None:
        """Queue an item; one in doubt makes the others of its account wait, and say so."""
        self.waiting.add(waiting)
        if waiting.in_doubt:
            self._say_why(self.waiting.held_back(waiting), WAITS_FOR_DOUBT)
        self._wake()

    def apply(self, standing: Standing) -> None:
        """Take note of where an item stands now that does not run."""
        if standing.holds:
            held = self.waiting.hold(standing.account_id, standing.item_id)
            self._say_why(held, WAITS_FOR_PERSON)
        else:
            self.waiting.lift(standing.account_id, standing.item_id)
        if standing.state is not ItemState.ASSIGNED:
            self.waiting.remove(standing.item_id)
        elif standing.waiting is not None and standing.item_id not in self.running:
            self.waiting.remove(standing.item_id)
            self.take_in(standing.waiting)
        self._wake()

    def say_why(self, item_id: str, reason: str) -> None:
        """Say in an item's step why it still waits."""
        note = partial(items.note_step, item_id=item_id, step=reason)
        self.submit("say why an item waits", note)

    def submit(self, what: str, work: Callable[[Transaction], object]) -> None:
        """Write something whose result nobody waits for; a failure is logged."""
        self.journal.submit(work).add_done_callback(lambda done: failure_of(done, what))

    def _say_why(self, held: list[WaitingItem], reason: str) -> None:
        for item in held:
            self.say_why(item.item_id, reason)


def failure_of(written: asyncio.Future[Any], what: str) -> WireError | None:
    """Return why a piece of work failed, and log it; None where it did not."""
    if written.cancelled():
        return OperationCancelledError(f"Nobody waited to {what}.").to_wire()
    problem = written.exception()
    if problem is None:
        return None
    if isinstance(problem, FlotillaError):
        _LOG.warning("Could not %s: %s", what, problem.message)
        return problem.to_wire()
    _LOG.error("Could not %s.", what, exc_info=problem)
    return FlotillaError(f"The agent could not {what}.").to_wire()
