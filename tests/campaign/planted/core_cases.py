"""What is done to a core so that its bug shows. A case says nothing about how a bug is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.campaign.planted.core_trial import CoreTrial


@dataclass(frozen=True)
class CoreCase:
    """What is done, and the promise that the bug breaks."""

    scenario: Callable[[CoreTrial], Awaitable[None]]
    invariant: str


async def _publish_one(trial: CoreTrial) -> None:
    await asyncio.to_thread(trial.start)
    agent = trial.agent
    await agent.until(lambda: agent.posts and agent.is_forgotten, "all is acknowledged")
    await agent.until(lambda: len(agent.read_logs) == len(agent.posts), "the log is read")
    await agent.tell_nothing_new()  # what was read is kept by the time this is taken


async def _die_before_the_commit(trial: CoreTrial) -> None:
    await asyncio.to_thread(trial.start, die_at="core.before.commit_events")
    await trial.until_dead()
    if not trial.witnessed:
        await _publish_one(trial)


async def _hear_all_of_it_again(trial: CoreTrial) -> None:
    await _publish_one(trial)
    await trial.agent.tell_again()
    await trial.agent.tell_nothing_new()


CORE_CASES: dict[str, CoreCase] = {
    "ack_before_commit": CoreCase(_die_before_the_commit, "I2"),
    "duplicate_apply": CoreCase(_hear_all_of_it_again, "I2"),
    "last_frame_dropped": CoreCase(_publish_one, "I4"),
    "token_in_log": CoreCase(_publish_one, "I6"),
}
