"""Steps of an effect as a runner journals them."""

import asyncio

import pytest

from agent.runners.action import JournaledAction, StepDesk
from agent.runners.messages import ActionRecord, ActionStep, StepAnswer
from common.domain.content import Baseline
from common.domain.states import ActionState
from common.errors import IllegalTransitionError, StoreError, WireError


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


async def test_what_a_step_leaves_out_stays_and_secrets_are_taken_out_of_its_note() -> None:
    agent = Agent()
    baseline = Baseline(post_ids=("1_2",), platform_time=5.0)
    record = ActionRecord(
        action_id="action",
        state=ActionState.PREPARED,
        resume={"a": "b"},
        baseline=baseline,
        settled_ids=["3_2"],
        accepted_at=4.0,
    )
    action = JournaledAction("item", record, agent.desk, lambda text: text.replace("secret", "…"))
    await action.step(ActionState.SENDING)
    await action.step(ActionState.IN_DOUBT, note="it said: secret")
    assert (action.baseline, action.resume) == (baseline, {"a": "b"})
    assert (action.settled_ids, action.accepted_at) == (frozenset({"3_2"}), 4.0)
    assert agent.steps[-1].note == "it said: …"
    assert action.doubted.is_set()


@pytest.mark.parametrize("state", ActionState)
def test_a_cancel_may_interrupt_whatever_is_not_undecided(state: ActionState) -> None:
    undecided = {ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING}
    assert Agent().action(state).is_undecided is (state in undecided)
