"""The journal's hand in a runner: an item's external effect, step by step."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

from agent.runners.messages import ActionRecord, ActionStep, StepAnswer
from common.domain.content import Baseline, ListedPost
from common.domain.states import ActionState
from common.domain.transitions import CHECKS_NAMED, require_action_step
from common.errors import RunnerLostError, from_wire

_ANSWER_SECONDS = 60.0
_UNDECIDED = frozenset({ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING})


class StepDesk:
    """Sends steps to the agent and waits for each to be on disk."""

    def __init__(self, send: Callable[[ActionStep], None]) -> None:
        self._send = send
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def next_id(self) -> int:
        """Return a number for a step."""
        return next(self._ids)

    async def journal(self, step: ActionStep) -> None:
        """Send `step` and return once it is on disk; raises what the journal refuses with."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting[step.step_id] = answer
        self._send(step)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await answer
        except TimeoutError:
            raise RunnerLostError(
                f"The agent did not journal a step within {_ANSWER_SECONDS:.0f} seconds."
            ) from None
        finally:
            del self._waiting[step.step_id]

    def answer(self, answer: StepAnswer) -> None:
        """Take the agent's answer; one that nobody waits for any more is dropped."""
        waiting = self._waiting.get(answer.step_id)
        if waiting is None or waiting.done():
            return
        if answer.error:
            waiting.set_exception(from_wire(answer.error))
        else:
            waiting.set_result(None)


class JournaledAction:
    """One external effect. Its state here is never ahead of the journal's."""

    def __init__(
        self,
        item_id: str,
        record: ActionRecord,
        desk: StepDesk,
        clean: Callable[[str], str] = str,
    ) -> None:
        """`clean` takes secrets out of what is noted."""
        self._item_id = item_id
        self._action_id = record.action_id
        self._desk = desk
        self._clean = clean
        self.state = record.state
        self.resume = dict(record.resume)
        self.remote_id = record.remote_id
        self.remote_url = record.remote_url
        self.baseline = record.baseline
        self.named = record.named
        self.settled_ids = frozenset(record.settled_ids)
        self.accepted_at = record.accepted_at
        self.confirmed_as = ""
        """What the platform named, once it confirmed the effect, be that journaled or not."""
        self.doubted = asyncio.Event()
        """Set once it was sent and nobody knows what became of it."""
        self._asked: ActionState | None = None

    @property
    def is_sending(self) -> bool:
        """Say whether the effect may be on its way, or is just being journaled as such."""
        return ActionState.SENDING in (self.state, self._asked)

    @property
    def is_undecided(self) -> bool:
        """Say whether nobody knows yet if the effect exists, and this runner is to find out."""
        return self.is_sending or self.state in _UNDECIDED

    async def step(
        self,
        state: ActionState,
        *,
        resume: dict[str, str] | None = None,
        remote_id: str = "",
        remote_url: str = "",
        note: str = "",
        baseline: Baseline | None = None,
        sighted: Sequence[ListedPost] = (),
    ) -> None:
        """See `agent.tasks.context.ActionHandle`."""
        require_action_step(self.state, state)
        resume = self.resume if resume is None else dict(resume)
        step = ActionStep(
            step_id=self._desk.next_id(),
            item_id=self._item_id,
            action_id=self._action_id,
            state=state,
            resume=resume,
            remote_id=remote_id,
            remote_url=remote_url,
            note=self._clean(note),
            baseline=baseline,
            sighted=list(sighted),
        )
        if state is ActionState.CONFIRMED:
            self.confirmed_as = remote_url or remote_id or "a post without a name"
        self._asked = state
        try:
            await self._desk.journal(step)
        finally:
            self._asked = None
        if state is ActionState.IN_DOUBT:
            self.doubted.set()
        self.state, self.resume = state, resume
        self.remote_id = remote_id or self.remote_id
        self.remote_url = remote_url or self.remote_url
        self.baseline = baseline or self.baseline
        if state not in CHECKS_NAMED:
            self.named = None
