"""A journal's file without its thread: one piece of work after another, each in a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.jobs import actions, endings, items
from agent.jobs.journal import Transaction
from agent.jobs.settling import settle
from agent.jobs.steps import take_step
from agent.runners.messages import ActionStep, ItemEnded
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.errors import WireError
from common.items import ItemSpec
from common.protocol.events import AgentEvent, UnknownEvent, parse_event
from common.protocol.messages import SettleAction
from common.security.sealing import new_key

T = TypeVar("T")
KEY = new_key()


@dataclass
class JournalFile:
    """An open journal file, with what tests do to it again and again."""

    connection: sqlite3.Connection
    key: bytes = KEY
    ahead: float = 0.0
    """Seconds by which its clock is ahead of this machine's."""

    def do(self, work: Callable[[Transaction], T]) -> T:
        """Run one piece of work in a transaction of its own."""
        transaction = Transaction(self.connection, self.key)
        transaction.now += self.ahead
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            value = work(transaction)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return value

    def state(self, item: ItemSpec) -> tuple[str, str]:
        """The state of an item, and of its action."""
        row = self.do(lambda transaction: items.find_item(transaction, item.item_id))
        action = self.do(lambda transaction: actions.action_of_item(transaction, item.item_id))
        assert row is not None
        return str(row.state), str(action.state) if action else ""

    def accept(self, item: ItemSpec) -> items.Taken:
        """Take an item over."""
        return self.do(lambda transaction: items.accept(transaction, item))

    def start(self, item: ItemSpec) -> items.StartedItem:
        """Set it running."""
        return self.do(lambda transaction: items.start(transaction, item.item_id, 0))

    def step(self, item: ItemSpec, state: ActionState, remote_id: str = "", **more: Any) -> None:
        """Take one step of its action."""
        assert item.publish is not None
        step = ActionStep(
            step_id=1,
            item_id=item.item_id,
            action_id=item.publish.intent_id,
            state=state,
            remote_id=remote_id,
            **more,
        )
        self.do(lambda transaction: take_step(transaction, step, item.attempt))

    def publish(self, item: ItemSpec, remote_id: str) -> None:
        """Accept, start and publish it, to its end."""
        self.accept(item)
        self.start(item)
        for state in (ActionState.PREPARED, ActionState.SENDING):
            self.step(item, state)
        self.step(item, ActionState.CONFIRMED, remote_id)
        self.finish(item, ItemState.DONE)

    def finish(
        self,
        item: ItemSpec,
        state: ItemState,
        *,
        cancelled: bool = False,
        counted: bool = False,
        error: WireError | None = None,
    ) -> ItemState:
        """End it as its runner says."""
        ended = ItemEnded(item_id=item.item_id, state=state, error=error)
        return self.do(
            lambda transaction: endings.finish(
                transaction, ended, cancelled=cancelled, counted=counted, log_end=0
            )
        ).state

    def say(
        self,
        item: ItemSpec,
        verdict: Any,
        remote_id: str = "",
        fence: int = 1,
        word: str = "",
        *,
        check: bool = False,
    ) -> items.Standing:
        """Take a person's word on its effect; each is one of its own unless `word` names it."""
        assert item.publish is not None
        told = SettleAction(
            id=word or new_id(),
            item_id=item.item_id,
            action_id=item.publish.intent_id,
            fence=fence,
            verdict=verdict,
            remote_id=remote_id,
            by="Astrid",
            check=check,
        )
        return self.do(lambda transaction: settle(transaction, told))

    def cancel(self, item: ItemSpec, fence: int | None = None) -> bool:
        """Cancel it; False where that waits for a verdict."""
        _, refusal = self.do(lambda transaction: items.cancel(transaction, item.item_id, fence))
        return refusal is None

    def force(self, item: ItemSpec, state: ItemState, action: ActionState | None) -> None:
        """Put a row into any state, as only a defect or an older release could."""
        self.connection.execute(
            "UPDATE item SET state = ? WHERE item_id = ?", (state, item.item_id)
        )
        self.connection.execute(
            "UPDATE action SET state = ? WHERE item_id = ?", (action, item.item_id)
        )

    def events(self, after: int = 0) -> list[AgentEvent | UnknownEvent]:
        """What the outbox tells a desktop."""
        found = self.connection.execute(
            "SELECT body FROM outbox WHERE seq > ? AND body IS NOT NULL ORDER BY seq", (after,)
        )
        return [parse_event(json.loads(body)) for (body,) in found]
