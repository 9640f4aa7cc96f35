"""Attention cards in words: lists, consequences, and what of a sighted post fits."""

from __future__ import annotations

from common.domain.accounts import DriverName
from common.domain.content import ListedPost, PostKind
from desktop_app.contract.cards import CardRow, OurSide
from desktop_app.ui.models.cards import (
    CardFilter,
    acts_of,
    answer_words,
    card_icon,
    card_table,
    filter_of,
    sighting_of,
)

NOW = 1_763_900_000.0
OURS = OurSide(
    title="Reel", kind=PostKind.REEL, caption="Low tide\n#coast", driver=DriverName.PRIVATE_API,
    sent_at=NOW,
)  # fmt: skip


def card(key: str = "c1", **known: object) -> CardRow:
    values: dict[str, object] = {
        "id": key,
        "kind": "unresolved_publish",
        "title": "Is it there?",
        "text": "",
        "account_id": "a1",
        "username": "pine.cafe",
        "opened_at": NOW,
        "acts": ["close", "look_again", "publish_it", "it_is_there"],
    }
    return CardRow.model_validate(values | known)


def test_a_card_is_in_the_list_of_how_far_it_is() -> None:
    assert filter_of(card()) is CardFilter.WAITING
    assert filter_of(card(answer="close")) is CardFilter.ANSWERED
    assert filter_of(card(answer="close", resolved_at=NOW)) is CardFilter.RESOLVED


def test_acts_come_in_one_order_and_say_what_they_do() -> None:
    words = acts_of(card(held=2))
    assert [act.act for act in words] == ["it_is_there", "publish_it", "look_again", "close"]
    assert "2 waiting posts go on" in words[0].consequence
    assert "waiting post" not in words[2].consequence
    assert "pine.cafe" in words[3].consequence
    assert acts_of(card(acts=[])) == ()


def test_an_answer_says_who_has_to_take_it() -> None:
    told = card(answer="close", answered_at=NOW, answered_by="Ana", agent_id="x", agent="dock-1")
    offline = answer_words(told, NOW)
    assert "Ana said “Close without publishing”" in offline
    assert "dock-1 is offline" in offline
    online = answer_words(told.model_copy(update={"agent_online": True}), NOW)
    assert "dock-1 is taking it" in online
    assert answer_words(told.model_copy(update={"resolved_at": NOW}), NOW) == ""
    assert answer_words(card(), NOW) == ""


def test_a_sighted_post_is_held_against_what_was_sent() -> None:
    same = ListedPost(
        remote_id="1", url="", kind=PostKind.REEL, caption="Low  tide #coast", taken_at=NOW + 125
    )
    seen = sighting_of(OURS, same)
    assert seen.marks == (("Same caption", True), ("A reel, too", True))
    assert seen.when == "2 min 5 s after it was sent"
    other = ListedPost(remote_id="2", url="", kind=PostKind.PHOTO, caption="Closed on Monday")
    assert sighting_of(OURS, other).marks == (("Another caption", False), ("A photo", False))
    assert sighting_of(OURS, ListedPost(remote_id="3", url="")).marks == ()


def test_cards_that_have_waited_longest_come_first_and_the_newest_settled_ones() -> None:
    table = card_table()
    table.set_rows([card("new", opened_at=NOW), card("old", opened_at=NOW - 60)])
    assert list(table.shown_ids()) == ["old", "new"]
    table.set_rows([card("early", resolved_at=NOW), card("late", resolved_at=NOW + 9)])
    assert list(table.shown_ids()) == ["late", "early"]


def test_a_kind_of_another_release_has_an_icon_too() -> None:
    later = CardRow.model_construct(**(card().model_dump() | {"kind": "proxy_died"}))
    assert card_icon(later) == "hand"
