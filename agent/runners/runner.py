"""Takes the agent's messages and keeps the running items; what an item does is not in here."""

import asyncio
import logging
import os
from typing import assert_never

from pydantic import JsonValue, ValidationError

from agent.runners.action import StepDesk
from agent.runners.connection import PipeWriter
from agent.runners.hosts import DriverHost
from agent.runners.item import ItemRun
from agent.runners.messages import (
    TO_RUNNER,
    CancelItem,
    RunnerReady,
    ScreenSeen,
    StartItem,
    StepAnswer,
    StopRunner,
    StopScreen,
    ToRunner,
    WatchScreen,
)
from agent.runners.pipe import read
from agent.runners.secrets import SecretBook
from agent.tasks.catalogue import task_for

_log = logging.getLogger(__name__)
_SENDING_SECONDS = 90.0
"""How long a stop waits for effects that are on their way."""
_CLOSE_SECONDS = 8.0


class Runner:
    """One runner process: a host of drivers, and the items that use them."""

    def __init__(self, host: DriverHost, writer: PipeWriter, secrets: SecretBook) -> None:
        self._host = host
        self._writer = writer
        self._secrets = secrets
        self._desk = StepDesk(writer.send)
        self._items: dict[str, tuple[ItemRun, asyncio.Task[None]]] = {}
        self._last_answers: asyncio.Task[None] | None = None

    async def serve(self, stream: asyncio.StreamReader) -> None:
        """Work until the agent says stop or closes the pipe; then close everything."""
        self._writer.send(RunnerReady(pid=os.getpid()))
        asked = False
        try:
            asked = await self._take_messages(stream)
        finally:
            await self._end(wait_for_sending=asked)

    async def _take_messages(self, stream: asyncio.StreamReader) -> bool:
        """Return True when asked to stop, False when the pipe was closed."""
        while True:
            data = await read(stream)
            if not isinstance(data, bytes):
                return False
            try:
                message = TO_RUNNER.validate_json(data)
            except ValidationError as problem:
                kinds = {error["type"] for error in problem.errors(include_input=False)}
                _log.error("a message of the agent was not understood: %s", sorted(kinds))
                continue
            if isinstance(message, StopRunner):
                # Answers to steps must still arrive while effects are waited for.
                self._last_answers = asyncio.create_task(
                    self._answer_steps(stream), name="last answers"
                )
                return True
            self._handle(message)

    async def _answer_steps(self, stream: asyncio.StreamReader) -> None:
        while isinstance(data := await read(stream), bytes):
            message = TO_RUNNER.validate_json(data)
            if isinstance(message, StepAnswer):
                self._desk.answer(message)

    def _handle(self, message: ToRunner) -> None:
        match message:
            case StartItem():
                self._start(message)
            case CancelItem():
                self._cancel(message.item_id)
            case StepAnswer():
                self._desk.answer(message)
            case WatchScreen():
                self._host.watch(message.account_id, message.channel, message.width)
            case StopScreen():
                self._host.stop_watching(message.account_id, message.channel)
            case ScreenSeen():
                self._host.screen_seen(message.channel)
            case StopRunner():
                return
            case _:
                assert_never(message)

    def _start(self, start: StartItem) -> None:
        item_id = start.item.item_id
        if item_id in self._items:
            _log.warning("item %s is running already", item_id)
            return
        redactor = self._secrets.redactor_for(start.item.account)
        run = ItemRun(start, self._writer.send, self._desk, redactor)
        task = asyncio.create_task(run.run(self._act), name=f"item {item_id}")
        self._items[item_id] = (run, task)
        task.add_done_callback(lambda _: self._items.pop(item_id, None))

    async def _act(self, run: ItemRun) -> dict[str, JsonValue]:
        work = task_for(run.item.task)
        async with self._host.open(run.account, run.folder, run.hooks) as driver:
            return await work(run, driver)

    def _cancel(self, item_id: str) -> None:
        found = self._items.get(item_id)
        if found is None:
            return
        run, task = found
        run.cancel()
        if self._host.interruptible and not run.is_undecided:
            task.cancel()

    async def _end(self, *, wait_for_sending: bool) -> None:
        running = list(self._items.values())
        for run, _ in running:
            run.cancel()
        if wait_for_sending:
            for run, task in running:
                if not run.is_sending:
                    task.cancel()
            await asyncio.gather(*(_sent(run, task) for run, task in running if run.is_sending))
        for _, task in running:
            task.cancel()
        if running:
            await asyncio.wait([task for _, task in running], timeout=_CLOSE_SECONDS)
        await self._close_host()
        if self._last_answers:
            self._last_answers.cancel()

    async def _close_host(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._host.close()
        except TimeoutError:
            _log.warning("the drivers did not close within %.0f seconds", _CLOSE_SECONDS)


async def _sent(run: ItemRun, task: asyncio.Task[None]) -> None:
    """Wait until an effect on its way has ended, or is in doubt: a later run settles that."""
    doubted = asyncio.create_task(run.doubted(), name=f"doubt of item {run.item.item_id}")
    await asyncio.wait(
        [doubted, task], timeout=_SENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    doubted.cancel()
