"""Runs and items: stored whole, counted, handed over, retried; what an agent needs for them."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from common.domain.accounts import DriverName
from common.domain.content import MediaKind
from common.domain.states import ActionState, ItemState, RunState
from common.errors import ContentRefusedError, NotFoundError
from desktop_app.contract.media import MediaRow
from desktop_app.store import accounts, intents, items, media, proxies, runs, specs
from desktop_app.store.vault import Vault
from tests.support.stored import (
    PASSWORD,
    SEED,
    add_accounts,
    add_agent,
    add_run,
    upload_items,
)

PHOTO = MediaRow(
    sha256="d" * 64,
    name="dusk.jpg",
    title="Dusk",
    kind=MediaKind.PHOTO,
    size=3_000_000_000,
    width=1080,
    height=1350,
    added_at=1.0,
)


def test_a_run_is_listed_with_its_counts(db: Connection, vault: Vault) -> None:
    agent = add_agent(db, vault)
    ids = add_accounts(db, vault, ["cove", "anchor"])
    run_id, stored = add_run(db, upload_items(ids, agent))
    assert stored.refused == {}
    assert len(stored.touched.moves) == 2
    (row,), total = runs.page(db)
    assert (total, row.id, row.total, row.state) == (1, run_id, 2, RunState.STARTING)
    assert row.counts == {ItemState.QUEUED: 2}
    assert not row.handed_over
    listed, count = items.page(db, run_id)
    assert count == 2
    assert [item.position for item in listed] == [1, 2]
    assert (listed[0].action, listed[0].agent) == (ActionState.PLANNED, "worker")
    assert listed[0].media == ["d" * 64]
    assert items.page(db, run_id, search="user1")[1] == 1
    assert items.page(db, run_id, state=ItemState.DONE)[1] == 0
    assert runs.open_item_counts(db) == {ItemState.QUEUED: 2}
    assert runs.state_counts(db) == {RunState.STARTING: 1}


def test_a_run_is_handed_over_once_every_item_is_accepted(db: Connection, vault: Vault) -> None:
    agent = add_agent(db, vault)
    run_id, _ = add_run(db, upload_items(add_accounts(db, vault, ["cove", "anchor"]), agent))
    first, second = items.ids_to_hand_over(db, agent)
    touched = items.save_accepted(db, {first: 1}, at=2.0)
    assert [move.after for move in touched.moves] == [ItemState.ASSIGNED]
    assert runs.save_handed_over(db, [run_id], 2.0).runs == frozenset()
    assert items.save_accepted(db, {second: 2}, at=2.0).items == frozenset(), "another attempt"
    items.save_accepted(db, {second: 1}, at=3.0)
    assert items.save_accepted(db, {second: 1}, at=4.0).items == frozenset(), "told twice"
    assert runs.save_handed_over(db, [run_id], 3.0).runs == {run_id}
    assert runs.row(db, run_id).handed_over
    assert items.ids_to_hand_over(db, agent) == []


def test_a_run_ends_with_its_last_item(db: Connection, vault: Vault) -> None:
    run_id, _ = add_run(db, upload_items(add_accounts(db, vault, ["cove", "anchor"]), None))
    first, second = (item.id for item in items.of_run(db, run_id))
    items.move(db, [first], ItemState.CANCELLED, at=5.0)
    assert runs.open_ids(db) == [run_id]
    error = ContentRefusedError("No.").to_wire()
    touched = items.move(db, [first, second], ItemState.FAILED, at=6.0, error=error)
    assert touched.items == {second}, "what has ended stays as it is"
    row = runs.row(db, run_id)
    assert (row.ended_at, row.state, row.handed_over) == (6.0, RunState.FAILED, True)
    assert items.row(db, second).error == error
    assert runs.open_ids(db) == []


def test_retry_takes_failed_items_whose_effect_did_not_happen(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor", "bay"])
    run_id, _ = add_run(db, upload_items(ids, add_agent(db, vault)))
    found = items.of_run(db, run_id)
    items.move(db, [item.id for item in found], ItemState.FAILED, at=5.0)
    known = [ActionState.PREPARED, ActionState.IN_DOUBT, ActionState.CONFIRMED]
    for item, state in zip(found, known, strict=True):
        intents.set_state(db, [str(item.intent_id)], state)
    touched = items.retry(db, [item.id for item in found], at=6.0)
    assert touched.items == {found[0].id}
    again = items.records(db, [found[0].id])[found[0].id]
    assert (again.attempt, again.state, again.accepted) == (2, ItemState.QUEUED, False)
    assert again.intent_id == found[0].intent_id
    row = runs.row(db, run_id)
    assert (row.ended_at, row.handed_over) == (None, False)


def test_what_the_operator_wants_is_kept_until_the_agent_answers(
    db: Connection, vault: Vault
) -> None:
    agent = add_agent(db, vault)
    run_id, _ = add_run(db, upload_items(add_accounts(db, vault, ["cove"]), agent))
    (item,) = items.of_run(db, run_id)
    items.want(db, [item.id], "paused")
    assert items.unfinished(db, agent)[0].wanted == "paused"
    assert items.ids_to_hand_over(db, agent) == []
    items.want(db, [item.id], None)
    assert items.ids_to_hand_over(db, agent) == [item.id]


def test_an_item_for_an_agent_is_complete(db: Connection, vault: Vault) -> None:
    agent = add_agent(db, vault)
    proxy = proxies.ensure(db, vault, "socks5://127.0.0.1:1080", "me", SecretStr("proxy-pw"))
    ids = add_accounts(db, vault, ["cove"], proxy_id=proxy)
    accounts.assign(db, dict.fromkeys(ids, agent))
    media.insert(db, [PHOTO])
    run_id, _ = add_run(db, upload_items(ids, agent))
    (item,) = items.of_run(db, run_id)
    (spec,) = specs.item_specs(db, vault, [item.id])
    assert (spec.item_id, spec.run_id, spec.task, spec.fence) == (item.id, run_id, "bulk_upload", 1)
    assert spec.publish is not None
    assert spec.publish.intent_id == item.intent_id
    assert spec.publish.media[0].size == PHOTO.size
    assert set(spec.account.secrets()) == {PASSWORD, SEED, "proxy-pw"}
    assert spec.account.session is None
    assert PASSWORD not in repr(spec)
    assert media.needed(db) == {PHOTO.sha256}


def test_an_item_whose_file_is_gone_is_not_given_out(db: Connection, vault: Vault) -> None:
    run_id, _ = add_run(db, upload_items(add_accounts(db, vault, ["cove"]), None))
    (item,) = items.of_run(db, run_id)
    with pytest.raises(NotFoundError, match="no longer in the library"):
        specs.item_specs(db, vault, [item.id])


def test_access_to_an_account_that_is_gone(db: Connection, vault: Vault) -> None:
    with pytest.raises(NotFoundError):
        specs.account_access(db, vault, "01GONE", DriverName.BROWSER)


def test_the_library_lists_searches_and_removes(db: Connection) -> None:
    reel = PHOTO.model_copy(
        update={"sha256": "e" * 64, "name": "surf.mp4", "kind": MediaKind.VIDEO, "added_at": 2.0}
    )
    media.insert(db, [PHOTO, reel])
    media.insert(db, [PHOTO.model_copy(update={"title": "Another"})])
    rows, total = media.page(db, descending=True)
    assert ([row.name for row in rows], total) == (["surf.mp4", "dusk.jpg"], 2)
    assert rows[1] == PHOTO
    assert media.page(db, search="DUSK")[1] == 2, "by title as well as by name"
    assert media.page(db, kind="video")[1] == 1
    assert media.refs(db, ["e" * 64, "f" * 64]).keys() == {"e" * 64}
    media.remove(db, ["e" * 64])
    assert media.count(db) == 1
