"""Attention cards as a list, and what is said of them: acts, consequences, risks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.domain.content import ListedPost
from desktop_app.contract.cards import CardAct, CardRow, OurSide
from desktop_app.ui.models.cells import Pill, Text
from desktop_app.ui.models.formats import count_of, duration_words, relative_time
from desktop_app.ui.models.table import Column, RowTable


class CardFilter(StrEnum):
    """Which cards are listed."""

    WAITING = "waiting"
    ANSWERED = "answered"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ActWords:
    """How one act is offered."""

    act: CardAct
    label: str
    icon: str
    consequence: str
    """What it does, in plain language."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One post that the platform showed, held against what we sent."""

    post: ListedPost
    when: str
    """When it was published, against when ours was sent."""
    marks: tuple[tuple[str, bool], ...]
    """What of it fits (True) or does not."""


_ICONS: dict[str, str] = {"unresolved_publish": "circle-question-mark"}
_WAITING = Pill("Waits for you", "hand", "attention", "Only you can say what happened.")
_ANSWERED = Pill("Answered", "send", "info", "You answered; the agent has not taken it yet.")
_RESOLVED = Pill("Settled", "circle-check", "success", "Nothing is left to decide.")

ACT_LABELS: dict[CardAct, tuple[str, str]] = {
    "it_is_there": ("It is there", "circle-check"),
    "publish_it": ("It is not: publish", "send"),
    "look_again": ("Look again", "refresh-cw"),
    "close": ("Close without publishing", "circle-slash"),
}
"""Label and icon of every act, in the order in which they are offered."""


def card_icon(card: CardRow) -> str:
    """Return the icon of a card's kind; one of another release is a plain hand."""
    return _ICONS.get(card.kind, "hand")


def filter_of(card: CardRow) -> CardFilter:
    """Return the list that a card is in."""
    if card.resolved_at is not None:
        return CardFilter.RESOLVED
    return CardFilter.ANSWERED if card.answer is not None else CardFilter.WAITING


def card_pill(card: CardRow) -> Pill:
    """Return how a card stands."""
    return {
        CardFilter.WAITING: _WAITING,
        CardFilter.ANSWERED: _ANSWERED,
        CardFilter.RESOLVED: _RESOLVED,
    }[filter_of(card)]


def waits(card: CardRow) -> str:
    """Say what is on hold because of a card; empty for nothing."""
    return f"{count_of(card.held, 'post waits', 'posts wait')} for it" if card.held else ""


def acts_of(card: CardRow) -> tuple[ActWords, ...]:
    """Return what may be done now, with its consequence."""
    return tuple(
        ActWords(act, label, icon, consequence(card, act))
        for act, (label, icon) in ACT_LABELS.items()
        if act in card.acts
    )


def consequence(card: CardRow, act: CardAct) -> str:
    """Say in plain language what an act does."""
    others = f" {count_of(card.held, 'waiting post goes', 'waiting posts go')} on."
    others *= bool(card.held)
    match act:
        case "it_is_there":
            return f"The link is checked, then counts as the post. Nothing is sent again.{others}"
        case "publish_it":
            return f"Sent once more, after a last look at the account's list.{others}"
        case "look_again":
            return "The platform is asked again. Nothing is sent meanwhile."
        case "close":
            return (
                f"The item is cancelled. This media is not published on {card.username} again "
                f"unless you ask for another copy.{others}"
            )


def risk(card: CardRow) -> str:
    """Name the risk of publishing what may be there already."""
    return (
        f"It is sent once the platform would show what was sent before, and not if it shows by "
        f"then. If the post is on {card.username} all the same, it will be there twice. Look at "
        f"the account's page first."
    )


def answer_words(card: CardRow, now: float) -> str:
    """Say what was answered and who has to take it; empty while nothing was."""
    if card.answer is None or card.resolved_at is not None:
        return ""
    who = card.answered_by or "You"
    said = f"{who} said “{ACT_LABELS[card.answer][0]}” {relative_time(card.answered_at, now)}."
    if card.agent_id is None:
        return said
    agent = card.agent or "The agent"
    if card.agent_online:
        return f"{said} {agent} is taking it."
    return f"{said} {agent} is offline: the answer is kept, and told when it links again."


def sighting_of(ours: OurSide | None, post: ListedPost) -> Sighting:
    """Hold a post that the platform showed against what we sent."""
    if ours is None:
        return Sighting(post, "", ())
    marks = []
    if post.caption is not None:
        same = post.caption.split() == ours.caption.split()
        marks.append(("Same caption" if same else "Another caption", same))
    if post.kind is not None and ours.kind is not None:
        same = post.kind is ours.kind
        marks.append((f"A {post.kind}, too" if same else f"A {post.kind}", same))
    return Sighting(post, _when(ours.sent_at, post.taken_at), tuple(marks))


def _when(sent_at: float | None, taken_at: float | None) -> str:
    if sent_at is None or taken_at is None:
        return ""
    apart = taken_at - sent_at
    if abs(apart) < 1:
        return "In the second in which it was sent"
    return f"{duration_words(abs(apart))} {'after' if apart > 0 else 'before'} it was sent"


def card_table() -> RowTable[CardRow]:
    """Return an empty list of cards: the one that has waited longest comes first."""
    column = Column[CardRow]("card", "Card", lambda card: Text(card.title), _place)
    table = RowTable(
        (column,),
        lambda card: card.id,
        search=lambda card: f"{card.title} {card.username} {card.agent}",
    )
    table.sort(0)
    return table


def _place(card: CardRow) -> float:
    return card.opened_at if card.resolved_at is None else -card.resolved_at
