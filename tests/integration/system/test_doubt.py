"""Answers that leave open whether a post is there: each is settled by looking, and posted once."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.states import ActionState, ItemState
from desktop_app.contract.runs import ControlRun
from tests.support.system import CONFIGURE, Member, System, states_of

_A = ActionState


@pytest.mark.parametrize(
    ("name", "fault", "was_there"),
    [
        ("cut_after", {"kind": "drop_after_apply"}, True),
        ("error_after", {"kind": "status_after_apply", "status": 502}, True),
        ("late_after", {"kind": "apply_late", "delay_ms": 300}, True),
        ("cut_before", {"kind": "drop_before_apply"}, False),
        ("broken", {"kind": "refuse_status", "status": 500}, False),
        ("busy", {"kind": "refuse_status", "status": 429}, False),
    ],
)
async def test_doubtful_post_is_looked_for_and_there_once(
    shared: System, name: str, fault: dict[str, Any], was_there: bool
) -> None:
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username=name)])
        await shared.sign_in(client, [name])
        shared.practice.fault(route=CONFIGURE, account=name, **fault)
        run_id = await shared.upload(client, [name], photos := await shared.photos(client, 1))
        items = await shared.until_at_rest(client, run_id)

        assert states_of(items) == {ItemState.DONE: 1}
        assert items[0].link
        assert shared.published_once(name) == 1
        ledger = await client.item_ledger(items[0].id)
        steps = [entry.state for entry in ledger.entries]
        settled_by = _A.CONFIRMED if was_there else _A.PROVEN_ABSENT
        assert steps[steps.index(_A.SENDING) :][:4] == [
            _A.SENDING,
            _A.IN_DOUBT,
            _A.RECONCILING,
            settled_by,
        ]
        assert steps.count(_A.SENDING) == (1 if was_there else 2)
        assert all(entry.note for entry in ledger.entries if entry.state is settled_by)

        named = await client.control_run(run_id, ControlRun(verb="retry", item_ids=[items[0].id]))
        assert named.refused.keys() == {items[0].id}
        # Nor does the same media get a second chance in another run.
        again = await shared.judge(
            client, "bulk_upload", [name], posts=[{"media": photos}], distribution="same_to_all"
        )
        assert again.run_id is None
        assert shared.published_once(name) == 1
