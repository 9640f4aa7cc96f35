"""Attention cards: opened and resolved with what they are about, listed, answered.

A card is opened in the transaction that makes an effect unresolved, and resolved in the one that
settles it. What an answer does is in `settling.py`; telling it to an agent is the core's part.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, select, update

from common.domain.content import ListedPost
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import NotFoundError, WireError
from desktop_app.contract.cards import CardAct, CardRow, OurSide, TheirSide
from desktop_app.store.records import error_of
from desktop_app.store.tables import (
    ACCOUNT,
    AGENT,
    ATTENTION_CARD,
    ITEM,
    LEDGER_STEP,
    PUBLISH_INTENT,
)
from desktop_app.store.touched import Touched
from desktop_app.store.upsert import chunks

UNRESOLVED_PUBLISH = "unresolved_publish"
_ACTS: list[CardAct] = ["it_is_there", "publish_it", "look_again", "close"]
_OPEN_ITEMS = [state.value for state in ItemState if state not in ITEM_FINAL]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the operator said to a card."""

    act: CardAct
    by: str
    at: float
    remote_id: str = ""
    remote_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardRecord:
    """One card as settling sees it."""

    id: str
    account_id: str
    run_id: str
    item_id: str
    action_id: str
    answer: Answer | None
    is_told: bool
    """True once an agent was asked to take the answer."""
    is_open: bool
    shown_ids: Sequence[str] = ()
    """Remote ids of the posts on it, of which one may be the one that is asked about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """What a card is opened with."""

    action_id: str
    account_id: str
    item_id: str
    run_id: str
    note: str = ""
    sighted: Sequence[ListedPost] = ()
    looked_at: float | None = None


def open_card(connection: Connection, doubt: Doubt, *, at: float) -> str:
    """Open a card for an effect that only a person can settle, or renew the one that is open."""
    values = {
        "note": doubt.note,
        "sighted": [post.model_dump(mode="json") for post in doubt.sighted],
        "looked_at": doubt.looked_at,
    }
    known: str | None = connection.scalar(
        select(ATTENTION_CARD.c.id).where(_is_open(doubt.action_id))
    )
    if known is not None:
        renewed = update(ATTENTION_CARD).where(ATTENTION_CARD.c.id == known)
        connection.execute(renewed.values(values))
        return known
    card_id = new_id()
    fresh = {
        "id": card_id,
        "kind": UNRESOLVED_PUBLISH,
        "account_id": doubt.account_id,
        "run_id": doubt.run_id,
        "item_id": doubt.item_id,
        "action_id": doubt.action_id,
        "opened_at": at,
        "resolved_at": None,
        "resolution": "",
    }
    connection.execute(ATTENTION_CARD.insert().values(values | fresh | _NO_ANSWER))
    return card_id


_NO_ANSWER: dict[str, Any] = {
    "answer": None,
    "answer_remote_id": "",
    "answer_url": "",
    "answered_at": None,
    "answered_by": "",
    "told_at": None,
}


def resolve(
    connection: Connection, action_id: str, resolution: str, *, at: float
) -> frozenset[str]:
    """Resolve the open card of an effect, if there is one; return its id in a set."""
    found = frozenset(connection.scalars(select(ATTENTION_CARD.c.id).where(_is_open(action_id))))
    for card_id in found:
        connection.execute(
            update(ATTENTION_CARD)
            .where(ATTENTION_CARD.c.id == card_id)
            .values(resolved_at=at, resolution=resolution)
        )
    return found


def save_answer(connection: Connection, card_id: str, answer: Answer) -> Touched:
    """Keep what the operator said, until it is carried out."""
    return _change(
        connection,
        card_id,
        {
            "answer": answer.act,
            "answer_remote_id": answer.remote_id,
            "answer_url": answer.remote_url,
            "answered_at": answer.at,
            "answered_by": answer.by,
            "told_at": None,
        },
    )


def save_told(connection: Connection, card_id: str, answer: Answer, *, at: float) -> Touched | None:
    """Note that an agent is about to be asked to take an answer.

    None where that is not the operator's word any more: the card is settled, or has another one.
    """
    if not stands(connection, card_id, answer):
        return None
    return _change(connection, card_id, {"told_at": at})


def stands(connection: Connection, card_id: str, answer: Answer) -> bool:
    """Say whether a card is open and has this answer."""
    card = record(connection, card_id)
    return card.is_open and card.answer == answer


def drop_answer(connection: Connection, card_id: str, note: str) -> Touched:
    """Ask again: the answer could not be carried out. A card that is settled stays as it is."""
    if not record(connection, card_id).is_open:
        return Touched()
    return _change(connection, card_id, _NO_ANSWER | {"note": note})


def record(connection: Connection, card_id: str) -> CardRecord:
    """Return one card as settling sees it; raises NotFoundError."""
    wanted = select(ATTENTION_CARD).where(ATTENTION_CARD.c.id == card_id)
    row = connection.execute(wanted).mappings().first()
    if row is None:
        raise NotFoundError("There is no such card.", subject=card_id)
    return _record(row)


def open_of_item(connection: Connection, item_id: str) -> CardRecord | None:
    """Return the open card of an item, if there is one."""
    open_card = and_(ATTENTION_CARD.c.item_id == item_id, ATTENTION_CARD.c.resolved_at.is_(None))
    row = connection.execute(select(ATTENTION_CARD).where(open_card)).mappings().first()
    return _record(row) if row else None


def answered(connection: Connection, agent_id: str) -> list[CardRecord]:
    """Return the open cards of an agent's items that are answered."""
    wanted = (
        select(ATTENTION_CARD)
        .join(ITEM, ITEM.c.id == ATTENTION_CARD.c.item_id)
        .where(
            ITEM.c.agent_id == agent_id,
            ATTENTION_CARD.c.answer.is_not(None),
            ATTENTION_CARD.c.resolved_at.is_(None),
        )
        .order_by(ATTENTION_CARD.c.answered_at)
    )
    return [_record(row) for row in connection.execute(wanted).mappings()]


