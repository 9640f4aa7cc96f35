"""The agent's side of every task type. Explicit, so that a frozen build cannot lose one."""

from collections.abc import Awaitable, Callable

from pydantic import JsonValue

from agent.tasks import bulk_login, bulk_upload
from agent.tasks.context import TaskContext
from common.errors import NotFoundError

Run = Callable[[TaskContext, object], Awaitable[dict[str, JsonValue]]]
"""Runs one item over a driver's operations, and returns the item's result."""

TASKS: dict[str, Run] = {
    "bulk_upload": bulk_upload.run,
    "bulk_login": bulk_login.run,
}


def task_for(kind: str) -> Run:
    """Return what runs items of task type `kind`; NotFoundError lists those there are."""
    try:
        return TASKS[kind]
    except KeyError:
        known = ", ".join(sorted(TASKS))
        raise NotFoundError(
            f"This agent has no task type {kind!r}.",
            advice=f"It has: {known}. Update the agent to the desktop's release.",
        ) from None
