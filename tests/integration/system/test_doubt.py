"""Answers that leave open whether a post is there, and answers that do not."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.states import ActionState, ItemState
from desktop_app.contract.runs import ControlRun
from tests.support.system import CONFIGURE, Member, System, states_of


@pytest.mark.parametrize(
    ("name", "fault", "applied"),
    [
        ("cut_after", {"kind": "drop_after_apply"}, 1),
        ("cut_before", {"kind": "drop_before_apply"}, 0),
        ("broken", {"kind": "refuse_status", "status": 500}, 0),
        ("busy", {"kind": "refuse_status", "status": 429}, 0),
    ],
)
async def test_doubtful_post_waits_for_the_operator_and_is_never_sent_again(
    shared: System, name: str, fault: dict[str, Any], applied: int
) -> None:
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username=name)])
        await shared.sign_in(client, [name])
        shared.practice.fault(route=CONFIGURE, account=name, **fault)
        run_id = await shared.upload(client, [name], photos := await shared.photos(client, 1))
        items = await shared.until_at_rest(client, run_id)

        assert states_of(items) == {ItemState.NEEDS_OPERATOR: 1}
        assert items[0].action is ActionState.IN_DOUBT
        assert items[0].error
        assert name in items[0].error.message
        assert items[0].error.advice

        retried = await shared.control(client, run_id, "retry")
        assert retried.ids == []
        named = await client.control_run(run_id, ControlRun(verb="retry", item_ids=[items[0].id]))
        assert named.refused.keys() == {items[0].id}
        cancelled = await shared.control(client, run_id, "cancel")
        assert cancelled.ids == []
        # Nor does the same media get a second chance in another run.
        again = await shared.judge(
            client, "bulk_upload", [name], posts=[{"media": photos}], distribution="same_to_all"
        )
        assert again.run_id is None
        assert any("doubt" in problem.message for problem in again.preflight.problems)
        assert shared.published_once(name) == applied