def open_ids(connection: Connection, agent_id: str) -> frozenset[str]:
    """Return the ids of the open cards of an agent's items."""
    wanted = (
        select(ATTENTION_CARD.c.id)
        .join(ITEM, ITEM.c.id == ATTENTION_CARD.c.item_id)
        .where(ITEM.c.agent_id == agent_id, ATTENTION_CARD.c.resolved_at.is_(None))
    )
    return frozenset(connection.scalars(wanted))


def count_open(connection: Connection) -> int:
    """Return how many cards wait for the operator."""
    waiting = and_(ATTENTION_CARD.c.resolved_at.is_(None), ATTENTION_CARD.c.answer.is_(None))
    return connection.scalar(select(func.count()).select_from(ATTENTION_CARD).where(waiting)) or 0


def page(
    connection: Connection, *, resolved: bool, offset: int = 0, limit: int | None = None
) -> tuple[list[CardRow], int]:
    """Return a slice of the open or the resolved cards, newest first, and how many there are."""
    is_resolved = ATTENTION_CARD.c.resolved_at.is_not(None)
    where = is_resolved if resolved else ~is_resolved
    order = ATTENTION_CARD.c.resolved_at if resolved else ATTENTION_CARD.c.opened_at
    total = connection.scalar(select(func.count()).select_from(ATTENTION_CARD).where(where)) or 0
    wanted = _select().where(where).order_by(order.desc(), ATTENTION_CARD.c.id.desc())
    return _rows(connection, wanted.offset(offset).limit(limit)), total


def rows(connection: Connection, ids: Collection[str]) -> list[CardRow]:
    """Return the cards with these ids; one that is gone is left out."""
    found: list[CardRow] = []
    for some in chunks(ids):
        found += _rows(connection, _select().where(ATTENTION_CARD.c.id.in_(some)))
    return found


def _is_open(action_id: str) -> ColumnElement[bool]:
    return and_(ATTENTION_CARD.c.action_id == action_id, ATTENTION_CARD.c.resolved_at.is_(None))


def _change(connection: Connection, card_id: str, values: Mapping[str, Any]) -> Touched:
    changed = update(ATTENTION_CARD).where(ATTENTION_CARD.c.id == card_id)
    connection.execute(changed.values(dict(values)))
    return Touched(cards=frozenset({card_id}))


def _record(row: RowMapping) -> CardRecord:
    answer = None
    if row["answer"] is not None:
        answer = Answer(
            act=row["answer"],
            by=row["answered_by"],
            at=row["answered_at"],
            remote_id=row["answer_remote_id"],
            remote_url=row["answer_url"],
        )
    return CardRecord(
        id=row["id"],
        account_id=row["account_id"],
        run_id=row["run_id"],
        item_id=row["item_id"],
        action_id=row["action_id"],
        answer=answer,
        is_told=row["told_at"] is not None,
        is_open=row["resolved_at"] is None,
        shown_ids=tuple(post["remote_id"] for post in row["sighted"]),
    )


