"""Items: lists, records for dispatch, and the state changes that the core decides on itself.

What agents report is applied in `inbox.py`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, Select, and_, false, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL, may_item_become
from common.errors import NotFoundError, WireError
from desktop_app.contract.runs import ItemRow
from desktop_app.store import holders, runs
from desktop_app.store.records import ItemRecord, error_to_store
from desktop_app.store.tables import ACCOUNT, AGENT, ITEM, PUBLISH_INTENT, RUN
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.upsert import chunks

_ROWS: TypeAdapter[list[ItemRow]] = TypeAdapter(list[ItemRow])


def page(
    connection: Connection,
    run_id: str,
    *,
    state: ItemState | None = None,
    search: str = "",
    offset: int = 0,
    limit: int | None = None,
) -> tuple[list[ItemRow], int]:
    """Return a slice of a run's items in their order, and how many pass the filter."""
    where: list[ColumnElement[bool]] = [ITEM.c.run_id == run_id]
    if state:
        where.append(ITEM.c.state == state.value)
    if search:
        text = search.lower()
        named = func.lower(ITEM.c.username).contains(text, autoescape=True)
        where.append(or_(named, func.lower(ITEM.c.title).contains(text, autoescape=True)))
    total = connection.scalar(select(func.count()).select_from(ITEM).where(*where)) or 0
    wanted = _row_select().where(*where).order_by(ITEM.c.position)
    return _read(connection, wanted.offset(offset).limit(limit)), total


def rows(connection: Connection, ids: Collection[str]) -> list[ItemRow]:
    """Return the items with these ids; one that is gone is left out."""
    found: list[ItemRow] = []
    for some in chunks(ids):
        found += _read(connection, _row_select().where(ITEM.c.id.in_(some)))
    return found


def row(connection: Connection, item_id: str) -> ItemRow:
    """Return one item; raises NotFoundError."""
    for found in rows(connection, [item_id]):
        return found
    raise NotFoundError("There is no such item.", subject=item_id)


def records(connection: Connection, ids: Collection[str]) -> dict[str, ItemRecord]:
    """Return items as dispatch sees them, by id."""
    found: dict[str, ItemRecord] = {}
    for some in chunks(ids):
        for item in _records(connection, ITEM.c.id.in_(some)):
            found[item.id] = item
    return found


def of_run(connection: Connection, run_id: str) -> list[ItemRecord]:
    """Return a run's items as dispatch sees them, in their order."""
    return _records(connection, ITEM.c.run_id == run_id)


def unfinished(connection: Connection, agent_id: str | None = None) -> list[ItemRecord]:
    """Return unfinished items, of one agent or all, in the order in which they were planned."""
    where = ITEM.c.state.in_(runs.OPEN_STATES)
    return _records(
        connection, where if agent_id is None else and_(where, ITEM.c.agent_id == agent_id)
    )


def with_logs(connection: Connection, agent_id: str, since: float) -> list[ItemRecord]:
    """Return an agent's items with a log that are open, or ended or ordered after `since`.

    When an item ended is by the agent's clock, which may be wrong; when it was ordered is by ours.
    """
    ordered = ITEM.c.run_id.in_(select(RUN.c.id).where(RUN.c.created_at >= since))
    recent = or_(ITEM.c.ended_at.is_(None), ITEM.c.ended_at >= since, ordered)
    return _records(connection, and_(ITEM.c.agent_id == agent_id, ITEM.c.log_end > 0, recent))


def doubt_logs(connection: Connection, agent_id: str) -> None:
    """Note that the logs of an agent's unfinished items may be longer than it told: it has lost
    the events that said so. They are asked for to their end, beginning with the next link.
    """
    told = and_(
        ITEM.c.agent_id == agent_id,
        ITEM.c.state.in_(runs.OPEN_STATES),
        or_(ITEM.c.accepted_at.is_not(None), ITEM.c.offered_at.is_not(None)),
    )
    connection.execute(update(ITEM).where(told).values(log_end=ITEM.c.log_end + 1))


