"""Where the points of an agent's main process sit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import agent.app
import agent.jobs.blobs
from agent.jobs.blobs import BlobStore, IncomingBlob
from agent.jobs.journal import Transaction
from agent.jobs.runner_process import RunnerProcess
from agent.runners.messages import StepAnswer
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from common.protocol.events import ActionChanged, AgentEvent, ItemChanged
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.session_points import point_sends
from tests.campaign.inside.wrapping import wrap

_STEPS = {
    ActionState.PREPARED: "commit_prepared",
    ActionState.SENDING: "commit_sending",
    ActionState.CONFIRMED: "commit_confirmed",
}
_MESSAGES = {'{"t":"events"': "send_events", '{"t":"accepted"': "send_accepted"}


def install(points: Failpoints) -> None:
    """Put every point of the agent in its place."""
    _around_commits(points)
    point_sends(points, "agent", _MESSAGES)
    _around_step_answers(points)
    _around_blobs(points)


class _PointedConnection:
    """The journal's connection, with points around each commit by what the commit is of."""

    def __init__(self, connection: sqlite3.Connection, points: Failpoints) -> None:
        self._connection = connection
        self._points = points
        self.committing: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return self._connection.execute(sql, parameters)
        kinds, self.committing = sorted(self.committing), set()
        for kind in kinds:
            self._points.hit(f"agent.before.{kind}")
        done = self._connection.execute(sql)
        for kind in kinds:
            self._points.hit(f"agent.after.{kind}")
        return done


def _around_commits(points: Failpoints) -> None:
    def opening(shipped: Callable[[Path], sqlite3.Connection]) -> Callable[[Path], Any]:
        return lambda path: _PointedConnection(shipped(path), points)

    def appending(shipped: Callable[..., None]) -> Callable[..., None]:
        def append(transaction: Transaction, event: AgentEvent) -> None:
            shipped(transaction, event)
            connection: Any = transaction._connection
            if kind := _kind_of(event):
                connection.committing.add(kind)

        return append

    wrap(agent.app, "open_database", opening)
    wrap(Transaction, "append", appending)


def _kind_of(event: AgentEvent) -> str:
    if isinstance(event, ActionChanged):
        return _STEPS.get(event.state, "")
    if isinstance(event, ItemChanged):
        if event.state is ItemState.ASSIGNED:
            return "commit_accepted"
        return "commit_ended" if event.state in ITEM_FINAL else ""
    return ""


def _around_step_answers(points: Failpoints) -> None:
    answering: set[RunnerProcess] = set()

    def sending(shipped: Callable[..., None]) -> Callable[..., None]:
        def send(runner: RunnerProcess, message: Any) -> None:
            if isinstance(message, StepAnswer):
                points.hit("agent.before.step_answer")
                answering.add(runner)
            shipped(runner, message)

        return send

    def writing(shipped: Callable[..., None]) -> Callable[..., None]:
        def write(runner: RunnerProcess) -> None:
            shipped(runner)
            if runner in answering:
                answering.discard(runner)
                points.hit("agent.after.step_answer")

        return write

    wrap(RunnerProcess, "send", sending)
    wrap(RunnerProcess, "_write", writing)


def _around_blobs(points: Failpoints) -> None:
    def syncing(shipped: Callable[..., None]) -> Callable[..., None]:
        def sync(incoming: IncomingBlob) -> None:
            points.hit("agent.before.blob_fsync")
            shipped(incoming)
            points.hit("agent.after.blob_fsync")

        return sync

    def renaming(shipped: Callable[[Path], None]) -> Callable[[Path], None]:
        def sync_folder(folder: Path) -> None:
            points.hit("agent.after.blob_rename")
            shipped(folder)

        return sync_folder

    def naming(shipped: Callable[[BlobStore, str], Path]) -> Callable[[BlobStore, str], Path]:
        def part(blobs: BlobStore, sha256: str) -> Path:
            points.hit("agent.before.blob_rename")
            return shipped(blobs, sha256)

        return part

    wrap(IncomingBlob, "sync", syncing)
    wrap(agent.jobs.blobs, "sync_folder", renaming)
    wrap(BlobStore, "_part", naming)
