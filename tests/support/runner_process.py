"""A real runner process, driven over its pipe by a test that plays the agent."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from agent.runners.messages import (
    FROM_RUNNER,
    ActionStep,
    FromRunner,
    ItemEnded,
    RunnerReady,
    StepAnswer,
    StopRunner,
    ToRunner,
)
from agent.runners.pipe import ScreenFrame, pack_json, read
from common.domain.states import ActionState
from common.errors import WireError

M = TypeVar("M")
_SECONDS = 40.0
_REPOSITORY = Path(__file__).resolve().parents[2]


class RunnerUnderTest:
    """Sends messages, answers steps, and remembers everything the runner said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[FromRunner] = []
        self.frames: list[ScreenFrame] = []
        self.refuse_steps: WireError | None = None
        self.hold_steps = False
        """True leaves steps unanswered, as an agent with a stuck disk would."""
        self.hold_at: ActionState | None = None
        """Steps into this state are left unanswered until `let_go`."""
        self._news = asyncio.Condition()

    def send(self, message: ToRunner) -> None:
        """Write one message."""
        assert self.process.stdin
        self.process.stdin.write(pack_json(message.model_dump_json()))

    async def wait_for(self, kind: type[M], fits: Callable[[M], bool] = lambda _: True) -> M:
        """Return the first message of `kind` that fits, said already or still to come."""
        async with asyncio.timeout(_SECONDS), self._news:
            while True:
                for message in self.said:
                    if isinstance(message, kind) and fits(message):
                        return message
                await self._news.wait()

    async def wait_for_frames(self, count: int) -> list[ScreenFrame]:
        """Return the frames once there are `count`."""
        async with asyncio.timeout(_SECONDS), self._news:
            await self._news.wait_for(lambda: len(self.frames) >= count)
            return list(self.frames)

    async def ended(self, item_id: str) -> ItemEnded:
        """Return how an item ended."""
        return await self.wait_for(ItemEnded, lambda end: end.item_id == item_id)

    def steps(self, item_id: str) -> list[ActionStep]:
        """Return the steps of an item's action so far."""
        return [m for m in self.said if isinstance(m, ActionStep) and m.item_id == item_id]

    async def held(self, item_id: str) -> ActionStep:
        """Return the item's step that `hold_at` holds back."""
        return await self.wait_for(
            ActionStep, lambda step: step.item_id == item_id and step.state is self.hold_at
        )

    def let_go(self, step: ActionStep) -> None:
        """Answer a step that was held back, and hold no more."""
        self.hold_at = None
        self.send(StepAnswer(step_id=step.step_id))

    async def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        self.send(StopRunner())
        async with asyncio.timeout(_SECONDS):
            return await self.process.wait()

    async def listen(self) -> None:
        """Take messages until the runner closes its end."""
        assert self.process.stdout
        while (data := await read(self.process.stdout)) is not None:
            async with self._news:
                if isinstance(data, ScreenFrame):
                    self.frames.append(data)
                else:
                    self._take(FROM_RUNNER.validate_json(data))
                self._news.notify_all()

    def _take(self, message: FromRunner) -> None:
        self.said.append(message)
        if not isinstance(message, ActionStep) or self.hold_steps:
            return
        if message.state is not self.hold_at:
            self.send(StepAnswer(step_id=message.step_id, error=self.refuse_steps))


@asynccontextmanager
async def runner_process(kind: str, log: Path, *arguments: str) -> AsyncIterator[RunnerUnderTest]:
    """Start a runner of `kind`, wait until it is ready, and see to it that it ends."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent.runners.main", "--kind", kind, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=_REPOSITORY,
            start_new_session=os.name != "nt",
        )
    runner = RunnerUnderTest(process)
    listening = asyncio.create_task(runner.listen(), name="runner listener")
    try:
        await runner.wait_for(RunnerReady)
        yield runner
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            async with asyncio.timeout(_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            raise
        await listening