def with_wishes(connection: Connection, agent_id: str) -> list[ItemRecord]:
    """Return the unfinished items of an agent of which the operator asks something."""
    return _records(
        connection,
        and_(
            ITEM.c.agent_id == agent_id,
            ITEM.c.state.in_(runs.OPEN_STATES),
            ITEM.c.wanted.is_not(None),
        ),
    )


def remote_id(connection: Connection, item_id: str) -> str:
    """Return the id of the post that an item published; empty where there is none."""
    wanted = select(PUBLISH_INTENT.c.remote_id).where(PUBLISH_INTENT.c.item_id == item_id)
    return connection.scalar(wanted) or ""


def of_work(
    connection: Connection, *, account_ids: Collection[str], agent_ids: Collection[str]
) -> list[ItemRecord]:
    """Return the unfinished items of accounts and those at agents, in the order of their runs."""
    found: dict[str, ItemRecord] = {}
    for column, ids in ((ITEM.c.account_id, account_ids), (ITEM.c.agent_id, agent_ids)):
        for some in chunks(ids):
            where = and_(column.in_(some), ITEM.c.state.in_(runs.OPEN_STATES))
            found |= {item.id: item for item in _records(connection, where)}
    return list(found.values())


def ids_to_hand_over(
    connection: Connection, agent_id: str, *, is_draining: bool = False
) -> list[str]:
    """Return the queued items for an agent that has not accepted them yet, in order.

    Those of an account that is about to move wait for its next agent, and all of a draining agent
    for its end; but what the agent may have is handed over again, so that it is known who has it.
    What is published already is never handed over, whoever published it.
    """
    published = select(PUBLISH_INTENT.c.item_id).where(
        PUBLISH_INTENT.c.item_id == ITEM.c.id,
        PUBLISH_INTENT.c.id == ITEM.c.intent_id,
        PUBLISH_INTENT.c.state == ActionState.CONFIRMED.value,
    )
    moving = select(ACCOUNT.c.id).where(ACCOUNT.c.moving_to.is_not(None))
    is_new = false() if is_draining else ITEM.c.account_id.not_in(moving)
    wanted = select(ITEM.c.id).where(
        ITEM.c.agent_id == agent_id,
        ITEM.c.state == ItemState.QUEUED.value,
        ITEM.c.accepted_at.is_(None),
        ITEM.c.wanted.is_(None),
        or_(ITEM.c.offered_at.is_not(None), is_new),
        ~published.exists(),
    )
    return list(connection.scalars(wanted.order_by(ITEM.c.run_id, ITEM.c.position)))


def published_elsewhere(connection: Connection, agent_id: str) -> list[ItemRecord]:
    """Return unfinished items, of an agent or of none, whose post exists although nobody said so.

    An agent that had them before has published them. What this agent is at work on is not among
    them.
    """
    waits = or_(ITEM.c.accepted_at.is_(None), ITEM.c.state != ItemState.RUNNING.value)
    return _records(
        connection,
        and_(
            or_(ITEM.c.agent_id == agent_id, ITEM.c.agent_id.is_(None)),
            ITEM.c.state.in_(runs.OPEN_STATES),
            PUBLISH_INTENT.c.state == ActionState.CONFIRMED.value,
            waits,
        ),
    )


def save_offered(connection: Connection, ids: Collection[str], *, at: float) -> None:
    """Note that an agent is about to be asked to take items: from now on it may have them."""
    for some in chunks(ids):
        fresh = and_(ITEM.c.id.in_(some), ITEM.c.offered_at.is_(None))
        connection.execute(update(ITEM).where(fresh).values(offered_at=at))


