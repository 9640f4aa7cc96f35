"""Steps of an effect as a runner journals them, and what settles one that was being sent."""

import asyncio

import pytest

from agent.runners.action import JournaledAction, StepDesk, settled_by
from agent.runners.messages import ActionRecord, ActionStep, StepAnswer
from common.domain.states import ActionState
from common.domain.transitions import may_action_become
from common.errors import (
    AmbiguousEffectError,
    ContentRefusedError,
    DriverError,
    FlotillaError,
    IllegalTransitionError,
    PlatformUnreachableError,
    ProxyFailedError,
    RunnerLostError,
    StoreError,
    WireError,
)


class Agent:
    """The other side of the desk: answers when told to."""

    def __init__(self, error: WireError | None = None, *, answers: bool = True) -> None:
        self.steps: list[ActionStep] = []
        self.desk = StepDesk(self.take)
        self._error = error
        self._answers = answers

    def take(self, step: ActionStep) -> None:
        self.steps.append(step)
        if self._answers:
            answer = StepAnswer(step_id=step.step_id, error=self._error)
            asyncio.get_running_loop().call_soon(self.desk.answer, answer)

    def action(self, state: ActionState = ActionState.PLANNED) -> JournaledAction:
        return JournaledAction("item", ActionRecord(action_id="action", state=state), self.desk)


async def test_a_step_counts_once_it_is_on_disk() -> None:
    agent = Agent()
    action = agent.action()
    await action.step(ActionState.PREPARED, resume={"upload_ids": "1"})
    await action.step(ActionState.SENDING)
    assert action.is_sending
    assert [step.resume for step in agent.steps] == [{"upload_ids": "1"}] * 2
    await action.step(ActionState.CONFIRMED, remote_id="1_2", remote_url="http://x")
    assert (action.remote_id, action.is_sending) == ("1_2", False)


async def test_a_step_that_is_refused_does_not_count() -> None:
    agent = Agent(StoreError("The disk is full.").to_wire())
    action = agent.action()
    with pytest.raises(StoreError):
        await action.step(ActionState.PREPARED, resume={"a": "b"})
    assert (action.state, action.resume) == (ActionState.PLANNED, {})


async def test_an_illegal_step_never_reaches_the_journal() -> None:
    agent = Agent()
    action = agent.action(ActionState.IN_DOUBT)
    with pytest.raises(IllegalTransitionError):
        await action.step(ActionState.SENDING)
    assert not agent.steps


async def test_an_effect_counts_as_sending_while_the_journal_is_told() -> None:
    agent = Agent(answers=False)
    action = agent.action()
    telling = asyncio.create_task(action.step(ActionState.SENDING))
    await asyncio.sleep(0)
    assert action.is_sending
    agent.desk.answer(StepAnswer(step_id=agent.steps[0].step_id))
    await telling


async def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    Agent().desk.answer(StepAnswer(step_id=99))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ContentRefusedError("no"), ActionState.PROVEN_ABSENT),
        (ProxyFailedError("no"), ActionState.PREPARED),
        (PlatformUnreachableError("no"), ActionState.PREPARED),
        (AmbiguousEffectError("who knows"), ActionState.IN_DOUBT),
        (RunnerLostError("gone"), ActionState.IN_DOUBT),
        (DriverError("a defect"), ActionState.IN_DOUBT),
        (StoreError("full"), ActionState.IN_DOUBT),
        (None, ActionState.IN_DOUBT),
    ],
)
def test_an_effect_goes_back_only_where_the_error_proves_it(
    error: FlotillaError | None, state: ActionState
) -> None:
    assert settled_by(error)[0] is state


def every_error() -> list[type[FlotillaError]]:
    found: list[type[FlotillaError]] = [FlotillaError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return found


@pytest.mark.parametrize("kind", every_error())
def test_every_settlement_may_follow_sending(kind: type[FlotillaError]) -> None:
    state, _ = settled_by(kind("something"))
    assert may_action_become(ActionState.SENDING, state)
