"""Posts in doubt: looked for by the agent first, settled by a person where that proves nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from common.domain.content import Baseline
from common.domain.ids import new_id
from common.errors import ConflictError, StaleFenceError
from common.items import ItemSpec
from common.protocol.messages import AskInventory, ControlItems, Controlled, Inventory, SettleAction
from tests.integration.agent.conftest import AgentStarter
from tests.support.agent_items import a_login, a_publish, an_account
from tests.support.agent_link import DesktopLink, Paired

ASKED = ("reconciling", "unresolved", "done needs_operator")
ABSENT = ("reconciling", "proven_absent", "planned", "prepared", "sending", "confirmed", "done")


def with_doubt(item: ItemSpec, known: Baseline) -> ItemSpec:
    assert item.publish is not None
    publish = item.publish.model_copy(update={"doubt": known})
    return item.model_copy(update={"publish": publish})


def word(item: ItemSpec, verdict: Any, remote_id: str = "", fence: int = 1) -> SettleAction:
    assert item.publish is not None
    return SettleAction(
        id=new_id(),
        item_id=item.item_id,
        action_id=item.publish.intent_id,
        fence=fence,
        verdict=verdict,
        remote_id=remote_id,
        by="Astrid",
    )


def steps_of(desktop: DesktopLink, item: ItemSpec) -> list[str]:
    changes = desktop.of("action_changed")
    return [str(step.state) for step in changes if step.item_id == item.item_id]


async def until_state(desktop: DesktopLink, item: ItemSpec, state: str) -> None:
    await desktop.until(lambda: desktop.states(item.item_id)[-1:] == [state], state)


async def test_what_the_desktop_doubts_is_looked_for_before_anything_is_sent(
    paired: Paired,
) -> None:
    account = an_account()
    doubtful = with_doubt(a_publish(account, doubt=ABSENT), Baseline(post_ids=("p1",)))
    other = a_publish(account, sha256="b" * 64)
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(other.model_copy(update={"not_before": time.time() + 1.0}))
        await desktop.accept(doubtful)
        await until_state(desktop, other, "done")
    assert steps_of(desktop, doubtful) == ["in_doubt", *ABSENT[:-1]]
    order = [step.item_id for step in desktop.of("action_changed")]
    assert order == sorted(order, key=[doubtful.item_id, other.item_id].index)


async def test_an_agent_killed_while_it_sends_looks_first_when_it_starts(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    account = an_account()
    gate = tmp_path / "gate"
    doubtful = a_publish(account, ["prepared", "sending", f"ignore_all {gate}"])
    other = a_publish(account, sha256="b" * 64)
    async with start_agent(stop_seconds=1.0) as agent:
        paired = await agent.paired()
        async with DesktopLink.open(paired) as desktop:
            await desktop.accept(doubtful)
            await desktop.accept(other)
            await desktop.until(lambda: steps_of(desktop, doubtful)[-1:] == ["sending"], "sending")
    async with (
        start_agent() as agent,
        DesktopLink.open(paired.at(agent.agent.port), desktop.cursor) as again,
    ):
        await until_state(again, other, "done")
    assert steps_of(again, doubtful) == ["in_doubt", "reconciling", "confirmed"]
    order = [step.item_id for step in again.of("action_changed")]
    assert order == sorted(order, key=[doubtful.item_id, other.item_id].index)


@pytest.mark.parametrize(
    ("verdict", "remote_id", "ended", "steps"),
    [
        ("there", "r9", "done", ["confirmed"]),
        ("absent", "", "done", ["proven_absent", "planned", "prepared", "sending", "confirmed"]),
        ("look_again", "", "needs_operator", ["in_doubt", "reconciling", "unresolved"]),
    ],
)
async def test_a_person_settles_what_looking_could_not(
    paired: Paired, verdict: str, remote_id: str, ended: str, steps: list[str]
) -> None:
    item = with_doubt(
        a_publish(
            an_account(), ["planned", "prepared", "sending", "confirmed", "done"], doubt=ASKED
        ),
        Baseline(),
    )
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await until_state(desktop, item, "needs_operator")
        before = len(steps_of(desktop, item))
        await desktop.ask(word(item, verdict, remote_id))
        await desktop.until(lambda: len(steps_of(desktop, item)) == before + len(steps), "steps")
        await until_state(desktop, item, ended)
    assert steps_of(desktop, item)[before:] == steps
    assert desktop.of("action_changed")[before].by == "Astrid"


async def test_a_word_on_a_post_at_work_and_of_a_replaced_holder_is_refused(
    paired: Paired, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    item = a_publish(an_account(), ["prepared", f"wait {gate}", "sending", "confirmed", "done"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: steps_of(desktop, item) == ["prepared"], "at work")
        with pytest.raises(ConflictError, match="at work"):
            await desktop.ask(word(item, "there", "r1"))
        with pytest.raises(StaleFenceError):
            await desktop.ask(word(item, "there", "r1", fence=0))
        gate.touch()
        await until_state(desktop, item, "done")


async def test_fences_hold_for_every_verb(paired: Paired) -> None:
    account = an_account()
    item = a_login(account, fence=3).model_copy(update={"not_before": 4e9})
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        for verb in ("pause", "resume", "cancel"):
            stale = ControlItems(
                id=new_id(), verb=verb, item_ids=[item.item_id], fences={item.item_id: 2}
            )
            answer = await desktop.ask(stale)
            assert isinstance(answer, Controlled)
            assert answer.refused[item.item_id].code == "stale_fence"
        newer = ControlItems(
            id=new_id(), verb="pause", item_ids=[item.item_id], fences={item.item_id: 8}
        )
        await desktop.ask(newer)
        inventory = await desktop.ask(AskInventory(id=new_id()))
        assert isinstance(inventory, Inventory)
        assert [row.fence for row in inventory.rows] == [8]
        await desktop.control("cancel", item.item_id)


async def test_a_thousand_refusals_are_all_told(paired: Paired) -> None:
    async with DesktopLink.open(paired) as desktop:
        ids = [new_id() for _ in range(800)]
        answer = await desktop.control("cancel", *ids)
    assert set(answer.refused) == set(ids)
    assert {error.code for error in answer.refused.values()} == {"not_found"}