def save_accepted(connection: Connection, attempts: Mapping[str, int], *, at: float) -> Touched:
    """Note that an agent journaled these attempts, by item id. Others' attempts stay untouched."""
    moves = []
    for item in records(connection, attempts).values():
        if item.attempt != attempts[item.id] or item.accepted:
            continue
        after = ItemState.ASSIGNED if item.state is ItemState.QUEUED else item.state
        moves.append(ItemMove(item.id, item.run_id, item.state, after))
    taken = [move.item_id for move in moves if move.before is ItemState.QUEUED]
    others = [move.item_id for move in moves if move.before is not ItemState.QUEUED]
    assigned = {"accepted_at": at, "state": ItemState.ASSIGNED.value, "changed_at": at}
    _set(connection, taken, assigned)
    _set(connection, others, {"accepted_at": at})
    return Touched.moved(moves)


def move(
    connection: Connection,
    ids: Collection[str],
    state: ItemState,
    *,
    at: float,
    error: WireError | None = None,
    step: str | None = None,
) -> Touched:
    """Bring those of the items into `state` that may go there; runs without work left end."""
    values: dict[str, Any] = {"state": state.value, "changed_at": at}
    if error is not None:
        values["error"] = error_to_store(error)
    if step is not None:
        values["step"] = step
    if state in ITEM_FINAL:
        values |= {"ended_at": at, "wanted": None}
    moves = [
        ItemMove(item.id, item.run_id, item.state, state)
        for item in records(connection, ids).values()
        if may_item_become(item.state, state)
    ]
    _set(connection, [move.item_id for move in moves], values)
    touched = Touched.moved(moves)
    if touched.runs and state in ITEM_FINAL:
        runs.save_ended(connection, touched.runs, at)
    return touched


def _set(connection: Connection, ids: Collection[str], values: Mapping[str, Any]) -> None:
    for some in chunks(ids):
        connection.execute(update(ITEM).where(ITEM.c.id.in_(some)).values(**values))


def want(connection: Connection, ids: Collection[str], wanted: str | None) -> Touched:
    """Note what the operator asks of items whose agent has not answered; None when it has."""
    found = records(connection, ids)
    for some in chunks(list(found)):
        connection.execute(update(ITEM).where(ITEM.c.id.in_(some)).values(wanted=wanted))
    return Touched.moved(
        ItemMove(item.id, item.run_id, item.state, item.state) for item in found.values()
    )


def wait_until(connection: Connection, item: ItemRecord, moment: float) -> Touched:
    """Let an item begin at `moment` at the earliest, or when it was due if that is later."""
    waiting = and_(
        ITEM.c.id == item.id,
        ITEM.c.state.in_(runs.OPEN_STATES),
        or_(ITEM.c.not_before.is_(None), ITEM.c.not_before < moment),
    )
    connection.execute(update(ITEM).where(waiting).values(not_before=moment))
    return Touched.moved([ItemMove(item.id, item.run_id, item.state, item.state)])


def place_at(
    connection: Connection, item: ItemRecord, agent_id: str | None, values: Mapping[str, Any]
) -> Touched:
    """Give an item, whatever state it is in, to an agent that knows nothing of it."""
    holders.note_departure(connection, [item])
    away = {"agent_id": agent_id, "offered_at": None, "accepted_at": None, "wanted": None}
    _set(connection, [item.id], away | dict(values))
    after = ItemState(values.get("state", item.state))
    return Touched.moved([ItemMove(item.id, item.run_id, item.state, after)])


def retry(
    connection: Connection,
    ids: Collection[str],
    *,
    at: float,
    agent_of: Mapping[str, str] | None = None,
) -> Touched:
    """Begin a new attempt of those of the items that failed; their intents stay theirs.

    An item whose effect is confirmed or in doubt, or whose intent went to another item, is left
    alone. `agent_of` gives items to another agent than before.
    """
    found = [
        item
        for item in records(connection, ids).values()
        if item.state is ItemState.FAILED and _may_repeat(item)
    ]
    touched = _begin_attempt(connection, found, at)
    for item_id, agent_id in (agent_of or {}).items():
        if item_id in touched.items:
            _set(connection, [item_id], {"agent_id": agent_id})
    if touched.runs:
        reopened = update(RUN).where(RUN.c.id.in_(touched.runs))
        connection.execute(reopened.values(ended_at=None, handed_over_at=None))
    return touched


