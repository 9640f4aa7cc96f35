"""What is asked of a running item: a cancel that was acknowledged stays one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.jobs import items
from agent.jobs.cancelling import CancelGrace
from agent.jobs.database import open_database
from agent.jobs.floor import Floor
from agent.jobs.journal import Journal, Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.orders import Orders
from agent.jobs.running import WhatRuns
from agent.jobs.steps import take_step
from agent.runners.messages import ActionStep
from common.domain.states import ActionState
from common.errors import ConflictError, OperationCancelledError, StaleFenceError
from common.items import ItemSpec
from common.security.sealing import new_key
from tests.support.agent_items import a_publish, an_account

_INTO_A_LOOK = (
    ActionState.PREPARED,
    ActionState.SENDING,
    ActionState.IN_DOUBT,
    ActionState.RECONCILING,
)


def _go(transaction: Transaction, item: ItemSpec, states: Sequence[ActionState]) -> None:
    assert item.publish is not None
    for state in states:
        step = ActionStep(
            step_id=1, item_id=item.item_id, action_id=item.publish.intent_id, state=state
        )
        take_step(transaction, step, 1)


async def test_what_was_cancelled_in_doubt_is_never_sent_again(tmp_path: Path) -> None:
    journal = Journal(open_database(tmp_path / "journal.sqlite"), new_key())
    floor = Floor(journal, lambda _: True, lambda: None)
    grace = CancelGrace(floor.running, lambda _: None)
    orders = Orders(floor, LogSpool(tmp_path / "logs"), WhatRuns(frozenset(), frozenset()), grace)
    item = a_publish(an_account(), fence=5)
    await journal.write(lambda transaction: items.accept(transaction, item))
    await journal.write(lambda transaction: items.start(transaction, item.item_id, 0))
    await journal.write(lambda transaction: _go(transaction, item, _INTO_A_LOOK))

    with pytest.raises(ConflictError, match="waits for the verdict"):
        await orders.cancel(item.item_id, 5)
    with pytest.raises(StaleFenceError):
        await orders.cancel(item.item_id, 4)

    again = (ActionState.PROVEN_ABSENT, ActionState.PLANNED, ActionState.PREPARED)
    await journal.write(lambda transaction: _go(transaction, item, again))
    with pytest.raises(OperationCancelledError):
        await journal.write(lambda transaction: _go(transaction, item, [ActionState.SENDING]))
    grace.close()
    await journal.close()
