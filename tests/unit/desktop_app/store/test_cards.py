"""What only a person can settle gets a card with it, and the card goes when it is settled."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from common.domain.content import Baseline, ListedPost, PostKind
from common.domain.states import ActionState, ItemState
from common.errors import ConflictError
from common.protocol.events import ActionChanged, ItemChanged
from desktop_app.contract.cards import CardAct
from desktop_app.store import accounts, cards, due, intents, items, ledger, settling, specs
from desktop_app.store.cards import Answer
from desktop_app.store.records import ItemRecord
from desktop_app.store.tables import MEDIA, PUBLISH_INTENT
from desktop_app.store.vault import Vault
from tests.support.stored import add_agent, add_run, upload_items
from tests.unit.desktop_app.store.test_inbox import (
    Scene,
    action,
    apply,
    changed,
    make_scene,
    published,
)

SEEN = ListedPost(remote_id="77_9", url="http://x/p/77/", kind=PostKind.PHOTO, caption="Fog")
BASELINE = Baseline(post_ids=("1_9", "2_9"), platform_time=90.0)


@pytest.fixture
def scene(db: Connection, vault: Vault) -> Scene:
    return make_scene(db, vault)


def doubt(item: ItemRecord) -> list[ItemChanged | ActionChanged]:
    return [
        changed(item, ItemState.RUNNING),
        action(item, ActionState.PREPARED, resume={"upload_id": "7"}),
        action(item, ActionState.SENDING, baseline=BASELINE),
        action(item, ActionState.IN_DOUBT, note="No answer came."),
        action(item, ActionState.RECONCILING),
        action(item, ActionState.UNRESOLVED, note="Another caption.", sighted=[SEEN]),
        changed(item, ItemState.NEEDS_OPERATOR),
    ]


def open_cards(db: Connection) -> list[str]:
    return [row.id for row in cards.page(db, resolved=False)[0]]


def test_an_unresolved_post_opens_a_card_that_shows_both_sides(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    item = scene.items[0]
    touched = apply(db, vault, scene, doubt(item)).touched
    (row,), total = cards.page(db, resolved=False)
    assert total == cards.count_open(db) == 1
    assert touched.cards == {row.id}
    assert (row.item_id, row.run_id, row.action_id) == (item.id, scene.run_id, item.intent_id)
    assert row.action is ActionState.UNRESOLVED
    assert row.agent_id == scene.agent_id
    assert row.ours is not None
    assert (row.ours.caption, row.ours.sent_at) == ("Harbour at dusk", 103.0)
    assert row.ours.resume == {"upload_id": "7"}
    assert row.theirs is not None
    assert (row.theirs.posts, row.theirs.note) == ([SEEN], "Another caption.")
    assert row.theirs.looked_at == 106.0
    assert row.acts == ["it_is_there", "publish_it", "look_again", "close"]
    sending, verdict = (
        next(entry for entry in ledger.of_item(db, item.id).entries if entry.state is state)
        for state in (ActionState.SENDING, ActionState.UNRESOLVED)
    )
    assert sending.baseline == BASELINE
    assert verdict.sighted == [SEEN]


@pytest.mark.parametrize(
    ("state", "by", "words"),
    [
        (ActionState.CONFIRMED, "ada", "ada said so"),
        (ActionState.PROVEN_ABSENT, "ada", "not there"),
        (ActionState.IN_DOUBT, "ada", "look again"),
    ],
)
def test_the_card_goes_when_its_effect_leaves_the_doubt(
    db: Connection, vault: Vault, scene: Scene, state: ActionState, by: str, words: str
) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    apply(db, vault, scene, [action(item, state, by=by, remote_id="77_9")])
    assert open_cards(db) == []
    (row,), _ = cards.page(db, resolved=True)
    assert words in row.resolution
    assert not row.acts
    assert ledger.of_item(db, item.id).entries[-1].by == by


def test_the_same_doubt_again_renews_the_open_card(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    (before,) = open_cards(db)
    apply(db, vault, scene, [action(item, ActionState.UNRESOLVED, note="Still nothing.")])
    (row,), _ = cards.page(db, resolved=False)
    assert row.id == before
    apply(db, vault, scene, [action(item, ActionState.IN_DOUBT, by="ada")])
    apply(db, vault, scene, [action(item, ActionState.UNRESOLVED, note="Again.")])
    assert open_cards(db) != [before]
    assert len(open_cards(db)) == 1


def test_an_item_that_is_closed_closes_its_card(db: Connection, vault: Vault, scene: Scene) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    apply(db, vault, scene, [changed(item, ItemState.CANCELLED)])
    assert open_cards(db) == []
    state = db.scalar(select(PUBLISH_INTENT.c.state).where(PUBLISH_INTENT.c.id == item.intent_id))
    assert state == "unresolved", "the key stays taken"


def test_a_post_that_is_anothers_is_not_done_and_has_a_card(db: Connection, vault: Vault) -> None:
    scene = make_scene(db, vault)
    first = scene.items[0]
    apply(db, vault, scene, published(first, "31"))
    again = upload_items([first.account_id], scene.agent_id, content_key="e" * 64)
    run_id, _ = add_run(db, again)
    (second,) = items.of_run(db, run_id)
    items.save_accepted(db, {second.id: 1}, at=1.0)
    apply(db, vault, scene, published(second, "31"))
    row = items.row(db, second.id)
    assert (row.state, row.action) == (ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED)
    (card,), _ = cards.page(db, resolved=False)
    assert card.item_id == second.id
    assert not items.records(db, [second.id])[second.id].is_away, "settled here"


def test_steps_of_an_agent_that_has_the_item_no_longer_count_only_when_it_is_published(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    item = scene.items[0]
    other = add_agent(db, vault, "b" * 52)
    items.place_at(db, item, other, {"attempt": 2})
    apply(db, vault, scene, [action(item, ActionState.SENDING), action(item, ActionState.IN_DOUBT)])
    assert intents.record(db, str(item.intent_id)).state is ActionState.PLANNED
    apply(db, vault, scene, [action(item, ActionState.CONFIRMED, remote_id="8_9")])
    assert intents.record(db, str(item.intent_id)).state is ActionState.CONFIRMED


def settle(db: Connection, item: ItemRecord, act: CardAct, agent: str | None, **more: str) -> None:
    (card_id,) = open_cards(db)
    card = settling.require_open(db, card_id)
    (now,) = items.records(db, [item.id]).values()
    answer = Answer(act=act, by="ada", at=500.0, **more)
    settling.settle_here(db, card, now, answer, agent)


def test_without_an_agent_a_person_confirms_here(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    settle(db, item, "it_is_there", None, remote_id="77_9", remote_url="http://x/p/77/")
    row = items.row(db, item.id)
    assert (row.state, row.action, row.link) == (
        ItemState.DONE,
        ActionState.CONFIRMED,
        "http://x/p/77/",
    )
    assert accounts.rows(db, [item.account_id])[0].posts == 1
    last = ledger.of_item(db, item.id).entries[-1]
    assert (last.state, last.by, last.agent) == (ActionState.CONFIRMED, "ada", "")
    assert open_cards(db) == []


def test_a_link_that_is_another_items_post_is_refused_by_name(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    first, second = scene.items
    apply(db, vault, scene, [*published(first, "31_9"), *doubt(second)])
    with pytest.raises(ConflictError, match=f"@{first.username}, from the run “Morning”"):
        settle(db, second, "it_is_there", None, remote_id="31_9")
    with pytest.raises(ConflictError):
        settle(db, second, "it_is_there", None, remote_id="31")
    assert items.row(db, second.id).state is ItemState.NEEDS_OPERATOR


@pytest.mark.parametrize(
    ("act", "state", "left_out"),
    [
        ("publish_it", ActionState.PROVEN_ABSENT, [SEEN.remote_id]),
        ("look_again", ActionState.IN_DOUBT, []),
    ],
)
def test_without_its_agent_another_one_looks_before_it_publishes(
    db: Connection,
    vault: Vault,
    scene: Scene,
    act: CardAct,
    state: ActionState,
    left_out: list[str],
) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    other = add_agent(db, vault, "b" * 52)
    settle(db, item, act, other)
    (now,) = items.records(db, [item.id]).values()
    assert (now.state, now.attempt, now.agent_id) == (ItemState.QUEUED, 2, other)
    assert now.action is state
    assert open_cards(db) == []
    add_file(db)
    (spec,) = specs.item_specs(db, vault, [item.id])
    assert spec.publish is not None
    known = (*BASELINE.post_ids, *left_out)
    assert spec.publish.doubt == BASELINE.model_copy(update={"post_ids": known})


def add_file(db: Connection) -> None:
    db.execute(
        MEDIA.insert().values(
            sha256="d" * 64, name="a.jpg", title="a", kind="photo", size=1, width=1, height=1,
            duration=0.0, added_at=1.0, used=0,
        )
    )  # fmt: skip


def test_an_agent_with_a_doubt_is_told_the_posts_of_other_items(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    first = scene.items[0]
    apply(db, vault, scene, published(first, "31_9"))
    again = upload_items([first.account_id], scene.agent_id, content_key="e" * 64)
    run_id, _ = add_run(db, again)
    (second,) = items.of_run(db, run_id)
    intents.set_state(db, [str(second.intent_id)], ActionState.IN_DOUBT)
    add_file(db)
    (spec,) = specs.item_specs(db, vault, [second.id])
    assert spec.publish is not None
    assert spec.publish.doubt is not None
    assert spec.publish.doubt.post_ids == ("31_9",)
    assert spec.publish.doubt.platform_time is not None, "older posts are none of ours"


def test_a_card_without_any_agent_stays_open(db: Connection, vault: Vault, scene: Scene) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    with pytest.raises(ConflictError, match="No paired agent"):
        settle(db, item, "publish_it", None)
    assert len(open_cards(db)) == 1
    settle(db, item, "close", None)
    assert items.row(db, item.id).state is ItemState.CANCELLED
    assert intents.record(db, str(item.intent_id)).state is ActionState.UNRESOLVED


def test_an_answer_stands_once_the_agent_was_told(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    apply(db, vault, scene, doubt(scene.items[0]))
    (card_id,) = open_cards(db)
    first, second = (
        Answer(act="publish_it", by="ada", at=5.0),
        Answer(act="close", by="ada", at=5.5),
    )
    cards.save_answer(db, card_id, first)
    assert settling.require_open(db, card_id).answer is not None, "it may still be changed"
    assert [card.id for card in cards.answered(db, scene.agent_id)] == [card_id]
    cards.save_answer(db, card_id, second)
    assert cards.save_told(db, card_id, first, at=6.0) is None, "it is not what was said last"
    assert not cards.record(db, card_id).is_told
    assert cards.save_told(db, card_id, second, at=6.0) is not None
    with pytest.raises(ConflictError, match="answered already"):
        settling.require_open(db, card_id)
    cards.drop_answer(db, card_id, "refused")
    assert settling.require_open(db, card_id).answer is None


def test_a_card_that_was_settled_meanwhile_is_not_told_about(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    item = scene.items[0]
    apply(db, vault, scene, doubt(item))
    (card_id,) = open_cards(db)
    answer = Answer(act="publish_it", by="ada", at=5.0)
    cards.save_answer(db, card_id, answer)
    apply(db, vault, scene, [action(item, ActionState.CONFIRMED, remote_id="31")])
    assert cards.save_told(db, card_id, answer, at=6.0) is None
    cards.drop_answer(db, card_id, "refused")
    assert cards.record(db, card_id).answer == answer, "what was said stays on a settled card"


def test_nothing_is_due_where_all_of_it_waits_behind_a_card(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    first, second = scene.items
    apply(db, vault, scene, [changed(second, ItemState.CANCELLED), *doubt(first)])
    assert not due.is_anything_due(db)
    behind = upload_items([first.account_id], scene.agent_id, content_key="e" * 64)
    add_run(db, behind)
    assert not due.is_anything_due(db), "it comes behind the doubt"
    (card_id,) = open_cards(db)
    cards.save_answer(db, card_id, Answer(act="publish_it", by="ada", at=5.0))
    assert due.is_anything_due(db), "the answer has to be told"


def test_the_accounts_ledger_is_newest_first_and_paged(
    db: Connection, vault: Vault, scene: Scene
) -> None:
    first = scene.items[0]
    apply(db, vault, scene, doubt(first))
    found = ledger.of_account(db, first.account_id, limit=2)
    assert found.total == 5
    assert [entry.state for entry in found.entries] == [
        ActionState.UNRESOLVED,
        ActionState.RECONCILING,
    ]
    assert (found.entries[0].item_id, found.entries[0].title) == (first.id, "Photo")
    sent = ledger.of_account(db, first.account_id, state=ActionState.SENDING)
    assert [entry.baseline for entry in sent.entries] == [BASELINE]
