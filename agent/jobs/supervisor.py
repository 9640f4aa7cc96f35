"""Runs items: takes the next one that may start, gives it to a runner, journals what that says.

The supervisor owns the order of things. Which item is next is decided in `waiting.py`, where it
runs in `runner_pool.py`, what a step may do to the journal in `steps.py`, how an item ends in
`endings.py`. What a desktop orders is in `orders.py`. It is one file although a long one: whoever
asks what can happen to a running item, and in which order, finds all of it here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from agent.jobs import endings, holdings, items, recovery
from agent.jobs.blobs import BlobStore
from agent.jobs.cancelling import CancelGrace
from agent.jobs.fences import rename_identity, same_account
from agent.jobs.floor import Floor, failure_of
from agent.jobs.items import WAITS_FOR_DOUBT, Standing, StartedItem
from agent.jobs.journal import Journal, Transaction
from agent.jobs.log_spool import LogSpool
from agent.jobs.orders import Orders
from agent.jobs.recovery import Resumed
from agent.jobs.runner_pool import PoolLimits, RunnerPool
from agent.jobs.runner_process import RunnerCommand, RunnerProcess
from agent.jobs.running import LiveItem, RunningItem, Tally, WhatRuns
from agent.jobs.screens import ScreenHub
from agent.jobs.sessions import save_session
from agent.jobs.steps import take_step
from agent.jobs.waiting import WaitingItem
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
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import (
    ConflictError,
    DuplicateIntentError,
    FlotillaError,
    OperationCancelledError,
    StoreError,
    WireError,
)
from common.infra.paths import make_private_folder
from common.protocol.events import AccountObserved

_LOG = logging.getLogger(__name__)
_TIMER_SECONDS = 30.0
"""Longest wait before the wall clock is read again: it may jump, and timers sleep in a suspend."""
_FLUSH_SECONDS = 0.2
_STORE_RETRY_SECONDS = 5.0
_PRUNE_SECONDS = 3600.0
_TOWARDS_SENDING = (ActionState.PLANNED, ActionState.SENDING)
"""Steps after which the post may come to be: never taken for an item that is to stop."""


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
        environment: Mapping[str, str],
        why_silent: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`command` says how a runner is started, and `environment` what it gets beside our own.

        `why_silent` says why nothing may be published now, empty where it may; `clock` gives
        seconds since 1970.
        """
        self._journal = journal
        self._blobs = blobs
        self._spool = spool
        self._accounts_folder = accounts_folder
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._floor = Floor(journal, blobs.has, self._schedule)
        self._waiting = self._floor.waiting
        self._running = self._floor.running
        self._folders_made: set[str] = set()
        self._pool = RunnerPool(limits, command, self, self._schedule, environment)
        self._grace = CancelGrace(self._running, self._pool.give_up)
        self._timer: asyncio.TimerHandle | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._listeners: set[Callable[[str], None]] = set()
        self._next_pass: asyncio.Handle | None = None
        self._prune_at = 0.0
        self._may_start = True
        self._ask_why_silent = why_silent
        self._why_silent = ""
        self.orders = Orders(self._floor, spool, can, self._grace)
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

    def start(self, resumed: Resumed) -> None:
        """Begin with what was there when the agent stopped last."""
        for item in resumed.waiting:
            self._waiting.add(item)
        for standing in resumed.holding:
            self._floor.apply(standing)
        self._schedule()

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

    def allow_starts(self, allowed: bool) -> None:
        """Start items, or nothing new; what runs goes on."""
        self._may_start = allowed
        self._schedule()

    def look_whether_silent(self) -> None:
        """Let items publish, or let none do so and each say why."""
        reason = self._ask_why_silent()
        if reason == self._why_silent:
            return
        self._why_silent = reason
        self._waiting.allow_publishing(not reason)
        if reason:
            for item in self._waiting.posts():
                self._floor.say_why(item.item_id, reason)
        self._schedule()

    def note(self, what: str, work: Callable[[Transaction], object]) -> None:
        """Write something small whose result nobody waits for."""
        self._floor.submit(what, work)

    def keep_house(self) -> None:
        """Do what needs doing now and then: stop idle runners, delete old files."""
        self._pool.stop_idle()
        if self._blobs.is_eviction_due:
            self._journal.submit(holdings.needed_blobs).add_done_callback(self._evict)
        if self._prune_at <= self._loop.time():
            self._prune_at = self._loop.time() + _PRUNE_SECONDS
            self._journal.submit(holdings.unfinished_ids).add_done_callback(self._prune)

    async def stop(self) -> None:
        """Start nothing more, let runners finish what they are sending, and end them."""
        self._floor.is_stopping = True
        self._grace.close()
        for timer in (self._timer, self._flush_timer):
            if timer is not None:
                timer.cancel()
        await self._pool.close()
        self._spool.flush()

    # --- What runners say -----------------------------------------------------------------------

    def runner_started(self, runner: RunnerProcess, pid: int, started: float) -> None:
        """Note the process in the journal, so that a later start can reap it."""
        self._floor.submit(
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
            self._floor.submit(
                "forget a runner",
                lambda transaction: recovery.forget_runner(transaction, runner.pid),
            )
        if not was_asked:
            self.tally.runners_lost += 1
        for job in lost:
            self._interrupt(job, self._why_lost(was_asked), counted=not was_asked)
        self._schedule()

    def _why_lost(self, was_asked: bool) -> str:
        if self._floor.is_stopping:
            return "The agent stopped."
        return f"The process that ran the item {'was ended' if was_asked else 'ended'}."

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
        before, job.effect = job.effect, step.state
        self.tally.steps[step.state] = self.tally.steps.get(step.state, 0) + 1
        attempt = job.waiting.attempt
        written = self._journal.submit(lambda transaction: take_step(transaction, step, attempt))
        written.add_done_callback(lambda done: self._answer_step(runner, step, job, before, done))

    def _refusal(
        self, job: RunningItem | None, runner: RunnerProcess, step: ActionStep
    ) -> WireError | None:
        """Say why a step must not be taken: the point of no return is guarded here."""
        if job is None or job.runner is not runner:
            return ConflictError("This runner does not run the item.").to_wire()
        if step.state not in _TOWARDS_SENDING:
            return None
        if job.is_cancelled or job.is_recalled or self._floor.is_stopping:
            return OperationCancelledError("Stopped before the post was sent.").to_wire()
        if job.waiting.in_doubt and job.waiting.not_before > self._clock():
            return OperationCancelledError("Its time to be sent has not come.").to_wire()
        # Asked at this moment: the machine may have slept since the last look.
        self.look_whether_silent()
        if not self._waiting.may_publish(job.waiting.account_id, job.waiting.item_id):
            return OperationCancelledError(self._why_silent or WAITS_FOR_DOUBT).to_wire()
        return None

    def _answer_step(
        self,
        runner: RunnerProcess,
        step: ActionStep,
        job: RunningItem,
        before: ActionState | None,
        written: asyncio.Future[None],
    ) -> None:
        error = failure_of(written, f"journal step {step.state} of item {step.item_id}")
        if error is not None:
            job.effect = before
            job.is_unwritten = error.code == StoreError.code
        elif job.is_cancelled and not job.is_undecided:
            # What was asked while its effect was in doubt counts from here on.
            runner.send(CancelItem(item_id=step.item_id))
        runner.send(StepAnswer(step_id=step.step_id, error=error))

    def _session(self, found: SessionFound) -> None:
        job = self._running.get(found.item_id)
        if job is None or job.account is None:
            return
        account = job.account
        self._floor.submit(
            "save a session", lambda transaction: _keep_session(transaction, account, found)
        )

    def _ended(self, runner: RunnerProcess, ended: ItemEnded) -> None:
        job = self._running.get(ended.item_id)
        if job is None or job.runner is not runner or job.is_settling:
            _LOG.warning("A runner ended item %s, which it does not run.", ended.item_id)
            return
        self._pool.release(runner)
        if job.is_unwritten:
            self._interrupt(job, "The disk was full.", counted=False)
            return
        error = ended.error
        if error is not None:
            error = error.model_copy(update={"message": job.masked(error.message)})
        clean = ended.model_copy(update={"step": job.masked(ended.step), "error": error})
        counted = not (self._floor.is_stopping or runner.is_stopping or job.is_recalled)
        self._settle(
            job,
            lambda transaction, log_end: endings.finish(
                transaction, clean, cancelled=job.is_cancelled, counted=counted, log_end=log_end
            ),
        )

    # --- Starting and settling items ------------------------------------------------------------

    def _schedule(self) -> None:
        """Look for items to start, once, at the end of this turn of the loop."""
        if self._next_pass is None and not self._floor.is_stopping:
            self._next_pass = self._loop.call_soon(self._start_ready)

    def _start_ready(self) -> None:
        self._next_pass = None
        if self._floor.is_stopping or not self._may_start:
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

    def _hand_over(self, job: RunningItem, opened: asyncio.Future[StartedItem]) -> None:
        waiting = job.waiting
        if job.is_settling:
            return
        if failure_of(opened, f"start item {waiting.item_id}") is not None:
            self._put_back(job, opened.exception())
            return
        if not job.runner.is_alive:
            # Its end will be told, and settles the item.
            return
        started = opened.result()
        job.opened(started.item.account)
        job.effect = started.action.state if started.action else None
        job.is_cancelled |= started.cancel_asked
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
        if (job.is_cancelled or job.is_recalled) and not job.is_undecided:
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
        self._no_longer_runs(job)
        if isinstance(problem, ConflictError):
            self._floor.say_why(waiting.item_id, problem.message)
        self._waiting.add(self._later(waiting))
        self._schedule()

    def _later(self, waiting: WaitingItem) -> WaitingItem:
        """Return an item that waits a little before it is tried again."""
        again = self._clock() + _STORE_RETRY_SECONDS
        return replace(waiting, not_before=max(waiting.not_before, again))

    def _interrupt(self, job: RunningItem, reason: str, *, counted: bool) -> None:
        item_id = job.waiting.item_id
        self._settle(
            job,
            lambda transaction, log_end: endings.interrupt(
                transaction,
                item_id,
                reason,
                counted=counted,
                cancelled=job.is_cancelled,
                log_end=log_end,
            ),
        )

    def _settle(self, job: RunningItem, work: Callable[[Transaction, int], Standing]) -> None:
        """Write how an item ended; only then may the next one of its account start."""
        if job.is_settling:
            return
        job.is_settling = True
        waiting = job.waiting
        log_end = self._spool.close(waiting.item_id, waiting.attempt, self._clock())
        self._write_end(job, lambda transaction: work(transaction, log_end))

    def _write_end(self, job: RunningItem, work: Callable[[Transaction], Standing]) -> None:
        written = self._journal.submit(work)
        written.add_done_callback(lambda done: self._settled(job, work, done))

    def _write_end_again(self, job: RunningItem, work: Callable[[Transaction], Standing]) -> None:
        if not self._floor.is_stopping:  # the next start settles it
            self._write_end(job, work)

    def _settled(
        self,
        job: RunningItem,
        work: Callable[[Transaction], Standing],
        written: asyncio.Future[Standing],
    ) -> None:
        waiting = job.waiting
        failure = failure_of(written, f"journal the end of item {waiting.item_id}")
        is_stopping = self._floor.is_stopping
        if failure is not None and failure.code == StoreError.code and not is_stopping:
            # A full disk is made free again; until then the item is not at its end.
            self._loop.call_later(_STORE_RETRY_SECONDS, self._write_end_again, job, work)
            return
        self._no_longer_runs(job)
        if failure is None:
            standing = written.result()
            self.tally.ended[standing.state] = self.tally.ended.get(standing.state, 0) + 1
            if standing.state is ItemState.ASSIGNED and not is_stopping:
                again = replace(waiting, in_doubt=standing.in_doubt)
                if job.is_unwritten:
                    again = self._later(again)
                standing = replace(standing, waiting=again)
            self._floor.apply(standing)
        self._schedule()

    def _no_longer_runs(self, job: RunningItem) -> None:
        self._running.pop(job.waiting.item_id, None)
        self._grace.ended(job.waiting.item_id)
        self._waiting.release(job.waiting.account_id)

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

    def _evict(self, found: asyncio.Future[set[str]]) -> None:
        if failure_of(found, "look which files are needed") is None:
            self._blobs.evict(found.result())

    def _prune(self, found: asyncio.Future[set[str]]) -> None:
        if failure_of(found, "look which items have not ended") is None:
            pruned = self._loop.run_in_executor(None, self._spool.prune, found.result())
            pruned.add_done_callback(lambda done: failure_of(done, "delete old logs"))

    def _moved_on(self, item_id: str) -> None:
        for listener in tuple(self._listeners):
            listener(item_id)

    def _flush_soon(self) -> None:
        if self._flush_timer is None and not self._floor.is_stopping:
            self._flush_timer = self._loop.call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._spool.flush()

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(min(max(seconds, 0.0), _TIMER_SECONDS), self._schedule)


def _keep_session(transaction: Transaction, account: AccountAccess, found: SessionFound) -> None:
    save_session(transaction, account, found.session, found.user_id, found.username)
    known = account.model_copy(update={"user_id": found.user_id})
    if account.user_id not in (None, found.user_id):
        rename_identity(transaction, account.identity, known.identity)
    same_account(transaction, known)
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
