"""What an agent holds is believed where this store lost its history, one item at a time."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import Connection, delete

from common.domain.states import ActionState, ItemState
from common.protocol.messages import InventoryRow
from desktop_app.store import adopting, cards, intents, items
from desktop_app.store.records import ItemRecord
from desktop_app.store.tables import PUBLISH_INTENT
from desktop_app.store.vault import Vault
from tests.support.stored import add_accounts, add_agent, add_run, upload_items

AGENT = "a" * 52


@pytest.fixture
def held(db: Connection, vault: Vault) -> list[ItemRecord]:
    """Three posts that an agent has accepted."""
    add_agent(db, vault, AGENT)
    ids = add_accounts(db, vault, ["cove", "quay", "pier"])
    run_id, _ = add_run(db, upload_items(ids, AGENT))
    items.save_accepted(db, {item.id: 1 for item in items.of_run(db, run_id)}, at=1.0)
    return items.of_run(db, run_id)


def row(item: ItemRecord, action: ActionState, remote_id: str = "") -> InventoryRow:
    return InventoryRow(
        item_id=item.id,
        run_id=item.run_id,
        account_id=item.account_id,
        attempt=1,
        state=ItemState.RUNNING,
        fence=1,
        action_id=str(item.intent_id),
        action=action,
        remote_id=remote_id,
        remote_url=f"http://x/p/{remote_id}/" if remote_id else "",
    )


def adopt(db: Connection, rows: list[InventoryRow]) -> None:
    adopting.adopt(db, AGENT, rows, seq=0, at=5.0)


def test_a_post_that_is_another_items_here_is_a_persons(
    db: Connection, held: list[ItemRecord]
) -> None:
    first, second, third = held
    confirmed = ActionState.CONFIRMED
    intents.confirm(db, intents.record(db, str(first.intent_id)), "31_9", "http://x/p/31/")
    adopt(db, [row(second, confirmed, "31_9"), row(third, confirmed, "33_9")])
    found = items.records(db, [item.id for item in held])
    assert found[second.id].action is ActionState.UNRESOLVED
    assert (found[third.id].state, found[third.id].action) == (ItemState.RUNNING, confirmed)
    (card,), _ = cards.page(db, resolved=False)
    assert card.item_id == second.id
    assert "@user0" in card.theirs.note, "it names whose post that is"
    assert card.acts


def test_what_cannot_be_taken_over_keeps_nothing_else_back(
    db: Connection, held: list[ItemRecord], caplog: pytest.LogCaptureFixture
) -> None:
    first, second, _ = held
    db.execute(delete(PUBLISH_INTENT).where(PUBLISH_INTENT.c.id == first.intent_id))
    with caplog.at_level(logging.ERROR, "desktop_app.store.adopting"):
        adopt(db, [row(first, ActionState.SENDING), row(second, ActionState.SENDING)])
    found = items.records(db, [first.id, second.id])
    assert found[first.id].state is ItemState.ASSIGNED, "nothing of it is kept"
    assert (found[second.id].state, found[second.id].action) == (
        ItemState.RUNNING,
        ActionState.SENDING,
    )
    (message,) = [record.getMessage() for record in caplog.records]
    assert all(name in message for name in (AGENT, first.id, "@user0", "Cancel the item"))


def test_an_item_that_is_gone_keeps_nothing_else_back(
    db: Connection, held: list[ItemRecord]
) -> None:
    gone = row(held[0], ActionState.SENDING).model_copy(update={"item_id": "gone"})
    adopt(db, [gone, row(held[1], ActionState.SENDING)])
    assert items.records(db, [held[1].id])[held[1].id].action is ActionState.SENDING


def test_a_confirmation_settles_the_card_that_asked(db: Connection, held: list[ItemRecord]) -> None:
    item = held[0]
    adopt(db, [row(item, ActionState.UNRESOLVED)])
    assert cards.count_open(db) == 1
    adopt(db, [row(item, ActionState.CONFIRMED, "31_9")])
    (card,), _ = cards.page(db, resolved=True)
    assert card.resolution == "It is there: the agent published it."
    assert cards.count_open(db) == 0
