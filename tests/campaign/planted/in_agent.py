"""Bugs of an agent's main process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import agent.app
import agent.jobs.fences
import agent.jobs.items
from agent.jobs.blobs import BlobStore
from agent.jobs.journal import Transaction
from agent.jobs.log_spool import LogSpool, _Gap, _Segment
from common.domain.fences import FenceJudgement
from common.domain.states import ItemState
from common.protocol.events import ItemChanged
from tests.campaign.inside.wrapping import wrap

_Open = Callable[[Path], sqlite3.Connection]


def no_fsync_before_send() -> None:
    """The journal's commits are with the operating system, and not on the disk."""

    def opening(shipped: _Open) -> _Open:
        def open_database(path: Path) -> sqlite3.Connection:
            connection = shipped(path)
            connection.execute("PRAGMA synchronous = OFF")
            return connection

        return open_database

    wrap(agent.app, "open_database", opening)


def sequence_reuse() -> None:
    """Numbers of events begin anew once every event is acknowledged and deleted."""

    def opening(shipped: _Open) -> _Open:
        def open_database(path: Path) -> sqlite3.Connection:
            connection = shipped(path)
            connection.executescript(
                "BEGIN IMMEDIATE; DROP TABLE outbox; "
                "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, at REAL NOT NULL, body TEXT, "
                "sealed_body BLOB); DELETE FROM sqlite_sequence; COMMIT;"
            )
            return connection

        return open_database

    wrap(agent.app, "open_database", opening)


def fence_ignored() -> None:
    """A command counts whoever gave it."""

    def judge_fence(offered: int, highest: int | None) -> FenceJudgement:
        return FenceJudgement.RAISED if highest is None else FenceJudgement.CURRENT

    wrap(agent.jobs.fences, "judge_fence", lambda _: judge_fence)


def cancel_during_sending() -> None:
    """A post that is being sent counts as cancelled as soon as that is asked for."""

    def cancelling(shipped: Callable[..., Any]) -> Callable[..., Any]:
        def cancel(transaction: Transaction, item_id: str, fence: int | None = None) -> Any:
            standing, _ = shipped(transaction, item_id, fence)
            row = agent.jobs.items.require(transaction, item_id)
            if row.state is ItemState.RUNNING:
                transaction.append(
                    ItemChanged(item_id=item_id, attempt=row.attempt, state=ItemState.CANCELLED)
                )
            return standing, None

        return cancel

    wrap(agent.jobs.items, "cancel", cancelling)


def log_gap_hidden() -> None:
    """Lines that a log has no room for are missing, and nothing says so."""

    def closing(_: Callable[..., None]) -> Callable[..., None]:
        def close_gap(spool: LogSpool, key: Any, segment: _Segment, at: float) -> None:
            segment.gap = _Gap()

        return close_gap

    wrap(LogSpool, "_close_gap", closing)


def blob_evicted() -> None:
    """A file may go although an item that waits needs it."""

    def evicting(shipped: Callable[..., int]) -> Callable[..., int]:
        def evict(blobs: BlobStore, needed: Collection[str]) -> int:
            return shipped(blobs, ())

        return evict

    wrap(BlobStore, "evict", evicting)
