"""Where items go whose agent is gone, and what is said of the risk of leaving one behind."""

from __future__ import annotations

from typing import Any

from common.domain.accounts import DriverName
from common.domain.states import ActionState
from common.protocol.messages import AgentCard, Cursor
from desktop_app.core.placing import agents_for, has_stopped, risk_of
from desktop_app.core.preflight import AgentOption
from desktop_app.store.records import AgentRecord, ItemRecord
from tests.unit.desktop_app.core.test_healing import here
from tests.unit.desktop_app.core.test_post_links import account


def option(agent_id: str, *drivers: DriverName, **changes: Any) -> AgentOption:
    values: dict[str, Any] = {
        "id": agent_id, "name": agent_id, "drivers": frozenset(drivers or DriverName),
        "tasks": frozenset(), "capacity": 1.0, "is_online": True,
    }  # fmt: skip
    return AgentOption(**(values | changes))


def record(hours: float = 0.0) -> AgentRecord:
    card = AgentCard(
        agent_id="g", name="worker-2", boot_id="b", epoch="e", lowest_seq=1, drivers=[], tasks=[],
        browser_slots=0, capacity=1.0, dead_man_hours=hours,
    )  # fmt: skip
    return AgentRecord(
        id="g", name="worker-2", host="h", port=1, certificate="", scope="control", card=card,
        cursor=Cursor(epoch="e", seq=0), paired_at=0.0, last_seen=0.0,
    )  # fmt: skip


def items(*ids: str) -> list[ItemRecord]:
    return [here(item_id) for item_id in ids]


def test_an_account_stays_with_its_agent_and_its_items_stay_together() -> None:
    options = [option("g"), option("h")]
    accounts = {"a": account(agent_id="h")}
    assert agents_for(items("i", "j"), accounts, options) == {"i": "h", "j": "h"}
    homeless = agents_for(items("i", "j"), {"a": account()}, options)
    assert len(set(homeless.values())) == 1


def test_an_agent_that_cannot_do_it_or_drains_gets_nothing() -> None:
    accounts = {"a": account(agent_id="g")}
    options = [option("g", DriverName.BROWSER), option("h", is_draining=True), option("k")]
    assert agents_for(items("i"), accounts, options) == {"i": "k"}
    assert agents_for(items("i"), accounts, options[:2]) == {}
    assert agents_for(items("i"), {}, options) == {}, "the account is gone"


def test_an_agent_has_stopped_only_by_its_own_rule_and_with_a_margin() -> None:
    assert not has_stopped(record(0.0), last_seen=0.0, now=1e9)
    assert not has_stopped(record(2.0), last_seen=0.0, now=7200.0)
    assert has_stopped(record(2.0), last_seen=0.0, now=7260.0)
    assert not has_stopped(record(2.0), last_seen=None, now=1e9)


def test_the_risk_is_said_in_numbers() -> None:
    held = [*items("i", "j"), here("k", action=ActionState.SENDING)]
    risk = risk_of(record(), held, last_seen=1000.0, now=1000.0 + 3 * 3600, advice="Drain it.")
    assert "worker-2 was last seen 3 hours ago" in risk.message
    assert "3 unfinished items, 1 of them in doubt" in risk.message
    assert "twice" in risk.message
    assert risk.advice == "Drain it."
    never = risk_of(record(), items("i"), last_seen=None, now=0.0, advice="")
    assert "has never been seen and has 1 unfinished item." in never.message