def _may_repeat(item: ItemRecord) -> bool:
    if item.intent_id is None:
        return True
    return item.action in {ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT}


def _begin_attempt(connection: Connection, found: Collection[ItemRecord], at: float) -> Touched:
    holders.note_departure(connection, found)
    moves = []
    for item in found:
        values: dict[str, Any] = {
            "state": ItemState.QUEUED.value,
            "attempt": item.attempt + 1,
            "offered_at": None,
            "accepted_at": None,
            "started_at": None,
            "ended_at": None,
            "changed_at": at,
            "wanted": None,
            "step": "",
            "error": None,
            "result": {},
            "log_end": 0,
        }
        connection.execute(update(ITEM).where(ITEM.c.id == item.id).values(**values))
        moves.append(ItemMove(item.id, item.run_id, item.state, ItemState.QUEUED))
    return Touched.moved(moves)


def _row_select() -> Select[Any]:
    hidden = {"parameters", "intent_id", "offered_at", "accepted_at", "log_end"}
    holds = PUBLISH_INTENT.c.item_id == ITEM.c.id
    return (
        select(
            *(column for column in ITEM.c if column.name not in hidden),
            func.coalesce(AGENT.c.name, "").label("agent"),
            PUBLISH_INTENT.c.kind.label("post_kind"),
            PUBLISH_INTENT.c.caption,
            PUBLISH_INTENT.c.media,
            PUBLISH_INTENT.c.state.label("action"),
            PUBLISH_INTENT.c.remote_url.label("link"),
            holds.label("holds"),
        )
        .select_from(ITEM)
        .outerjoin(PUBLISH_INTENT, PUBLISH_INTENT.c.id == ITEM.c.intent_id)
        .outerjoin(AGENT, AGENT.c.id == ITEM.c.agent_id)
    )


def _read(connection: Connection, wanted: Select[Any]) -> list[ItemRow]:
    found = connection.execute(wanted).mappings()
    return _ROWS.validate_python([_shown(row) for row in found])


def _shown(row: RowMapping) -> dict[str, Any]:
    """An item whose intent went to a later item shows what it would have posted, and no effect."""
    values = dict(row)
    holds = bool(values.pop("holds"))
    values["caption"] = values["caption"] or ""
    values["media"] = values["media"] or []
    values["wanted"] = values["wanted"] or ""
    values["action"] = values["action"] if holds else None
    values["link"] = (values["link"] or "") if holds else ""
    return values


def _records(connection: Connection, where: ColumnElement[bool]) -> list[ItemRecord]:
    wanted = (
        select(ITEM, PUBLISH_INTENT.c.state.label("action"))
        .outerjoin(
            PUBLISH_INTENT,
            and_(PUBLISH_INTENT.c.id == ITEM.c.intent_id, PUBLISH_INTENT.c.item_id == ITEM.c.id),
        )
        .where(where)
        .order_by(ITEM.c.run_id, ITEM.c.position)
    )
    return [_record(row) for row in connection.execute(wanted).mappings()]


def _record(row: RowMapping) -> ItemRecord:
    return ItemRecord(
        id=row["id"],
        run_id=row["run_id"],
        account_id=row["account_id"],
        username=row["username"],
        agent_id=row["agent_id"],
        state=ItemState(row["state"]),
        attempt=row["attempt"],
        driver=DriverName(row["driver"]),
        intent_id=row["intent_id"],
        action=ActionState(row["action"]) if row["action"] else None,
        accepted=row["accepted_at"] is not None,
        wanted=row["wanted"],
        log_end=row["log_end"],
        offered=row["offered_at"] is not None,
    )
