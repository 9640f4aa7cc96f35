"""Runs items: takes the next one that may start, gives it to a runner, journals what that says.

The supervisor owns the order of things. Which item is next is decided in `waiting.py`, where it
runs in `runner_pool.py`, and what a step may do to the journal in `items.py` and `actions.py`.
It is one file although a long one: whoever asks what can happen to a running item, and in which
order, finds all of it here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from agent.jobs import actions, items, recovery
from agent.jobs.blobs import BlobStore
from agent.jobs.fences import rename_identity
from agent.jobs.journal import Journal, Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.runner_pool import PoolLimits, RunnerPool
from agent.jobs.runner_process import RunnerCommand, RunnerProcess
from agent.jobs.running import LiveItem, RunningItem, Tally, WhatRuns
from agent.jobs.screens import ScreenHub
from agent.jobs.sessions import save_session
from agent.jobs.waiting import WaitingItem, WaitingItems
from agent.runners.messages import (
    ActionStep,
    CancelItem,
    FromRunner,
    ItemEnded,
    ItemLog,
    ItemProgress,
    RunnerKind,
    SessionFound,
    StartItem,
    StepAnswer,
    ToRunner,
)
from agent.runners.pipe import ScreenFrame
from common.access import AccountAccess
from common.domain.ids import is_id
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import (
    AgentUnreachableError,
    ConflictError,
    DuplicateIntentError,
    FlotillaError,
    InputError,
    OperationCancelledError,
    OperationUnsupportedError,
    StoreError,
    WireError,
)
from common.infra.paths import make_private_folder
from common.items import ItemSpec
from common.protocol.events import AccountObserved

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_TIMER_SECONDS = 30.0
"""Longest wait before the wall clock is read again: it may jump, and timers sleep in a suspend."""
_FLUSH_SECONDS = 0.2
_STORE_RETRY_SECONDS = 5.0
_IN_DOUBT = "Waits: whether an earlier post of this account exists is not settled."
_ROLLED_BACK = (
    "Set aside: this agent's disk was taken back to an earlier state, and the post may exist."
)
_NEEDS_YOU = "Waits: an earlier item of this account needs you first."


class Supervisor:
    """Runs every item of one agent."""

    def __init__(
        self,
        *,
        journal: Journal,
        blobs: BlobStore,
        spool: LogSpool,
        accounts_folder: Path,
        can: WhatRuns,
        limits: PoolLimits,
        command: RunnerCommand,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`command` says how a runner is started; `clock` gives seconds since 1970."""
        self._journal = journal
        self._blobs = blobs
        self._spool = spool
        self._accounts_folder = accounts_folder
        self._can = can
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting = WaitingItems(blobs.has)
        self._running: dict[str, RunningItem] = {}
        self._folders_made: set[str] = set()
        self._pool = RunnerPool(limits, command, self, self._schedule)
        self._timer: asyncio.TimerHandle | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._listeners: set[Callable[[str], None]] = set()
        self._is_stopping = False
        self._next_pass: asyncio.Handle | None = None
        self.screens = ScreenHub(self._tell_browser)
        self.tally = Tally()

    # --- What the server asks -------------------------------------------------------------------

    @property
    def running_count(self) -> int:
        """How many items run now."""
        return len(self._running)

    @property
    def waiting_count(self) -> int:
        """How many items wait for their turn."""
        return len(self._waiting)

    @property
    def accounts_held(self) -> int:
        """How many accounts have items here."""
        return self._waiting.accounts()

    def start(self, waiting: Iterable[WaitingItem]) -> None:
        """Begin with what waited when the agent stopped last."""
        for item in waiting:
            self._waiting.add(item)
        self._schedule()

    async def accept(self, item: ItemSpec) -> None:
        """Take an item over; returns once it is on disk. Safe to repeat.

        Raises a FlotillaError where the agent cannot or must not run it.
        """
        if self._is_stopping:
            # Not a refusal of the item: the desktop keeps it, and offers it again.
            raise AgentUnreachableError("The agent is stopping.")
        self._require_possible(item)
        await self._write(lambda transaction: items.accept(transaction, item), self._take_in)

    async def pause(self, item_id: str) -> None:
        """Set a waiting item aside."""
        await self._write(
            lambda transaction: items.pause(transaction, item_id),
            lambda _: self._waiting.remove(item_id),
        )

    async def resume(self, item_id: str) -> None:
        """Let a paused item, or one that waited for the operator, go on."""
        await self._write(lambda transaction: items.resume(transaction, item_id), self._resumed)

    async def cancel(self, item_id: str) -> None:
        """Cancel an item; a running one ends as soon as its runner can.

        Raises ConflictError where its post is being sent: then it goes on to the verdict.
        """
        running = self._running.get(item_id)
        if running is not None:
            self._cancel_running(running)
            return
        await self._write(
            lambda transaction: items.cancel(transaction, item_id),
            lambda account_id: self._cancelled(item_id, account_id),
        )

    def distrust_journal(self) -> None:
        """Publish nothing that was accepted so far: the journal is older than what was done.

        A desktop knows events that it does not have, so any of these posts may exist already.
        """
        for item in self._waiting.posts():
            self._waiting.remove(item.item_id)
            aside = partial(items.set_aside, item_id=item.item_id, reason=_ROLLED_BACK)
            self._submit("set an item aside", aside)
        for job in self._running.values():
            if job.waiting.publishes and not job.is_sending:
                self._cancel_running(job)

    def blob_arrived(self, sha256: str) -> None:
        """Start what waited for this file."""
        self._waiting.blob_arrived(sha256)
        self._schedule()

    def live(self, item_id: str) -> LiveItem | None:
        """Return how far a running item is; None where it does not run."""
        job = self._running.get(item_id)
        if job is None:
            return None
        attempt = job.waiting.attempt
        end = self._spool.end(item_id, attempt)
        return LiveItem(item_id, attempt, job.step, job.fraction, end)

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener` with the id of each item that moved on; returns how to stop that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def keep_house(self) -> None:
        """Do what needs doing now and then: stop idle runners, delete old blobs."""
        self._pool.stop_idle()
        if self._blobs.is_over_quota:
            self._journal.submit(items.needed_blobs).add_done_callback(self._evict)

    async def stop(self) -> None:
        """Start nothing more, let runners finish what they are sending, and end them."""
        self._is_stopping = True
        for timer in (self._timer, self._flush_timer):
            if timer is not None:
                timer.cancel()
        await self._pool.close()
        self._spool.flush()

    # --- What runners say -----------------------------------------------------------------------

    def runner_started(self, runner: RunnerProcess, pid: int, started: float) -> None:
        """Note the process in the journal, so that a later start can reap it."""
        self._submit(
            "note a runner",
            lambda transaction: recovery.note_runner(transaction, pid, started, runner.kind),
        )

    def runner_said(self, runner: RunnerProcess, message: FromRunner) -> None:
        """Take one message of a runner."""
        match message:
            case ItemLog():
                self._log(message)
            case ItemProgress():
                self._progress(message)
            case ActionStep():
                self._step(runner, message)
            case SessionFound():
                self._session(message)
            case ItemEnded():
                self._ended(runner, message)
            case _:
                _LOG.info("A %s runner is ready (process %d).", runner.kind, runner.pid)

    def runner_showed(self, runner: RunnerProcess, frame: ScreenFrame) -> None:
        """Pass a picture on to whoever watches."""
        self.screens.frame(frame)

    def runner_ended(self, runner: RunnerProcess) -> None:
        """Settle the items of a runner that is gone."""
        lost = [job for job in self._running.values() if job.runner is runner]
        was_asked = runner.is_stopping
        self._pool.lost(runner)
        if runner.pid:
            self._submit(
                "forget a runner",
                lambda transaction: recovery.forget_runner(transaction, runner.pid),
            )
        if not was_asked:
            self.tally.runners_lost += 1
        for job in lost:
            self._interrupt(job, counted=not was_asked)
        self._schedule()

    def _log(self, message: ItemLog) -> None:
        job = self._running.get(message.item_id)
        if job is None:
            return
        text = job.masked(message.text)
        self._spool.append(message.item_id, job.waiting.attempt, message.at, message.level, text)
        self._flush_soon()
        self._moved_on(message.item_id)

    def _progress(self, message: ItemProgress) -> None:
        job = self._running.get(message.item_id)
        if job is None:
            return
        job.step, job.fraction = job.masked(message.step), message.fraction
        self._moved_on(message.item_id)

    def _step(self, runner: RunnerProcess, step: ActionStep) -> None:
        job = self._running.get(step.item_id)
        refusal = self._refusal(job, runner, step)
        if job is None or refusal is not None:
            runner.send(StepAnswer(step_id=step.step_id, error=refusal))
            return
        job.is_sending = step.state is ActionState.SENDING
        self.tally.steps[step.state] = self.tally.steps.get(step.state, 0) + 1
        attempt = job.waiting.attempt
        written = self._journal.submit(
            lambda transaction: actions.record_step(transaction, step, attempt)
        )
        written.add_done_callback(lambda done: self._answer_step(runner, step, job, done))

    def _refusal(
        self, job: RunningItem | None, runner: RunnerProcess, step: ActionStep
    ) -> WireError | None:
        """Say why a step must not be taken: the point of no return is guarded here."""
        if job is None or job.runner is not runner:
            return ConflictError("This runner does not run the item.").to_wire()
        if step.state is ActionState.SENDING and (job.is_cancelled or self._is_stopping):
            return OperationCancelledError("Stopped before the post was sent.").to_wire()
        return None

    def _answer_step(
        self,
        runner: RunnerProcess,
        step: ActionStep,
        job: RunningItem,
        written: asyncio.Future[WireError | None],
    ) -> None:
        error = _failure(written, f"journal step {step.state} of item {step.item_id}")
        if error is None:
            error = written.result()
        if error is not None:
            job.is_sending = False
        runner.send(StepAnswer(step_id=step.step_id, error=error))

    def _session(self, found: SessionFound) -> None:
        job = self._running.get(found.item_id)
        if job is None or job.account is None:
            return
        account = job.account
        self._submit(
            "save a session", lambda transaction: _keep_session(transaction, account, found)
        )

    def _ended(self, runner: RunnerProcess, ended: ItemEnded) -> None:
        job = self._running.get(ended.item_id)
        if job is None or job.runner is not runner or job.is_settling:
            _LOG.warning("A runner ended item %s, which it does not run.", ended.item_id)
            return
        self._pool.release(runner)
        error = ended.error
        if error is not None:
            error = error.model_copy(update={"message": job.masked(error.message)})
        clean = ended.model_copy(update={"step": job.masked(ended.step), "error": error})
        self._settle(
            job,
            lambda transaction, log_end: items.finish(
                transaction, clean, cancelled=job.is_cancelled, log_end=log_end
            ),
        )

    # --- Starting and settling items ------------------------------------------------------------

    def _schedule(self) -> None:
        """Look for items to start, once, at the end of this turn of the loop."""
        if self._next_pass is None and not self._is_stopping:
            self._next_pass = self._loop.call_soon(self._start_ready)

    def _start_ready(self) -> None:
        self._next_pass = None
        if self._is_stopping:
            return
        now = self._clock()
        due = self._waiting.wake(now)
        if due is not None:
            self._set_timer(due - now)
        # An account may get its turn with the other kind while this one is looked at.
        started = True
        while started:
            started = False
            for kind in RunnerKind:
                started |= self._start_next(kind, now)

    def _start_next(self, kind: RunnerKind, now: float) -> bool:
        if not self._pool.has_room(kind):
            return False
        waiting = self._waiting.take(
            kind, now, lambda account_id: self._pool.may_place(kind, account_id)
        )
        if waiting is None:
            return False
        runner = self._pool.place(kind, waiting.account_id)
        job = RunningItem(waiting, runner)
        self._running[waiting.item_id] = job
        log_end = self._spool.end(waiting.item_id, waiting.attempt)
        opened = self._journal.submit(
            lambda transaction: items.start(transaction, waiting.item_id, log_end)
        )
        opened.add_done_callback(lambda done: self._hand_over(job, done))
        return True

    def _hand_over(self, job: RunningItem, opened: asyncio.Future[items.StartedItem]) -> None:
        waiting = job.waiting
        if job.is_settling:
            return
        if _failure(opened, f"start item {waiting.item_id}") is not None:
            self._put_back(job, opened.exception())
            return
        if not job.runner.is_alive:
            # Its end will be told, and settles the item.
            return
        started = opened.result()
        job.opened(started.item.account)
        for watch in self.screens.watches_of(waiting.account_id):
            if waiting.kind is RunnerKind.BROWSER:
                job.runner.send(watch)
        job.runner.send(
            StartItem(
                item=started.item,
                files={sha256: str(self._blobs.path(sha256)) for sha256 in waiting.blobs},
                account_dir=str(self._account_folder(waiting.account_id)),
                action=started.action,
            )
        )
        if job.is_cancelled:
            job.runner.send(CancelItem(item_id=waiting.item_id))

    def _put_back(self, job: RunningItem, problem: BaseException | None) -> None:
        """An item could not be set to running: it waits, or fails where waiting cannot help."""
        waiting = job.waiting
        self._pool.release(job.runner)
        if isinstance(problem, FlotillaError) and not _may_pass(problem):
            error = problem.to_wire()
            self._settle(
                job, lambda transaction, _end: items.fail(transaction, waiting.item_id, error)
            )
            return
        self._running.pop(waiting.item_id, None)
        self._waiting.release(waiting.account_id)
        if isinstance(problem, ConflictError):
            self._waiting.add(waiting)
            self._hold(waiting.account_id, _IN_DOUBT)
        else:
            again = self._clock() + _STORE_RETRY_SECONDS
            self._waiting.add(replace(waiting, not_before=max(waiting.not_before, again)))
        self._schedule()

    def _interrupt(self, job: RunningItem, *, counted: bool) -> None:
        item_id = job.waiting.item_id
        reason = "The process that ran the item ended." if counted else "The agent stopped."
        self._settle(
            job,
            lambda transaction, log_end: items.interrupt(
                transaction,
                item_id,
                reason,
                counted=counted,
                cancelled=job.is_cancelled,
                log_end=log_end,
            ),
        )

    def _settle(self, job: RunningItem, work: Callable[[Transaction, int], ItemState]) -> None:
        """Write how an item ended; only then may the next one of its account start."""
        if job.is_settling:
            return
        job.is_settling = True
        waiting = job.waiting
        log_end = self._spool.close(waiting.item_id, waiting.attempt, self._clock())
        self._write_end(job, lambda transaction: work(transaction, log_end))

    def _write_end(self, job: RunningItem, work: Callable[[Transaction], ItemState]) -> None:
        written = self._journal.submit(work)
        written.add_done_callback(lambda done: self._settled(job, work, done))

    def _write_end_again(self, job: RunningItem, work: Callable[[Transaction], ItemState]) -> None:
        if not self._is_stopping:  # the next start settles it
            self._write_end(job, work)

    def _settled(
        self,
        job: RunningItem,
        work: Callable[[Transaction], ItemState],
        written: asyncio.Future[ItemState],
    ) -> None:
        waiting = job.waiting
        failure = _failure(written, f"journal the end of item {waiting.item_id}")
        if failure is not None and failure.code == StoreError.code and not self._is_stopping:
            # A full disk is made free again; until then the item is not at its end.
            self._loop.call_later(_STORE_RETRY_SECONDS, self._write_end_again, job, work)
            return
        self._running.pop(waiting.item_id, None)
        self._waiting.release(waiting.account_id)
        if failure is None:
            state = written.result()
            self.tally.ended[state] = self.tally.ended.get(state, 0) + 1
            if state is ItemState.ASSIGNED and not self._is_stopping:
                self._waiting.add(waiting)
            elif state is ItemState.NEEDS_OPERATOR and waiting.publishes:
                self._hold(waiting.account_id, _NEEDS_YOU)
        self._schedule()

    def _hold(self, account_id: str, reason: str) -> None:
        """Publish nothing more for an account, and say so at what waits."""
        for item in self._waiting.hold(account_id):
            note = partial(items.note_step, item_id=item.item_id, step=reason)
            self._submit("say why an item waits", note)

    def _cancel_running(self, job: RunningItem) -> None:
        if job.is_sending:
            raise ConflictError(
                "The post is being sent: the cancel waits for the verdict.",
                advice="Look at the item again when it has ended.",
            )
        job.is_cancelled = True
        if job.account is not None:
            job.runner.send(CancelItem(item_id=job.waiting.item_id))

    def _require_possible(self, item: ItemSpec) -> None:
        for name, text in (("item_id", item.item_id), ("account_id", item.account.account_id)):
            if not is_id(text):
                raise InputError("An id is not one of ours.", field=name)
        if item.task not in self._can.tasks:
            raise OperationUnsupportedError(
                f"The agent does not know the task {item.task!r}.", advice="Update the agent."
            )
        if item.account.driver not in self._can.drivers:
            raise OperationUnsupportedError(
                f"The agent has no driver {item.account.driver}.",
                advice="Run `flotilla-agent doctor` on the worker machine to see what is missing.",
            )

    def _account_folder(self, account_id: str) -> Path:
        folder = self._accounts_folder / account_id
        if account_id not in self._folders_made:
            make_private_folder(folder)
            self._folders_made.add(account_id)
        return folder

    def _tell_browser(self, account_id: str, message: ToRunner) -> None:
        runner = self._pool.runner_of(RunnerKind.BROWSER, account_id)
        if runner is not None:
            runner.send(message)

    def _take_in(self, waiting: WaitingItem | None) -> None:
        """Queue an item that was taken over; None is one that was so before."""
        if waiting is not None:
            self._waiting.add(waiting)
            self._schedule()

    def _resumed(self, waiting: WaitingItem | None) -> None:
        if waiting is not None:
            self._waiting.lift(waiting.account_id)
            self._take_in(waiting)

    def _cancelled(self, item_id: str, account_id: str) -> None:
        self._waiting.remove(item_id)
        self._waiting.lift(account_id)
        self._schedule()

    def _evict(self, found: asyncio.Future[set[str]]) -> None:
        if _failure(found, "look which files are needed") is None:
            self._blobs.evict(found.result())

    async def _write(self, work: Callable[[Transaction], T], then: Callable[[T], object]) -> None:
        """Write what a desktop asks for and act on it, be the desktop's link gone by then or not.

        What is in the journal and not in our memory would wait until the agent starts again.
        """

        def act(done: asyncio.Future[T]) -> None:
            if not done.cancelled() and done.exception() is None:
                then(done.result())

        written = self._journal.submit(work)
        written.add_done_callback(act)
        await asyncio.shield(written)

    def _moved_on(self, item_id: str) -> None:
        for listener in tuple(self._listeners):
            listener(item_id)

    def _flush_soon(self) -> None:
        if self._flush_timer is None and not self._is_stopping:
            self._flush_timer = self._loop.call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._spool.flush()

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(min(max(seconds, 0.0), _TIMER_SECONDS), self._schedule)

    def _submit(self, what: str, work: Callable[[Transaction], object]) -> None:
        """Write something whose result nobody waits for; a failure is logged."""
        self._journal.submit(work).add_done_callback(lambda done: _failure(done, what))


def _keep_session(transaction: Transaction, account: AccountAccess, found: SessionFound) -> None:
    save_session(transaction, account, found.session, found.user_id, found.username)
    known = account.model_copy(update={"user_id": found.user_id})
    if known.identity != account.identity:
        rename_identity(transaction, account.identity, known.identity)
    transaction.append(
        AccountObserved(
            account_id=account.account_id,
            sign_in=SignInState.SIGNED_IN,
            driver=account.driver,
            user_id=found.user_id,
        )
    )


def _may_pass(problem: FlotillaError) -> bool:
    """Say whether an item that could not start may start later."""
    if isinstance(problem, DuplicateIntentError):
        return False
    return isinstance(problem, ConflictError | StoreError)


def _failure(written: asyncio.Future[Any], what: str) -> WireError | None:
    """Return why a piece of work failed, and log it; None where it did not."""
    if written.cancelled():
        return OperationCancelledError(f"Nobody waited to {what}.").to_wire()
    problem = written.exception()
    if problem is None:
        return None
    if isinstance(problem, FlotillaError):
        _LOG.warning("Could not %s: %s", what, problem.message)
        return problem.to_wire()
    _LOG.error("Could not %s.", what, exc_info=problem)
    return FlotillaError(f"The agent could not {what}.").to_wire()
