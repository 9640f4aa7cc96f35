"""What is done to an agent so that its bug shows. A case says nothing about how a bug is made."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from common.errors import StaleFenceError
from common.protocol.messages import Acknowledge
from tests.campaign.planted.agent_trial import AgentTrial, Conditions, TracedAgent
from tests.campaign.planted.system_calls import sent_before_synced
from tests.campaign.planted.under_strace import trace_file
from tests.campaign.planted.witness import missing_files, stale_commands
from tests.support.waiting import wait_until_async

_CONFIGURE = "POST /api/v1/media/configure"
_CAPTION = "Harbour at dusk"
_LATE_MS = 3500
_SENDING_MS = 1500
_SECONDS = 20.0


@dataclass(frozen=True)
class AgentCase:
    """What is done, and the promise that the bug breaks."""

    scenario: Callable[[AgentTrial], Awaitable[None]]
    invariant: str
    conditions: Conditions = field(default_factory=Conditions)


async def _publish_one(trial: AgentTrial) -> None:
    await trial.publish(_CAPTION, trial.photo(1))


async def _publish_traced(trial: AgentTrial) -> None:
    await _publish_one(trial)
    trace = trace_file(trial.folder)
    await wait_until_async(
        lambda: _CONFIGURE in trace.read_text(), "the request in the trace", seconds=_SECONDS
    )
    trial.witnessed += sent_before_synced(trace.read_text().splitlines(), _CONFIGURE)


async def _acknowledge_all_then_publish(trial: AgentTrial) -> None:
    """Once the outbox is empty, new events must not look like those that were acknowledged."""
    link, photo = trial.link, trial.photo(1)
    await trial.bring(photo)
    for _ in range(2):
        await trial.sign_in()
    await trial.until_caught_up()
    last = link.seqs[-1]
    assert link.cursor is not None
    await link.send(Acknowledge(epoch=link.cursor.epoch, seq=last))
    await trial.missing()  # its answer comes behind the deletion of what is acknowledged
    await trial.until_over(await trial.order(_CAPTION, photo))
    while link.seqs[-1] == last:
        await trial.sign_in()  # what it tells comes behind all that was to be told before
    await trial.until_caught_up()


async def _obey_the_newer_desktop(trial: AgentTrial) -> None:
    await trial.publish("Of the first desktop", trial.photo(1), fence=4)
    await trial.publish("Of the second desktop", trial.photo(2), fence=5)
    await trial.bring(trial.photo(3))
    with contextlib.suppress(StaleFenceError):
        item = await trial.order("Of the first desktop again", trial.photo(3), fence=4)
        await trial.until_heard(item, "done")
    trial.witnessed += stale_commands(trial.commands)


async def _cancel_while_it_is_sent(trial: AgentTrial) -> None:
    trial.fault("delay_ms", delay_ms=_SENDING_MS)
    await trial.bring(trial.photo(1))
    item = await trial.order(_CAPTION, trial.photo(1))
    link = trial.link
    await link.until(
        lambda: [step for step in link.of("action_changed") if step.state == "sending"], "sending"
    )
    await link.control("cancel", item.item_id)
    await trial.until_over(item)
    await link.until(
        lambda: {"done", "cancelled"} & set(link.states(item.item_id)), "the item's end"
    )


async def _make_room_while_a_post_waits(trial: AgentTrial) -> None:
    """A carousel waits for its second file when the agent deletes files that nobody needs."""
    first, second, other = (trial.photo(number) for number in range(1, 4))
    item = await trial.order(_CAPTION, first, second)
    needed = await trial.bring(first)
    unneeded = await trial.bring(other)
    blob = trial.agent.data / "blobs" / unneeded[:2] / unneeded
    await wait_until_async(lambda: not blob.exists(), "room was made", seconds=_SECONDS)
    trial.witnessed += missing_files([needed], await trial.missing(needed))
    if not trial.witnessed:
        await trial.bring(second)
        await trial.until_heard(item, "done")


async def _lose_the_reply(trial: AgentTrial) -> None:
    trial.fault("drop_after_apply")
    await _publish_one(trial)


async def _lose_the_reply_and_list_late(trial: AgentTrial) -> None:
    trial.fault("list_late", delay_ms=_LATE_MS)
    trial.fault("drop_after_apply")
    await _publish_one(trial)


AGENT_CASES: dict[str, AgentCase] = {
    "no_fsync_before_send": AgentCase(_publish_traced, "I1", Conditions(program=TracedAgent)),
    "sequence_reuse": AgentCase(
        _acknowledge_all_then_publish,
        "I3",
        Conditions(acknowledges=False, tweaks={"agent.jobs.outbox:_DELETE_SECONDS": 0.0}),
    ),
    "fence_ignored": AgentCase(_obey_the_newer_desktop, "I5"),
    "cancel_during_sending": AgentCase(_cancel_while_it_is_sent, "I3"),
    "log_gap_hidden": AgentCase(
        _publish_one,
        "I4",
        Conditions(
            tweaks={"agent.jobs.log_spool:ATTEMPT_LIMIT": 200, "agent.jobs.log_spool:TAIL_LINES": 1}
        ),
    ),
    "blob_evicted": AgentCase(
        _make_room_while_a_post_waits,
        "I8",
        Conditions(
            settings={"media_quota_gib": "0.000001"},
            tweaks={
                "agent.jobs.blobs:_FRESH_SECONDS": 0.0,
                "agent.app:_HOUSE_SECONDS": 0.0,
                "agent.app:_LOOK_SECONDS": 0.05,
            },
        ),
    ),
    "retry_without_probe": AgentCase(_lose_the_reply, "I1"),
    "probe_wait_zero": AgentCase(
        _lose_the_reply_and_list_late, "I1", Conditions(part="slow_platform")
    ),
}
