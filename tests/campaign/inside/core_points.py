"""Where the points of a core sit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

import desktop_app.core.links.inbox
from desktop_app.store import intents, items
from desktop_app.store.executor import Executor
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.session_points import point_sends
from tests.campaign.inside.wrapping import wrap

_MESSAGES = {'{"t":"acknowledge"': "send_ack", '{"t":"accept_item"': "send_accept"}


def install(points: Failpoints) -> None:
    """Put every point of the core in its place."""
    _around_commits(points)
    point_sends(points, "core", _MESSAGES)


def _around_commits(points: Failpoints) -> None:
    writing = threading.local()

    def noting(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrapper(shipped: Callable[..., Any]) -> Callable[..., Any]:
            def work(*given: Any, **named: Any) -> Any:
                done = shipped(*given, **named)
                if hasattr(writing, "kinds"):
                    writing.kinds.add(kind)
                return done

            return work

        return wrapper

    def grouping(shipped: Callable[..., None]) -> Callable[..., None]:
        def write_group(executor: Executor, jobs: Any) -> None:
            writing.kinds = set()
            shipped(executor, jobs)
            for kind in sorted(writing.kinds):
                points.hit(f"core.after.{kind}")

        return write_group

    def committing(_: Connection) -> None:
        for kind in sorted(getattr(writing, "kinds", ())):
            points.hit(f"core.before.{kind}")

    wrap(intents, "claim", noting("commit_claim"))
    wrap(items, "save_accepted", noting("commit_accepted"))
    wrap(desktop_app.core.links.inbox, "apply_batch", noting("commit_events"))
    wrap(Executor, "_write_group", grouping)
    event.listen(Engine, "commit", committing)
