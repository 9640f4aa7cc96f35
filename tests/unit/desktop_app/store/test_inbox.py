"""What agents report is applied once, in order, and with its cursor, whatever happens between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, func, select

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState, RunState, SignInState
from common.errors import ChallengeRequiredError, LinkError, NotFoundError, ProxyFailedError
from common.protocol.events import (
    AccountObserved,
    ActionChanged,
    ItemChanged,
    OutboxRow,
    SessionSaved,
)
from common.protocol.messages import Cursor
from desktop_app.store import (
    accounts,
    agents,
    cards,
    generations,
    items,
    ledger,
    meta,
    rehoming,
    runs,
    specs,
)
from desktop_app.store.inbox import Applied, apply_batch
from desktop_app.store.inbox_rules import (
    does_end_free,
    does_intent_step_apply,
    does_item_step_apply,
    is_finished_by_its_post,
    state_to_take,
)
from desktop_app.store.records import ItemRecord
from desktop_app.store.tables import LEDGER_STEP, PUBLISH_INTENT, UNAPPLIED_EVENT
from desktop_app.store.vault import Vault
from tests.support.stored import EPOCH, add_accounts, add_agent, add_run, upload_items, writing

Event = ItemChanged | ActionChanged | SessionSaved | AccountObserved


@dataclass(frozen=True)
class Scene:
    """One agent with one run of two publishing items, all assigned."""

    agent_id: str
    run_id: str
    items: list[ItemRecord]


def make_scene(db: Connection, vault: Vault, name: str = "a") -> Scene:
    agent_id = add_agent(db, vault, name * 52)
    ids = add_accounts(db, vault, [f"{name}_cove", f"{name}_anchor"])
    run_id, _ = add_run(db, upload_items(ids, agent_id))
    found = items.of_run(db, run_id)
    items.save_accepted(db, {item.id: 1 for item in found}, at=1.0)
    return Scene(agent_id, run_id, items.of_run(db, run_id))


def outbox(events: Sequence[Event | dict[str, object]], after: int = 0) -> list[OutboxRow]:
    return [
        OutboxRow(
            seq=seq,
            at=100.0 + seq,
            body=event if isinstance(event, dict) else event.model_dump(mode="json"),
        )
        for seq, event in enumerate(events, start=after + 1)
    ]


def action(item: ItemRecord, state: ActionState, **more: object) -> ActionChanged:
    return ActionChanged(
        action_id=str(item.intent_id),
        item_id=item.id,
        attempt=item.attempt,
        account_id=item.account_id,
        operation="publish",
        state=state,
        driver=DriverName.PRIVATE_API,
        **more,  # type: ignore[arg-type]
    )


def changed(item: ItemRecord, state: ItemState, attempt: int = 1, **more: object) -> ItemChanged:
    return ItemChanged(item_id=item.id, attempt=attempt, state=state, **more)  # type: ignore[arg-type]


def published(item: ItemRecord, remote_id: str) -> list[Event]:
    return [
        changed(item, ItemState.RUNNING, step="Uploading", log_end=40),
        action(item, ActionState.PREPARED, resume={"upload_id": "7"}),
        action(item, ActionState.SENDING),
        action(
            item, ActionState.CONFIRMED, remote_id=remote_id, remote_url=f"http://x/p/{remote_id}"
        ),
        changed(item, ItemState.DONE, result={"remote_id": remote_id}, log_end=90),
    ]


def apply(
    db: Connection, vault: Vault, scene: Scene, events: Sequence[Event | dict[str, object]]
) -> Applied:
    """Apply events behind the stored cursor."""
    cursor = agents.record(db, scene.agent_id).cursor
    rows = outbox(events, cursor.seq)
    return apply_batch(db, vault, scene.agent_id, cursor.epoch, rows)


def reasons(db: Connection) -> list[str]:
    found = db.execute(select(UNAPPLIED_EVENT.c.reason).order_by(UNAPPLIED_EVENT.c.seq))
    return list(found.scalars())


def test_a_published_post_is_seen_everywhere(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    first, second = scene.items
    applied = apply(db, vault, scene, published(first, "31"))
    assert (applied.cursor.epoch, applied.cursor.seq) == (EPOCH, 5)
    assert agents.record(db, scene.agent_id).cursor == applied.cursor
    row = items.row(db, first.id)
    assert (row.state, row.action, row.link) == (
        ItemState.DONE,
        ActionState.CONFIRMED,
        "http://x/p/31",
    )
    assert (row.started_at, row.ended_at, row.result) == (101.0, 105.0, {"remote_id": "31"})
    assert accounts.rows(db, [first.account_id])[0].posts == 1
    entries = ledger.of_item(db, first.id).entries
    assert [entry.state.value for entry in entries] == ["prepared", "sending", "confirmed"]
    assert entries[0].resume == {"upload_id": "7"}
    touched = applied.touched
    assert touched.items == {first.id}
    assert touched.intents == {first.intent_id}
    assert touched.runs == {scene.run_id}
    assert [(growth.item_id, growth.end) for growth in touched.logs] == [(first.id, 90)]
    counts = Counter({ItemState.ASSIGNED: 2})
    for move in touched.moves:
        counts[move.before] -= 1  # type: ignore[index]
        counts[move.after] += 1
    assert +counts == Counter(runs.row(db, scene.run_id).counts)
    apply(db, vault, scene, [changed(second, ItemState.RUNNING), changed(second, ItemState.FAILED)])
    run = runs.row(db, scene.run_id)
    assert (run.state, run.ended_at) == (RunState.FAILED, 107.0)


def test_events_that_come_twice_count_once(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    rows = outbox(published(scene.items[0], "31"))
    apply_batch(db, vault, scene.agent_id, EPOCH, rows[:3])
    apply_batch(db, vault, scene.agent_id, EPOCH, rows)
    again = apply_batch(db, vault, scene.agent_id, EPOCH, rows)
    assert again.touched.items == frozenset()
    assert again.cursor.seq == 5
    assert len(ledger.of_item(db, scene.items[0].id).entries) == 3
    assert accounts.rows(db, [scene.items[0].account_id])[0].posts == 1


def test_gaps_and_other_lives_are_refused_and_change_nothing(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    rows = outbox(published(scene.items[0], "31"))
    for wrong in (rows[1:], [rows[1], rows[0]], [rows[0], rows[2]]):
        with pytest.raises(LinkError):
            apply_batch(db, vault, scene.agent_id, EPOCH, wrong)
    with pytest.raises(LinkError):
        apply_batch(db, vault, scene.agent_id, "another-life", rows)
    with pytest.raises(NotFoundError):
        apply_batch(db, vault, "z" * 52, EPOCH, rows)
    assert agents.record(db, scene.agent_id).cursor.seq == 0
    assert items.row(db, scene.items[0].id).state is ItemState.ASSIGNED


def test_a_stale_attempt_is_kept_and_not_applied(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    apply(db, vault, scene, [changed(item, ItemState.RUNNING), changed(item, ItemState.FAILED)])
    items.retry(db, [item.id], at=200.0)
    apply(db, vault, scene, [changed(item, ItemState.DONE, attempt=1)])
    assert items.row(db, item.id).state is ItemState.QUEUED
    apply(db, vault, scene, [changed(item, ItemState.DONE, attempt=2)])
    apply(db, vault, scene, [changed(item, ItemState.RUNNING, attempt=2)])
    assert items.row(db, item.id).state is ItemState.DONE
    assert reasons(db) == ["stale attempt", "item has ended"]


def test_unknown_events_are_kept_sealed(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    applied = apply(
        db,
        vault,
        scene,
        [
            {"kind": "moon_phase", "phase": "canary-of-the-moon"},
            {"kind": "session_saved", "session": "canary-of-the-moon"},
            changed(scene.items[0], ItemState.RUNNING),
        ],
    )
    assert applied.cursor.seq == 3
    assert items.row(db, scene.items[0].id).state is ItemState.RUNNING
    assert reasons(db) == ["unknown", "unknown"]
    for sealed, seq in db.execute(select(UNAPPLIED_EVENT.c.sealed, UNAPPLIED_EVENT.c.seq)):
        assert b"canary" not in sealed
        place = f"{scene.agent_id}/{EPOCH}/{seq}"
        opened = vault.open("unapplied_event", "sealed", place, sealed)
        assert "canary-of-the-moon" in opened.get_secret_value()


def test_a_zero_character_stops_no_agent(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    running = changed(item, ItemState.RUNNING, step="a\0b", result={"c\0": ["d\0"]})
    apply(db, vault, scene, [running, action(item, ActionState.PREPARED, note="\0")])
    row = items.row(db, item.id)
    assert (row.step, row.result, row.action) == ("ab", {"c": ["d"]}, ActionState.PREPARED)


def test_a_remote_post_settles_one_intent_only(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    account_id = scene.items[0].account_id
    run_id, _ = add_run(db, upload_items([account_id], scene.agent_id, content_key="e" * 64))
    (other,) = items.of_run(db, run_id)
    apply(db, vault, scene, published(scene.items[0], "31"))
    apply(db, vault, scene, published(other, "31"))
    assert items.row(db, other.id).action is ActionState.UNRESOLVED
    assert accounts.rows(db, [account_id])[0].posts == 1
    assert ledger.of_item(db, other.id).entries[-1].state is ActionState.CONFIRMED


def test_the_same_remote_id_twice_within_a_batch(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    run_id, _ = add_run(
        db, upload_items([scene.items[0].account_id], scene.agent_id, content_key="e" * 64)
    )
    (other,) = items.of_run(db, run_id)
    apply(db, vault, scene, [*published(scene.items[0], "31"), *published(other, "31")])
    states = db.execute(
        select(PUBLISH_INTENT.c.state, func.count())
        .where(PUBLISH_INTENT.c.account_id == scene.items[0].account_id)
        .group_by(PUBLISH_INTENT.c.state)
    )
    assert {state: count for state, count in states} == {"confirmed": 1, "unresolved": 1}  # noqa: C416


def test_sessions_are_sealed_and_the_newest_stays(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    account_id = scene.items[0].account_id

    def saved(version: int, text: str) -> SessionSaved:
        return SessionSaved(
            account_id=account_id,
            driver=DriverName.PRIVATE_API,
            version=version,
            session=SecretStr(text),
            user_id="901",
            username="a_cove",
        )

    apply(db, vault, scene, [saved(1, "one"), saved(3, "three"), saved(2, "two")])
    access = specs.account_access(db, vault, account_id, DriverName.PRIVATE_API)
    assert access.session is not None
    assert (access.session.get_secret_value(), access.session_version) == ("three", 3)
    assert access.user_id == "901"
    assert specs.account_access(db, vault, account_id, DriverName.BROWSER).session is None
    assert accounts.records(db, [account_id])[account_id].sessions == {DriverName.PRIVATE_API}
    assert reasons(db) == ["older session"]


def test_a_challenge_holds_an_account_until_it_is_signed_in(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    account_id = scene.items[0].account_id

    def observed(state: SignInState, **more: object) -> AccountObserved:
        return AccountObserved(
            account_id=account_id,
            sign_in=state,
            driver=DriverName.BROWSER,
            **more,  # type: ignore[arg-type]
        )

    error = ChallengeRequiredError("Confirm that it was you.").to_wire()
    touched = apply(db, vault, scene, [observed(SignInState.CHALLENGE, error=error)]).touched
    assert touched.accounts == {account_id}
    (row,) = accounts.rows(db, [account_id])
    assert (row.sign_in, row.error) == (SignInState.CHALLENGE, error)
    assert row.hold is not None
    assert row.hold.error == error
    apply(db, vault, scene, [observed(SignInState.SIGNED_IN, user_id="901")])
    (row,) = accounts.rows(db, [account_id])
    assert (row.sign_in, row.error, row.hold, row.user_id) == (
        SignInState.SIGNED_IN,
        None,
        None,
        "901",
    )
    accounts.hold(db, [account_id], by=accounts.HELD_BY_OPERATOR, reason="mine", at=1.0)
    apply(db, vault, scene, [observed(SignInState.SIGNED_IN)])
    assert accounts.rows(db, [account_id])[0].hold is not None, "only the operator lifts theirs"


def test_an_error_stays_on_the_account_until_something_goes_well(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    error = ProxyFailedError("The proxy does not answer.").to_wire()
    apply(db, vault, scene, [changed(item, ItemState.FAILED, error=error)])
    assert accounts.rows(db, [item.account_id])[0].error == error
    items.retry(db, [item.id], at=200.0)
    apply(db, vault, scene, [changed(item, ItemState.DONE, attempt=2)])
    assert accounts.rows(db, [item.account_id])[0].error is None


def test_events_about_what_is_gone_are_kept(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    accounts.remove(db, [item.account_id])
    apply(
        db,
        vault,
        scene,
        [
            *published(item, "31"),
            AccountObserved(
                account_id=item.account_id,
                sign_in=SignInState.SIGNED_IN,
                driver=DriverName.PRIVATE_API,
            ),
        ],
    )
    assert items.row(db, item.id).action is ActionState.CONFIRMED
    assert reasons(db) == ["account is gone"]


def test_a_lost_history_puts_what_may_have_been_sent_in_doubt(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    first, second = scene.items
    apply(db, vault, scene, [*published(first, "31"), action(second, ActionState.PREPARED)])
    assert meta.get(db, meta.GENERATION) is None
    touched = agents.begin_history(db, scene.agent_id, Cursor(epoch="next-life", seq=4), at=1.0)
    assert touched.intents == {second.intent_id}
    assert items.row(db, first.id).action is ActionState.CONFIRMED
    assert items.row(db, second.id).action is ActionState.IN_DOUBT
    assert meta.get(db, meta.GENERATION) == "1"
    found = apply(db, vault, scene, [action(second, ActionState.SENDING), *published(second, "32")])
    assert (found.cursor.epoch, found.cursor.seq) == ("next-life", 10)
    assert items.row(db, second.id).action is ActionState.CONFIRMED


def test_a_lost_history_doubts_a_retry_of_what_was_absent_before(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    steps = [ActionState.PREPARED, ActionState.SENDING, ActionState.PROVEN_ABSENT]
    failed = changed(item, ItemState.FAILED)
    begun = [changed(item, ItemState.ASSIGNED), changed(item, ItemState.RUNNING)]
    apply(db, vault, scene, [*begun, *(action(item, state) for state in steps), failed])
    items.retry(db, [item.id], at=5.0)
    agents.begin_history(db, scene.agent_id, Cursor(epoch="next-life", seq=4), at=1.0)
    assert items.row(db, item.id).action is ActionState.IN_DOUBT


def test_a_post_that_was_made_counts_although_its_item_was_cancelled_here(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    items.move(db, [item.id], ItemState.CANCELLED, at=2.0)
    apply(db, vault, scene, published(item, "31"))
    row = items.row(db, item.id)
    assert (row.state, row.action) == (ItemState.DONE, ActionState.CONFIRMED)


ENDED = [ItemState.FAILED, ItemState.CANCELLED, ItemState.SKIPPED]


def must_look(db: Connection, item: ItemRecord) -> bool:
    wanted = select(PUBLISH_INTENT.c.must_look).where(PUBLISH_INTENT.c.id == item.intent_id)
    return bool(db.scalar(wanted))


@pytest.mark.parametrize("ended", ENDED)
def test_an_end_that_a_restored_store_hears_of_leaves_no_doubt_behind(
    db: Connection, vault: Vault, ended: ItemState
) -> None:
    """The copy has the post on its way; since then it was proven absent, and the item has ended."""
    scene = make_scene(db, vault)
    item = scene.items[0]
    apply(db, vault, scene, [changed(item, ItemState.RUNNING), action(item, ActionState.SENDING)])
    agents.begin_history(db, scene.agent_id, Cursor(epoch=EPOCH, seq=9), at=1.0)
    assert items.row(db, item.id).action is ActionState.IN_DOUBT
    told: list[Event] = [action(item, ActionState.PROVEN_ABSENT), changed(item, ended)]
    found = apply(db, vault, scene, told)
    row = items.row(db, item.id)
    assert (row.state, row.action) == (ended, ActionState.PLANNED)
    assert must_look(db, item), "whoever publishes it next looks first"
    assert found.touched.intents == {item.intent_id}
    assert cards.count_open(db) == 0
    apply(db, vault, scene, [action(item, ActionState.PREPARED)])
    assert must_look(db, item), "an agent that does not doubt it has not heard of the doubt"


def test_an_item_that_failed_while_another_agent_lost_its_history_can_be_tried_again(
    db: Connection, vault: Vault
) -> None:
    """It failed before anything was sent; the desktop hears of it after it doubts everything."""
    scene, other = make_scene(db, vault), make_scene(db, vault, "b")
    item = scene.items[0]
    apply(db, vault, scene, [changed(item, ItemState.RUNNING), action(item, ActionState.PREPARED)])
    agents.begin_history(db, other.agent_id, Cursor(epoch="new", seq=0), at=1.0)
    assert items.row(db, item.id).action is ActionState.IN_DOUBT
    apply(db, vault, scene, [changed(item, ItemState.FAILED)])
    assert items.row(db, item.id).action is ActionState.PLANNED
    items.retry(db, [item.id], at=2.0)
    row = items.row(db, item.id)
    assert (row.state, row.attempt) == (ItemState.QUEUED, 2)
    assert must_look(db, item), "whoever publishes it looks first"


def test_old_events_of_a_closed_doubt_free_it_for_nobody_who_does_not_look(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    told: list[Event] = [
        action(item, ActionState.SENDING),
        action(item, ActionState.IN_DOUBT),
        action(item, ActionState.UNRESOLVED),
        changed(item, ItemState.CANCELLED),
    ]
    apply(db, vault, scene, told)
    agents.begin_history(db, scene.agent_id, Cursor(epoch=EPOCH, seq=0), at=1.0)
    assert items.row(db, item.id).action is ActionState.UNRESOLVED
    assert must_look(db, item)
    again = [action(item, ActionState.IN_DOUBT), action(item, ActionState.RECONCILING)]
    apply(db, vault, scene, [*again, action(item, ActionState.PROVEN_ABSENT)])
    assert items.row(db, item.id).action is ActionState.PROVEN_ABSENT
    assert must_look(db, item)


def test_after_a_lost_history_logs_are_asked_for_beyond_what_was_told(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    open_item, ended = scene.items
    apply(db, vault, scene, [changed(open_item, ItemState.RUNNING), *published(ended, "31")])
    agents.begin_history(db, scene.agent_id, Cursor(epoch="new", seq=0), at=1.0)
    found = items.with_logs(db, scene.agent_id, 0.0)
    assert {item.id: item.log_end for item in found} == {open_item.id: 1, ended.id: 90}


def test_the_doubt_of_a_later_item_stays_when_the_one_before_ends(
    db: Connection, vault: Vault
) -> None:
    scene = make_scene(db, vault)
    item = scene.items[0]
    apply(db, vault, scene, [changed(item, ItemState.FAILED)])
    run_id, _ = add_run(db, upload_items([item.account_id], scene.agent_id))
    (later,) = items.of_run(db, run_id)
    assert later.intent_id == item.intent_id
    apply(
        db, vault, scene, [action(later, ActionState.SENDING), changed(item, ended := ENDED[1], 2)]
    )
    assert items.row(db, item.id).state is ended
    assert items.row(db, later.id).action is ActionState.SENDING
    apply(db, vault, scene, [action(later, ActionState.CONFIRMED, remote_id="31")])
    apply(db, vault, scene, [changed(item, ended, 3)])
    assert items.row(db, item.id).state is ended, "the post is the later one's"


@pytest.mark.parametrize("ended", ENDED)
def test_an_item_whose_post_exists_is_done_however_it_ended(
    db: Connection, vault: Vault, ended: ItemState
) -> None:
    scene = make_scene(db, vault)
    before, after = scene.items
    error = ProxyFailedError("The proxy does not answer.").to_wire()
    confirmed = action(before, ActionState.CONFIRMED, remote_id="31")
    apply(db, vault, scene, [confirmed, changed(before, ended, error=error)])
    items.move(db, [after.id], ended, at=2.0)
    late = action(after, ActionState.CONFIRMED, remote_id="32")
    found = apply(db, vault, scene, [late])
    assert ItemState.DONE in {move.after for move in found.touched.moves}
    for item in scene.items:
        row = items.row(db, item.id)
        assert (row.state, row.action, row.error) == (ItemState.DONE, ActionState.CONFIRMED, None)
    assert runs.row(db, scene.run_id).state is RunState.DONE


def test_an_agent_moves_no_item_of_another(db: Connection, vault: Vault) -> None:
    scene, stranger = make_scene(db, vault), make_scene(db, vault, "b")
    item, own = scene.items[0], stranger.items[0]
    under_its_own = action(own, ActionState.CONFIRMED, remote_id="32").model_copy(
        update={"action_id": item.intent_id}
    )
    told: list[Event] = [
        *published(item, "31"),
        under_its_own,
        action(item, ActionState.CONFIRMED, remote_id="33").model_copy(update={"attempt": 9}),
        action(item, ActionState.CONFIRMED, remote_id="34").model_copy(update={"item_id": "gone"}),
    ]
    found = apply(db, vault, stranger, told)
    assert found.cursor.seq == len(told)
    row = items.row(db, item.id)
    assert (row.state, row.action) == (ItemState.ASSIGNED, ActionState.PLANNED)
    assert items.row(db, own.id).action is ActionState.PLANNED
    assert found.refused == len(told)
    assert set(reasons(db)) == {
        "from an agent that does not have it",
        "from an agent that never had it",
    }
    assert not ledger.of_item(db, item.id).entries, "a stranger's word is no step of it"
    apply(db, vault, scene, published(item, "31"))
    assert items.row(db, item.id).state is ItemState.DONE


def test_of_an_item_that_has_moved_only_those_who_had_it_are_heard(
    db: Connection, vault: Vault
) -> None:
    first, second, third = (make_scene(db, vault, name) for name in "abd")
    item = first.items[0]
    lost = ProxyFailedError("Left behind.").to_wire()
    for scene in (second, third):
        now = items.records(db, [item.id])[item.id]
        rehoming.rehome(db, [now], {item.id: scene.agent_id}, at=5.0, error=lost)
    assert items.records(db, [item.id])[item.id].attempt == 3
    late = action(item, ActionState.CONFIRMED, remote_id="31")
    assert apply(db, vault, second, [late]).refused == 1, "it was never asked to take it"
    assert items.row(db, item.id).action is ActionState.IN_DOUBT
    assert apply(db, vault, first, [late]).refused == 0
    assert items.row(db, item.id).action is ActionState.CONFIRMED


def test_a_failed_item_that_is_tried_again_elsewhere_may_still_have_been_published(
    db: Connection, vault: Vault
) -> None:
    first, second = make_scene(db, vault), make_scene(db, vault, "b")
    item = first.items[0]
    apply(db, vault, first, [changed(item, ItemState.FAILED)])
    items.retry(db, [item.id], at=5.0, agent_of={item.id: second.agent_id})
    assert items.records(db, [item.id])[item.id].agent_id == second.agent_id
    late = action(item, ActionState.CONFIRMED, remote_id="31")
    assert apply(db, vault, first, [late]).refused == 0
    assert items.row(db, item.id).action is ActionState.CONFIRMED


def session(account_id: str, version: int, text: str) -> SessionSaved:
    return SessionSaved(
        account_id=account_id,
        driver=DriverName.PRIVATE_API,
        version=version,
        session=SecretStr(text),
        user_id="901",
        username="a_cove",
    )


def test_an_agent_that_an_account_has_left_changes_nothing_of_it(
    db: Connection, vault: Vault
) -> None:
    former, present, stranger = (make_scene(db, vault, name) for name in "abd")
    account_id = former.items[0].account_id
    accounts.assign(db, {account_id: present.agent_id})
    lost = ProxyFailedError("Left behind.").to_wire()
    left = {former.items[0].id: present.agent_id}
    rehoming.rehome(db, former.items[:1], left, at=5.0, error=lost)
    signed_in = AccountObserved(
        account_id=account_id, sign_in=SignInState.SIGNED_IN, driver=DriverName.PRIVATE_API
    )
    accounts.hold(db, [account_id], by=accounts.HELD_BY_PLATFORM, reason="asked", at=1.0)
    apply(db, vault, present, [session(account_id, 3, "present-session")])
    for scene in (former, stranger):
        assert apply(db, vault, scene, [session(account_id, 9, "stale"), signed_in]).refused == 2
    access = specs.account_access(db, vault, account_id, DriverName.PRIVATE_API)
    assert access.session is not None
    assert (access.session.get_secret_value(), access.session_version) == ("present-session", 3)
    assert accounts.rows(db, [account_id])[0].hold is not None, "only its own agent lifts it"
    assert set(reasons(db)) == {"from an agent that does not have it"}
    apply(db, vault, present, [signed_in])
    assert accounts.rows(db, [account_id])[0].hold is None


def test_an_agent_that_is_still_at_work_for_an_account_speaks_for_it(
    db: Connection, vault: Vault
) -> None:
    busy, other = make_scene(db, vault), make_scene(db, vault, "b")
    account_id = busy.items[0].account_id
    accounts.assign(db, {account_id: other.agent_id})
    assert apply(db, vault, busy, [session(account_id, 2, "newest")]).refused == 0
    apply(db, vault, busy, [changed(busy.items[0], ItemState.FAILED)])
    assert apply(db, vault, busy, [session(account_id, 3, "late")]).refused == 1


def test_a_late_confirmation_counts_although_the_item_has_moved(
    db: Connection, vault: Vault
) -> None:
    first, second = make_scene(db, vault), make_scene(db, vault, "b")
    item = first.items[0]
    begun: list[Event] = [
        changed(item, ItemState.RUNNING),
        action(item, ActionState.SENDING),
    ]
    apply(db, vault, first, begun)
    now = items.records(db, [item.id])[item.id]
    lost = ProxyFailedError("Left behind.").to_wire()
    rehoming.rehome(db, [now], {item.id: second.agent_id}, at=5.0, error=lost)
    apply(db, vault, first, [action(item, ActionState.RECONCILING)])
    assert items.row(db, item.id).action is ActionState.IN_DOUBT
    late: list[Event] = [
        action(item, ActionState.CONFIRMED, remote_id="31"),
        changed(item, ItemState.DONE),
    ]
    apply(db, vault, first, late)
    row = items.row(db, item.id)
    assert (row.state, row.action) == (ItemState.QUEUED, ActionState.CONFIRMED)


def test_a_confirmation_that_a_lost_history_may_have_forgotten_counts(
    db: Connection, vault: Vault
) -> None:
    scene, other = make_scene(db, vault), make_scene(db, vault, "b")
    item = scene.items[0]
    apply(db, vault, other, [action(item, ActionState.CONFIRMED, remote_id="30")])
    assert items.row(db, item.id).action is ActionState.PLANNED, "nothing was forgotten"
    generations.begin(db, at=1.0)
    late = action(item, ActionState.CONFIRMED, remote_id="31").model_copy(update={"attempt": 2})
    apply(db, vault, other, [late])
    assert items.row(db, item.id).action is ActionState.CONFIRMED


# --- Any order of batches, crashes and repeats ends in the same state --------------------------

_CASE = st.tuples(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 1), st.sampled_from(ItemState), st.integers(1, 2)),
            st.tuples(st.integers(0, 1), st.sampled_from(ActionState), st.just(0)),
        ),
        min_size=1,
        max_size=14,
    ),
    st.lists(
        st.tuples(st.integers(0, 14), st.integers(0, 14), st.booleans()), min_size=1, max_size=8
    ),
)


@dataclass
class Expected:
    """The rules, folded over the events by hand."""

    states: list[tuple[ItemState, int]]
    intents: list[ActionState]
    steps: int = 0

    def take(self, event: tuple[int, ItemState | ActionState, int]) -> None:
        which, state, attempt = event
        if isinstance(state, ActionState):
            self.steps += 1
            now, number = self.states[which]
            is_heard = number <= 1 or state is ActionState.CONFIRMED  # it is told of attempt 1
            if is_heard and does_intent_step_apply(self.intents[which], state):
                self.intents[which] = state
                if state is ActionState.CONFIRMED and is_finished_by_its_post(now):
                    self.states[which] = (ItemState.DONE, number)
        elif does_item_step_apply(*self.states[which], state, attempt):
            self.states[which] = (state_to_take(state, self.intents[which]), attempt)
            if does_end_free(self.states[which][0], self.intents[which]):
                self.intents[which] = ActionState.PLANNED


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=_CASE)
def test_repeats_and_crashes_change_nothing(
    engine: Engine,
    vault: Vault,
    case: tuple[list[tuple[int, ItemState | ActionState, int]], list[tuple[int, int, bool]]],
) -> None:
    drawn, deliveries = case
    with writing(engine) as db:
        scene = make_scene(
            db, vault, f"n{db.scalar(select(func.count()).select_from(PUBLISH_INTENT))}_"
        )
        before = db.scalar(select(func.count()).select_from(LEDGER_STEP)) or 0
    expected = Expected([(ItemState.ASSIGNED, 1)] * 2, [ActionState.PLANNED] * 2)
    events: list[Event] = []
    for which, state, attempt in drawn:
        expected.take((which, state, attempt))
        item = scene.items[which]
        events.append(
            action(item, state, remote_id=f"9{which}" if state is ActionState.CONFIRMED else "")
            if isinstance(state, ActionState)
            else changed(item, state, attempt)
        )
    rows = outbox(events)
    at = 0
    for start, length, crashes in [*deliveries, (0, len(rows), False)]:
        batch = rows[start : start + length]
        with writing(engine) as db:
            if batch and batch[0].seq > at + 1:
                with pytest.raises(LinkError):
                    apply_batch(db, vault, scene.agent_id, EPOCH, batch)
                continue
            cursor = apply_batch(db, vault, scene.agent_id, EPOCH, batch).cursor
            if crashes:
                db.rollback()
            else:
                at = cursor.seq
    with writing(engine) as db:
        found = items.of_run(db, scene.run_id)
        posts = [row.posts for row in accounts.rows(db, [item.account_id for item in found])]
        after = db.scalar(select(func.count()).select_from(LEDGER_STEP)) or 0
        cursor = agents.record(db, scene.agent_id).cursor
    assert [(item.state, item.attempt) for item in found] == expected.states
    assert [item.action for item in found] == expected.intents
    assert sum(posts) == expected.intents.count(ActionState.CONFIRMED)
    assert after - before == expected.steps
    assert cursor.seq == len(rows)