def _select() -> Select[Any]:
    return (
        select(
            ATTENTION_CARD,
            ITEM.c.title,
            ITEM.c.username,
            ITEM.c.driver,
            ITEM.c.agent_id,
            ITEM.c.error,
            PUBLISH_INTENT.c.state.label("action"),
            PUBLISH_INTENT.c.kind.label("post_kind"),
            PUBLISH_INTENT.c.caption,
            PUBLISH_INTENT.c.media,
            PUBLISH_INTENT.c.sent_at,
            func.coalesce(ACCOUNT.c.username, ITEM.c.username).label("account"),
            func.coalesce(AGENT.c.name, "").label("agent"),
        )
        .select_from(ATTENTION_CARD)
        .join(ITEM, ITEM.c.id == ATTENTION_CARD.c.item_id)
        .join(PUBLISH_INTENT, PUBLISH_INTENT.c.id == ATTENTION_CARD.c.action_id)
        .outerjoin(ACCOUNT, ACCOUNT.c.id == ATTENTION_CARD.c.account_id)
        .outerjoin(AGENT, AGENT.c.id == ITEM.c.agent_id)
    )


def _rows(connection: Connection, wanted: Select[Any]) -> list[CardRow]:
    found = connection.execute(wanted).mappings().all()
    held = _held(connection, {row["account_id"] for row in found})
    resume = _resume_points(connection, {row["action_id"] for row in found})
    return [
        _shown(row, held.get(row["account_id"], 0), resume.get(row["action_id"], {}))
        for row in found
    ]


def _shown(row: RowMapping, held: int, resume: dict[str, str]) -> CardRow:
    is_open = row["resolved_at"] is None
    may_answer = is_open and (row["answer"] is None or row["told_at"] is None)
    waiting = held if is_open and row["action"] == ActionState.UNRESOLVED.value else 0
    return CardRow(
        id=row["id"],
        kind=row["kind"],
        title=f"Is {row['title'][:1].lower()}{row['title'][1:]} published on @{row['account']}?",
        text=_text(row, waiting),
        account_id=row["account_id"],
        username=row["account"],
        run_id=row["run_id"],
        item_id=row["item_id"],
        action_id=row["action_id"],
        action=ActionState(row["action"]),
        agent_id=row["agent_id"],
        agent=row["agent"],
        held=waiting,
        ours=_our_side(row, resume),
        theirs=TheirSide(
            looked_at=row["looked_at"],
            posts=[ListedPost.model_validate(post) for post in row["sighted"]],
            note=row["note"],
        ),
        acts=list(_ACTS) if may_answer else [],
        opened_at=row["opened_at"],
        answer=row["answer"],
        answered_at=row["answered_at"],
        answered_by=row["answered_by"],
        resolved_at=row["resolved_at"],
        resolution=row["resolution"],
    )


def _our_side(row: RowMapping, resume: dict[str, str]) -> OurSide:
    error: WireError | None = error_of(row["error"])
    return OurSide(
        title=row["title"],
        kind=row["post_kind"],
        caption=row["caption"],
        media=row["media"],
        driver=row["driver"],
        agent=row["agent"],
        sent_at=row["sent_at"],
        resume=resume,
        error=error,
    )


def _text(row: RowMapping, held: int) -> str:
    what = "It may have been sent, and no answer says whether the platform took it."
    if not held:
        return what
    others = "1 other post" if held == 1 else f"{held} other posts"
    return f"{what} {others} of @{row['account']} {'waits' if held == 1 else 'wait'} for this."


def _held(connection: Connection, account_ids: Collection[str]) -> dict[str, int]:
    """Count the unfinished posts of accounts that are not the subject of an open card."""
    found: dict[str, int] = {}
    asked = select(ATTENTION_CARD.c.item_id).where(ATTENTION_CARD.c.resolved_at.is_(None))
    for some in chunks(account_ids):
        counted = (
            select(ITEM.c.account_id, func.count())
            .where(
                ITEM.c.account_id.in_(some),
                ITEM.c.state.in_(_OPEN_ITEMS),
                ITEM.c.intent_id.is_not(None),
                ITEM.c.id.not_in(asked),
            )
            .group_by(ITEM.c.account_id)
        )
        found.update({row[0]: row[1] for row in connection.execute(counted)})
    return found


def _resume_points(
    connection: Connection, action_ids: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return the newest resume points of effects, as the ledger has them."""
    found: dict[str, dict[str, str]] = {}
    for some in chunks(action_ids):
        wanted = select(LEDGER_STEP.c.action_id, LEDGER_STEP.c.resume)
        wanted = wanted.where(LEDGER_STEP.c.action_id.in_(some))
        for row in connection.execute(wanted.order_by(LEDGER_STEP.c.at, LEDGER_STEP.c.seq)):
            if row.resume:
                found[row.action_id] = row.resume
    return found
