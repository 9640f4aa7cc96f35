"""One running item: what its task sees, and how its end is told.

An item ends exactly once, whatever happens in it, and an effect that was being sent is settled
before the item ends.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from agent.drivers.hooks import CancelFlag, ItemHooks
from agent.runners.action import JournaledAction, StepDesk
from agent.runners.messages import (
    ActionRecord,
    FromRunner,
    ItemEnded,
    ItemLog,
    ItemProgress,
    SessionFound,
    StartItem,
)
from agent.runners.secrets import session_secrets
from agent.tasks.verdicts import settled_by
from common.access import AccountAccess
from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES
from common.errors import (
    AmbiguousEffectError,
    ChallengeRequiredError,
    DriverError,
    FlotillaError,
    InputError,
    NotFoundError,
    OperationCancelledError,
)
from common.items import ItemSpec
from common.operations import SignedIn
from common.security.redaction import Redactor, plain_text

_log = logging.getLogger(__name__)
Level = Literal["debug", "info", "warning", "error"]
Act = Callable[["ItemRun"], Awaitable[dict[str, JsonValue]]]


class ItemRun:
    """One item of this runner; it is the context of the item's task."""

    def __init__(
        self,
        start: StartItem,
        send: Callable[[FromRunner], None],
        desk: StepDesk,
        redactor: Redactor,
    ) -> None:
        self._start = start
        self._send = send
        self._redactor = redactor
        self._step = ""
        self._cancel = CancelFlag()
        self._loop = asyncio.get_running_loop()
        self._action = _action_of(start, desk, self._clean)
        self.hooks = ItemHooks(self._log_anywhere, self._progress_anywhere, self._cancel)

    @property
    def item(self) -> ItemSpec:
        """What is to be done."""
        return self._start.item

    @property
    def account(self) -> AccountAccess:
        """For whom."""
        return self._start.item.account

    @property
    def folder(self) -> Path:
        """The account's own folder."""
        return Path(self._start.account_dir)

    @property
    def action(self) -> JournaledAction:
        """The item's external effect; InputError where the item has none."""
        if self._action is None:
            raise InputError("The item has no effect to journal.")
        return self._action

    @property
    def is_sending(self) -> bool:
        """Say whether the item's effect may be on its way."""
        return self._action is not None and self._action.is_sending

    @property
    def is_undecided(self) -> bool:
        """Say whether the item is about to learn if its effect exists; a cancel waits for that."""
        return self._action is not None and self._action.is_undecided

    async def doubted(self) -> None:
        """Return once the effect was sent and nobody knows what became of it."""
        await self.action.doubted.wait()

    def file(self, sha256: str) -> Path:
        """Return where a blob of the item lies; NotFoundError where it is missing."""
        path = self._start.files.get(sha256)
        if path is None or not Path(path).is_file():
            raise NotFoundError(
                "A media file of this item is not on the agent.",
                advice="Retry the item; the desktop sends the file again.",
                subject=sha256[:12],
            )
        return Path(path)

    def log(self, level: Level, text: str) -> None:
        """Write a line into the item's log, without the account's secrets."""
        clean = self._clean(text)
        self._send(ItemLog(item_id=self.item.item_id, at=time.time(), level=level, text=clean))

    def progress(self, step: str, fraction: float | None = None) -> None:
        """Say what happens now."""
        self._step = step
        self._send(ItemProgress(item_id=self.item.item_id, step=step, fraction=fraction))

    def save_session(self, signed_in: SignedIn) -> None:
        """Hand a new sign-in state to the agent; it is a secret of this item from now on."""
        self._redactor.add(session_secrets(signed_in.session.get_secret_value()))
        self._send(
            SessionFound(
                item_id=self.item.item_id,
                session=signed_in.session,
                user_id=signed_in.identity.user_id,
                username=signed_in.identity.username,
            )
        )

    def check_cancel(self) -> None:
        """Raise OperationCancelledError once the operator asked for a stop."""
        self._cancel.check()

    def cancel(self) -> None:
        """Stop before the next request; the verdict on an effect in doubt is waited for.

        Whether the operator or a stop of the agent is behind it, the agent knows.
        """
        self._cancel.set()

    async def run(self, act: Act) -> None:
        """Run the item to its end and tell it. Never raises but when the runner itself stops."""
        try:
            ended = await self._attempt(act)
        except asyncio.CancelledError:
            await self._settle(None, "the runner stopped before the platform answered")
            self._send(self._stopped())
            raise
        self._send(ended)

    async def _attempt(self, act: Act) -> ItemEnded:
        try:
            result = await act(self)
        except FlotillaError as error:
            self.log(*_line_of(error))
            return await self._end_with(error)
        except Exception as error:  # noqa: BLE001  # an item must end, whatever happened in it
            _log.exception("item %s ended by a defect", self.item.item_id)
            return await self._end_with(_defect(self.item, error))
        return self._ended(ItemState.DONE, None, result)

    async def _end_with(self, error: FlotillaError) -> ItemEnded:
        await self._settle(error, error.message)
        if self._may_exist() or isinstance(error, (AmbiguousEffectError, ChallengeRequiredError)):
            return self._ended(ItemState.NEEDS_OPERATOR, error)
        if isinstance(error, OperationCancelledError):
            return self._stopped()
        return self._ended(ItemState.FAILED, error)

    def _stopped(self) -> ItemEnded:
        if self._may_exist():
            username = self.account.username
            doubt = AmbiguousEffectError(
                f"The agent stopped before it knew whether {username} shows the post.",
                subject=username,
            )
            return self._ended(ItemState.NEEDS_OPERATOR, doubt)
        stopped = OperationCancelledError("Stopped before it had an effect.")
        return self._ended(ItemState.CANCELLED, stopped)

    def _may_exist(self) -> bool:
        """Say whether the effect may exist: looking, or a person, has to settle it."""
        return self._action is not None and self._action.state in IN_DOUBT_STATES

    async def _settle(self, error: FlotillaError | None, why: str) -> None:
        """Journal where an effect went that the task left in `sending`: its last line of defence.

        Where the journal refuses, it still says `sending`, which is a doubt to whoever looks next.
        """
        action = self._action
        if action is None or action.state is not ActionState.SENDING:
            return
        state, note = settled_by(error)
        if action.confirmed_as:
            # Whatever went wrong, it came after the effect: no error proves that it is not there.
            state = ActionState.IN_DOUBT
            note = f"the platform confirmed {action.confirmed_as}, which could not be journaled"
        try:
            await action.step(state, note=note or why)
        except FlotillaError as refused:
            _log.warning("an effect could not be settled: %s", refused.message)

    def _ended(
        self,
        state: ItemState,
        error: FlotillaError | None,
        result: dict[str, JsonValue] | None = None,
    ) -> ItemEnded:
        wire = error.to_wire() if error else None
        if wire:
            wire = wire.model_copy(update={"message": self._clean(wire.message)})
        return ItemEnded(
            item_id=self.item.item_id,
            state=state,
            step=self._step,
            error=wire,
            result=result or {},
        )

    def _clean(self, text: str) -> str:
        return self._redactor.clean(plain_text(text))

    def _log_anywhere(self, level: Level, text: str) -> None:
        self._loop.call_soon_threadsafe(self.log, level, text)

    def _progress_anywhere(self, step: str, fraction: float | None) -> None:
        self._loop.call_soon_threadsafe(self.progress, step, fraction)


def _action_of(
    start: StartItem, desk: StepDesk, clean: Callable[[str], str]
) -> JournaledAction | None:
    publish = start.item.publish
    if publish is None:
        return None
    record = start.action or ActionRecord(action_id=publish.intent_id, state=ActionState.PLANNED)
    return JournaledAction(start.item.item_id, record, desk, clean)


def _line_of(error: FlotillaError) -> tuple[Level, str]:
    level: Level = "info" if isinstance(error, OperationCancelledError) else "error"
    return level, f"{error.message} {error.advice}".strip()


def _defect(item: ItemSpec, error: Exception) -> DriverError:
    """Return what the operator sees of an error nobody foresaw: its kind, never its text."""
    username = item.account.username
    return DriverError(
        f"The driver {item.account.driver} failed for {username} with {type(error).__name__}.",
        advice="Retry the item; if it happens again, send the agent's log to its makers.",
        subject=username,
    )
