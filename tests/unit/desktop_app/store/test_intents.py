"""The same media goes to the same account once, whatever runs are started."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, func, select

from common.domain.states import ActionState, ItemState
from desktop_app.store import intents, items, runs
from desktop_app.store.tables import PUBLISH_INTENT
from desktop_app.store.vault import Vault
from tests.support.stored import add_accounts, add_run, upload_items, writing


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(PUBLISH_INTENT)) or 0


def claims_for(ids: list[str]) -> list[intents.IntentClaim]:
    return [item.claim for item in upload_items(ids, None) if item.claim]


def test_a_second_run_while_the_first_is_on_its_way_is_refused_by_its_name(
    db: Connection, vault: Vault
) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"])
    add_run(db, upload_items(ids[:1], None), name="Morning")
    run_id, stored = add_run(db, upload_items(ids, None), name="Noon")
    ((item_id, refusal),) = stored.refused.items()
    assert "“Morning”" in refusal.message
    assert "on its way" in refusal.message
    skipped = items.row(db, item_id)
    assert (skipped.state, skipped.action) == (ItemState.SKIPPED, None)
    assert skipped.error is not None
    assert skipped.error.code == "duplicate_intent"
    assert runs.row(db, run_id).counts == {ItemState.QUEUED: 1, ItemState.SKIPPED: 1}
    assert count(db) == 2


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ActionState.CONFIRMED, "already published"),
        (ActionState.SENDING, "in doubt"),
        (ActionState.IN_DOUBT, "in doubt"),
        (ActionState.RECONCILING, "in doubt"),
        (ActionState.UNRESOLVED, "in doubt"),
    ],
)
def test_what_happened_or_may_have_happened_is_never_repeated(
    db: Connection, vault: Vault, state: ActionState, words: str
) -> None:
    ids = add_accounts(db, vault, ["cove"])
    run_id, _ = add_run(db, upload_items(ids, None))
    (item,) = items.of_run(db, run_id)
    items.move(db, [item.id], ItemState.FAILED, at=2.0)
    intents.set_state(db, [str(item.intent_id)], state)
    again = claims_for(ids)
    (refusal,) = intents.find_duplicates(db, again).values()
    assert words in refusal.message
    assert intents.claim(db, again, at=3.0)[again[0].item_id].to_wire() == refusal.to_wire()  # type: ignore[union-attr]
    assert intents.states(db, [str(item.intent_id)]) == {str(item.intent_id): state}


@pytest.mark.parametrize(
    "state", [ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT]
)
def test_what_certainly_did_not_happen_goes_over_to_the_new_item(
    db: Connection, vault: Vault, state: ActionState
) -> None:
    ids = add_accounts(db, vault, ["cove"])
    first, _ = add_run(db, upload_items(ids, None))
    (old,) = items.of_run(db, first)
    items.move(db, [old.id], ItemState.FAILED, at=2.0)
    intents.set_state(db, [str(old.intent_id)], state)
    second, stored = add_run(db, upload_items(ids, None))
    assert stored.refused == {}
    (new,) = items.of_run(db, second)
    assert (new.intent_id, new.action) == (old.intent_id, state)
    assert items.records(db, [old.id])[old.id].action is None, "the old item no longer holds it"
    assert items.retry(db, [old.id], at=3.0).items == frozenset()
    assert count(db) == 1


def test_the_same_post_twice_in_one_run_is_refused_once(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove"])
    _, stored = add_run(db, upload_items(ids * 2, None))
    assert len(stored.refused) == 1
    assert count(db) == 1


def test_another_repeat_is_another_post(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove"])
    add_run(db, upload_items(ids, None, content_key="1" * 64))
    _, stored = add_run(db, upload_items(ids, None, content_key="2" * 64))
    assert stored.refused == {}
    assert count(db) == 2


def test_a_run_that_is_not_committed_leaves_no_intent(engine: Engine, vault: Vault) -> None:
    with writing(engine) as connection:
        ids = add_accounts(connection, vault, ["cove"])
    with writing(engine) as connection:
        add_run(connection, upload_items(ids, None))
        connection.rollback()
    with engine.connect() as connection:
        assert count(connection) == 0
