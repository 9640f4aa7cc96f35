"""How an item of a runner ends: what is journaled of its effect before, and what is said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent.runners.action import StepDesk
from agent.runners.item import ItemRun
from agent.runners.messages import (
    ActionRecord,
    ActionStep,
    FromRunner,
    ItemEnded,
    StartItem,
    StepAnswer,
)
from common.domain.states import ActionState, ItemState
from common.errors import (
    FlotillaError,
    OperationCancelledError,
    ProxyFailedError,
    SessionExpiredError,
    StoreError,
)
from common.security.redaction import Redactor
from tests.support.agent_items import a_publish, an_account


class Agent:
    """The other side: journals every step but a confirmation, which it refuses with `error`."""

    def __init__(self, error: FlotillaError) -> None:
        self.steps: list[ActionStep] = []
        self.ended: list[ItemEnded] = []
        self.desk = StepDesk(self.take)
        self._error = error

    def take(self, step: ActionStep) -> None:
        self.steps.append(step)
        refused = self._error.to_wire() if step.state is ActionState.CONFIRMED else None
        answer = StepAnswer(step_id=step.step_id, error=refused)
        asyncio.get_running_loop().call_soon(self.desk.answer, answer)

    def hear(self, message: FromRunner) -> None:
        if isinstance(message, ItemEnded):
            self.ended.append(message)


@pytest.mark.parametrize(
    "error",
    [
        OperationCancelledError("no"),
        ProxyFailedError("no"),
        SessionExpiredError("no"),
        StoreError("no"),
    ],
    ids=lambda error: error.code,
)
async def test_no_error_takes_back_what_the_platform_confirmed(
    error: FlotillaError, tmp_path: Path
) -> None:
    agent = Agent(error)
    item = a_publish(an_account())
    assert item.publish is not None
    record = ActionRecord(action_id=item.publish.intent_id, state=ActionState.PREPARED)
    start = StartItem(item=item, files={}, account_dir=str(tmp_path), action=record)
    run = ItemRun(start, agent.hear, agent.desk, Redactor())

    async def act(run: ItemRun) -> dict[str, JsonValue]:
        await run.action.step(ActionState.SENDING)
        await run.action.step(ActionState.CONFIRMED, remote_url="http://127.0.0.1/p/x/")
        return {}

    await run.run(act)
    assert [step.state for step in agent.steps][-1] is ActionState.IN_DOUBT
    assert "/p/x/" in agent.steps[-1].note
    assert agent.ended[0].state is ItemState.NEEDS_OPERATOR
