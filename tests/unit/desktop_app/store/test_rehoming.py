"""What becomes of items whose agent is gone: nothing twice, nothing lost."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select, update

from common.domain.states import ActionState, ItemState
from common.errors import LinkError
from desktop_app.store import accounts as account_rows
from desktop_app.store import cards, generations, intents, items, meta, moving, rehoming
from desktop_app.store.records import ItemRecord
from desktop_app.store.tables import ITEM, PUBLISH_INTENT
from desktop_app.store.vault import Vault
from tests.support.stored import add_accounts, add_agent, add_run, upload_items

OLD, NEW = "a" * 52, "b" * 52
GONE = LinkError("The agent is gone.").to_wire()


def make_item(
    db: Connection, vault: Vault, state: ItemState, action: ActionState, *, away: bool = True
) -> ItemRecord:
    add_agent(db, vault, OLD)
    (account,) = add_accounts(db, vault, ["cove"])
    account_rows.assign(db, {account: OLD})
    run_id, _ = add_run(db, upload_items([account], OLD))
    (item,) = items.of_run(db, run_id)
    values = {"state": state.value, "accepted_at": 2.0 if away else None}
    db.execute(update(ITEM).where(ITEM.c.id == item.id).values(values))
    intents.set_state(db, [str(item.intent_id)], action)
    return items.records(db, [item.id])[item.id]


def rehome(db: Connection, item: ItemRecord, agent_id: str | None) -> ItemRecord:
    agent_of = {item.id: agent_id} if agent_id else {}
    rehoming.rehome(db, [item], agent_of, at=9.0, error=GONE)
    return items.records(db, [item.id])[item.id]


def must_look(db: Connection, item: ItemRecord) -> bool:
    wanted = select(PUBLISH_INTENT.c.must_look).where(PUBLISH_INTENT.c.id == item.intent_id)
    return bool(db.scalar(wanted))


@pytest.mark.parametrize(
    "action",
    [
        state
        for state in ActionState
        if state not in {ActionState.CONFIRMED, ActionState.UNRESOLVED}
    ],
)
def test_whatever_was_away_is_looked_for_by_the_next_agent(
    db: Connection, vault: Vault, action: ActionState
) -> None:
    after = rehome(db, make_item(db, vault, ItemState.RUNNING, action), NEW)
    assert (after.state, after.action) == (ItemState.QUEUED, ActionState.IN_DOUBT)
    assert (after.agent_id, after.attempt, after.is_away) == (NEW, 2, False)
    assert must_look(db, after)


def test_the_same_agent_gets_the_same_attempt(db: Connection, vault: Vault) -> None:
    after = rehome(db, make_item(db, vault, ItemState.RUNNING, ActionState.SENDING), OLD)
    assert (after.attempt, after.state) == (1, ItemState.QUEUED)


def test_what_is_published_is_done(db: Connection, vault: Vault) -> None:
    after = rehome(db, make_item(db, vault, ItemState.RUNNING, ActionState.CONFIRMED), NEW)
    assert after.state is ItemState.DONE


def test_a_person_who_is_asked_stays_asked(db: Connection, vault: Vault) -> None:
    item = make_item(db, vault, ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    after = rehome(db, item, NEW)
    assert (after.state, after.action) == (ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    assert not after.is_away


def test_where_nobody_can_look_a_person_is_asked(db: Connection, vault: Vault) -> None:
    after = rehome(db, make_item(db, vault, ItemState.RUNNING, ActionState.PLANNED), None)
    assert (after.state, after.action) == (ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    (card,), _ = cards.page(db, resolved=False)
    assert card.item_id == after.id


def test_paused_items_stay_paused_and_doubtful(db: Connection, vault: Vault) -> None:
    after = rehome(db, make_item(db, vault, ItemState.PAUSED, ActionState.PLANNED), NEW)
    assert (after.state, after.agent_id) == (ItemState.PAUSED, NEW)
    assert must_look(db, after)


def test_a_cancel_that_was_not_heard_is_granted_and_the_next_claim_looks(
    db: Connection, vault: Vault
) -> None:
    item = make_item(db, vault, ItemState.ASSIGNED, ActionState.PLANNED)
    items.want(db, [item.id], "cancelled")
    after = rehome(db, items.records(db, [item.id])[item.id], NEW)
    assert after.state is ItemState.CANCELLED
    assert must_look(db, after)
    _, stored = add_run(db, upload_items([item.account_id], NEW))
    assert not stored.refused
    assert must_look(db, item), "also for the item that has the key now"


def test_what_was_never_offered_just_goes_to_the_next_agent(db: Connection, vault: Vault) -> None:
    item = make_item(db, vault, ItemState.QUEUED, ActionState.PLANNED, away=False)
    after = rehome(db, item, NEW)
    assert (after.state, after.agent_id, after.attempt) == (ItemState.QUEUED, NEW, 1)
    assert not must_look(db, after)


def test_what_was_never_offered_and_has_no_agent_fails(db: Connection, vault: Vault) -> None:
    item = make_item(db, vault, ItemState.QUEUED, ActionState.PLANNED, away=False)
    after = rehome(db, item, None)
    assert (after.state, after.action) == (ItemState.FAILED, ActionState.PLANNED)


def test_a_doubt_that_waits_and_has_no_agent_any_more_is_left_to_a_person(
    db: Connection, vault: Vault
) -> None:
    item = make_item(db, vault, ItemState.QUEUED, ActionState.IN_DOUBT, away=False)
    after = rehome(db, item, None)
    assert (after.state, after.action) == (ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    assert cards.count_open(db) == 1


@pytest.mark.parametrize("away", [True, False])
def test_what_an_agent_at_work_may_be_sending_is_looked_for_when_that_is_over(
    db: Connection, vault: Vault, away: bool
) -> None:
    item = make_item(db, vault, ItemState.RUNNING, ActionState.SENDING, away=away)
    rehome(db, item, NEW)
    rehoming.wait_out(db, [item], at=50.0)
    due = db.scalar(select(ITEM.c.not_before).where(ITEM.c.id == item.id))
    assert due == (52.0 if away else None)
    rehoming.wait_out(db, [item], at=40.0)
    assert db.scalar(select(ITEM.c.not_before).where(ITEM.c.id == item.id)) == due


def test_an_account_moves_on_when_its_agent_has_nothing_of_it(db: Connection, vault: Vault) -> None:
    item = make_item(db, vault, ItemState.RUNNING, ActionState.SENDING)
    add_agent(db, vault, NEW)
    later, _ = add_run(db, upload_items([item.account_id], OLD, content_key="e" * 64))
    account_rows.set_moving(db, [item.account_id], NEW)
    assert moving.agents_left(db) == {OLD}
    fence = account_rows.fences(db, [item.account_id])[item.account_id]

    assert not moving.move_on(db, OLD, at=5.0).accounts
    items.move(db, [item.id], ItemState.DONE, at=6.0)
    assert moving.move_on(db, OLD, at=7.0).accounts == {item.account_id}

    (waiting,) = items.of_run(db, later)
    assert (waiting.agent_id, waiting.state) == (NEW, ItemState.QUEUED)
    assert account_rows.fences(db, [item.account_id])[item.account_id] == fence + 1
    assert moving.agents_left(db) == frozenset()


def test_a_new_generation_doubts_what_is_not_settled(db: Connection, vault: Vault) -> None:
    sending = make_item(db, vault, ItemState.RUNNING, ActionState.SENDING)
    ids = add_accounts(db, vault, ["quay", "pier", "bay"])
    run_id, _ = add_run(db, upload_items(ids, OLD))
    done, asked, failed = items.of_run(db, run_id)
    intents.set_state(db, [str(done.intent_id)], ActionState.CONFIRMED)
    intents.set_state(db, [str(asked.intent_id)], ActionState.UNRESOLVED)
    items.move(db, [failed.id], ItemState.FAILED, at=2.0)
    before = generations.current(db)

    touched = generations.begin(db, at=600.0)

    assert generations.current(db) == int(meta.get(db, meta.GENERATION) or 0) == before + 1
    assert touched.intents == {sending.intent_id}
    found = items.records(db, [sending.id, done.id, asked.id, failed.id])
    assert [found[item.id].action for item in (sending, done, asked, failed)] == [
        ActionState.IN_DOUBT,
        ActionState.CONFIRMED,
        ActionState.UNRESOLVED,
        ActionState.PLANNED,
    ]
    assert must_look(db, failed), "the key is free, and whoever takes it looks first"
    assert not must_look(db, done)
    assert generations.not_heard(db) == ["worker"]
    generations.note_heard(db, OLD, before + 1)
    assert generations.not_heard(db) == []
