"""A runner that does what each item's `script` parameter says: for tests of the supervisor.

It speaks the real pipe. A script is a list of words, run in order:
`log TEXT`, `chatter N` (so many long lines), `leak` (logs the password), `progress TEXT`, the name
of a step of the effect (`prepared`, `sending`, `in_doubt`, `reconciling`, `proven_absent`,
`planned`, `unresolved`, and
`confirmed [REMOTE_ID]`), `session TEXT`, `backward_session TXET`, `wait FILE` (until the file is
there), `ignore_all FILE` (the same, deaf to a cancel), `touch FILE`, `die` (at once, as a crash
would), `fail CODE`, `done`, `done needs_operator` and `done show_session`. A cancelled item ends as
cancelled at its next word. An item whose effect is in doubt runs its parameter `doubt` instead.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from pydantic import JsonValue, SecretStr

from agent.runners import pipe
from agent.runners.messages import (
    TO_RUNNER,
    ActionStep,
    CancelItem,
    FromRunner,
    ItemEnded,
    ItemLog,
    ItemProgress,
    RunnerReady,
    SessionFound,
    StartItem,
    StepAnswer,
    StopRunner,
    WatchScreen,
)
from agent.runners.pipe import ScreenFrame
from common.domain.states import ActionState, ItemState
from common.errors import WireError

_STEPS = {state.value for state in ActionState}


class ScriptedRunner:
    """One process's worth of scripts."""

    def __init__(self) -> None:
        self._cancelled: set[str] = set()
        self._answers: dict[int, asyncio.Future[WireError | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_step = 0

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Run until the input closes, or until asked to stop."""
        self._send(RunnerReady(pid=os.getpid()))
        while (body := await pipe.read(reader)) is not None:
            assert isinstance(body, bytes)
            message = TO_RUNNER.validate_json(body)
            match message:
                case StartItem():
                    self._cancelled.discard(message.item.item_id)
                    task = asyncio.create_task(self._run(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case CancelItem():
                    self._cancelled.add(message.item_id)
                case StepAnswer():
                    self._answers.pop(message.step_id).set_result(message.error)
                case WatchScreen():
                    _write(pipe.pack_screen(ScreenFrame(message.channel, b"\xff\xd8" * 20_000)))
                case StopRunner():
                    return
                case _:
                    continue

    async def _run(self, start: StartItem) -> None:
        item = start.item
        in_doubt = start.action is not None and start.action.state is ActionState.IN_DOUBT
        script = item.parameters["doubt" if in_doubt else "script"]
        assert isinstance(script, list)
        words = [str(word) for word in script]
        for word in words:
            if item.item_id in self._cancelled:
                self._send(ItemEnded(item_id=item.item_id, state=ItemState.CANCELLED))
                return
            name, _, rest = word.partition(" ")
            if await self._do(start, name, rest):
                return

    async def _do(self, start: StartItem, name: str, rest: str) -> bool:
        item_id = start.item.item_id
        if name == "log":
            self._send(ItemLog(item_id=item_id, at=1.0, level="info", text=rest))
        elif name == "chatter":
            for number in range(int(rest)):
                text = f"{number} {'x' * 7000}"
                self._send(ItemLog(item_id=item_id, at=1.0, level="info", text=text))
        elif name == "leak":
            password = start.item.account.password
            text = f"the password is {password.get_secret_value() if password else 'gone'}"
            self._send(ItemLog(item_id=item_id, at=1.0, level="info", text=text))
        elif name == "progress":
            self._send(ItemProgress(item_id=item_id, step=rest, fraction=0.5))
        elif name in ("session", "backward_session"):
            text = rest if name == "session" else rest[::-1]
            self._send(
                SessionFound(
                    item_id=item_id,
                    session=SecretStr(text),
                    user_id="77",
                    username=start.item.account.username,
                )
            )
        elif name == "wait":
            while not Path(rest).exists() and item_id not in self._cancelled:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        elif name == "ignore_all":
            while not Path(rest).exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        elif name == "touch":
            Path(rest).touch()
        elif name == "die":
            os._exit(9)
        elif name in _STEPS:
            error = await self._step(start, ActionState(name), rest)
            if error is not None:
                cancelled = error.code == "cancelled"
                state = ItemState.CANCELLED if cancelled else ItemState.FAILED
                self._send(ItemEnded(item_id=item_id, state=state, error=error))
                return True
        elif name == "fail":
            error = WireError(code=rest, message="As the script says.")
            self._send(ItemEnded(item_id=item_id, state=ItemState.FAILED, error=error))
        elif name == "done":
            state = ItemState.NEEDS_OPERATOR if rest == "needs_operator" else ItemState.DONE
            session = start.item.account.session
            shown = session.get_secret_value() if session and rest == "show_session" else ""
            result: dict[str, JsonValue] = {"session": shown} if shown else {}
            self._send(ItemEnded(item_id=item_id, state=state, result=result))
        return False

    async def _step(self, start: StartItem, state: ActionState, rest: str) -> WireError | None:
        assert start.action is not None
        self._last_step += 1
        answer = self._answers[self._last_step] = asyncio.get_running_loop().create_future()
        remote_id = rest or f"remote-{start.item.item_id}"
        self._send(
            ActionStep(
                step_id=self._last_step,
                item_id=start.item.item_id,
                action_id=start.action.action_id,
                state=state,
                resume={"upload_id": "1"} if state is ActionState.PREPARED else {},
                remote_id=remote_id if state is ActionState.CONFIRMED else "",
                remote_url="http://127.0.0.1/p/x/" if state is ActionState.CONFIRMED else "",
            )
        )
        error: WireError | None = await answer
        return error

    def _send(self, message: FromRunner) -> None:
        _write(pipe.pack_json(message.model_dump_json()))


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def _main() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await ScriptedRunner().serve(reader)


if __name__ == "__main__":
    asyncio.run(_main())
