"""Runs: storing one whole, listing them, and what the core itself changes about them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select, update

from common.domain.states import ItemState, RunState
from common.domain.transitions import ITEM_FINAL, run_state_of
from common.errors import DuplicateIntentError, NotFoundError
from desktop_app.contract.runs import RunRow
from desktop_app.store import intents
from desktop_app.store.records import NewItem, NewRun, error_to_store
from desktop_app.store.tables import ITEM, RUN
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.upsert import chunks

OPEN_STATES = tuple(state.value for state in ItemState if state not in ITEM_FINAL)


@dataclass(frozen=True, slots=True)
class RunStored:
    """What came of storing a run."""

    touched: Touched
    refused: dict[str, DuplicateIntentError]
    """Items stored as skipped, with the reason, by item id."""


def insert(
    connection: Connection, run: NewRun, items: Sequence[NewItem], *, at: float
) -> RunStored:
    """Store a run with its items and intents: all of it or nothing.

    An item whose intent is refused is stored as skipped, with the refusal as its error.
    """
    claims = [item.claim for item in items if item.claim]
    answers = intents.claim(connection, claims, at=at)
    refused = {
        item_id: answer
        for item_id, answer in answers.items()
        if isinstance(answer, DuplicateIntentError)
    }
    connection.execute(
        RUN.insert().values(
            id=run.id,
            name=run.name,
            task=run.task,
            parameters=run.parameters,
            targets=run.targets,
            created_at=run.created_at,
            ended_at=at if len(refused) == len(items) else None,
            handed_over_at=at if len(refused) == len(items) else None,
        )
    )
    rows = [
        _item_values(run.id, position, item, answers.get(item.id), at)
        for position, item in enumerate(items, start=1)
    ]
    if rows:
        connection.execute(ITEM.insert(), rows)
    moves = [ItemMove(str(row["id"]), run.id, None, ItemState(str(row["state"]))) for row in rows]
    return RunStored(Touched.moved(moves) | Touched(runs=frozenset({run.id})), refused)


def page(
    connection: Connection, *, search: str = "", offset: int = 0, limit: int | None = None
) -> tuple[list[RunRow], int]:
    """Return a slice of the runs, newest first, and how many there are under the same filter."""
    where = []
    if search:
        where.append(func.lower(RUN.c.name).contains(search.lower(), autoescape=True))
    total = connection.scalar(select(func.count()).select_from(RUN).where(*where)) or 0
    wanted = select(RUN.c.id).where(*where).order_by(RUN.c.created_at.desc(), RUN.c.id.desc())
    ids = list(connection.scalars(wanted.offset(offset).limit(limit)))
    found = {row.id: row for row in rows(connection, ids)}
    return [found[run_id] for run_id in ids], total


def rows(connection: Connection, ids: Collection[str]) -> list[RunRow]:
    """Return the runs with these ids, oldest first; one that is gone is left out."""
    found: list[RunRow] = []
    for some in chunks(ids):
        counts = item_counts(connection, some)
        wanted = select(RUN).where(RUN.c.id.in_(some)).order_by(RUN.c.created_at, RUN.c.id)
        for row in connection.execute(wanted):
            counted = counts.get(row.id, {})
            found.append(
                RunRow(
                    id=row.id,
                    name=row.name,
                    task=row.task,
                    state=run_state_of(counted),
                    counts=counted,
                    total=sum(counted.values()),
                    handed_over=row.handed_over_at is not None or row.ended_at is not None,
                    created_at=row.created_at,
                    ended_at=row.ended_at,
                )
            )
    return found


def row(connection: Connection, run_id: str) -> RunRow:
    """Return one run; raises NotFoundError."""
    for found in rows(connection, [run_id]):
        return found
    raise NotFoundError("There is no such run.", subject=run_id)


def item_counts(
    connection: Connection, run_ids: Collection[str]
) -> dict[str, dict[ItemState, int]]:
    """Return the number of items by state, for each of the runs."""
    found: defaultdict[str, dict[ItemState, int]] = defaultdict(dict)
    for some in chunks(run_ids):
        counted = select(ITEM.c.run_id, ITEM.c.state, func.count())
        counted = counted.where(ITEM.c.run_id.in_(some)).group_by(ITEM.c.run_id, ITEM.c.state)
        for run_id, state, count in connection.execute(counted):
            found[run_id][ItemState(state)] = count
    return dict(found)


def open_item_counts(connection: Connection) -> dict[ItemState, int]:
    """Return the number of unfinished items of all runs by state."""
    counted = select(ITEM.c.state, func.count()).where(ITEM.c.state.in_(OPEN_STATES))
    return {
        ItemState(state): count
        for state, count in connection.execute(counted.group_by(ITEM.c.state))
    }


def state_counts(connection: Connection) -> dict[RunState, int]:
    """Return the number of runs by state. For a start: it looks at every run."""
    found: defaultdict[RunState, int] = defaultdict(int)
    ids = list(connection.scalars(select(RUN.c.id)))
    counts = item_counts(connection, ids)
    for run_id in ids:
        found[run_state_of(counts.get(run_id, {}))] += 1
    return dict(found)


def open_ids(connection: Connection) -> list[str]:
    """Return the runs that have unfinished items, oldest first."""
    wanted = select(RUN.c.id).where(RUN.c.ended_at.is_(None)).order_by(RUN.c.created_at)
    return list(connection.scalars(wanted))


def save_handed_over(connection: Connection, run_ids: Collection[str], at: float) -> Touched:
    """Note that agents hold every unfinished item, for those of the runs where that is so."""
    waiting = select(ITEM.c.run_id).where(
        ITEM.c.run_id.in_(list(run_ids)),
        ITEM.c.state.in_(OPEN_STATES),
        ITEM.c.accepted_at.is_(None),
    )
    done = select(RUN.c.id).where(
        RUN.c.id.in_(list(run_ids)), RUN.c.handed_over_at.is_(None), RUN.c.id.not_in(waiting)
    )
    ids = frozenset(connection.scalars(done))
    if ids:
        connection.execute(update(RUN).where(RUN.c.id.in_(ids)).values(handed_over_at=at))
    return Touched(runs=ids)


def save_ended(connection: Connection, run_ids: Collection[str], at: float) -> None:
    """Note the end of those of the runs in which no item is unfinished."""
    # One unfinished item answers for a run: the others are not looked at.
    unfinished = exists().where(ITEM.c.run_id == RUN.c.id, ITEM.c.state.in_(OPEN_STATES))
    connection.execute(
        update(RUN)
        .where(RUN.c.id.in_(list(run_ids)), RUN.c.ended_at.is_(None), ~unfinished)
        .values(ended_at=at)
    )


def _item_values(
    run_id: str,
    position: int,
    item: NewItem,
    answer: str | DuplicateIntentError | None,
    at: float,
) -> dict[str, object]:
    refused = answer if isinstance(answer, DuplicateIntentError) else None
    return {
        "id": item.id,
        "run_id": run_id,
        "position": position,
        "account_id": item.account_id,
        "username": item.username,
        "agent_id": item.agent_id,
        "title": item.title,
        "state": (ItemState.SKIPPED if refused else ItemState.QUEUED).value,
        "attempt": 1,
        "driver": item.driver.value,
        "driver_reason": item.driver_reason,
        "parameters": item.parameters,
        "intent_id": answer if isinstance(answer, str) else None,
        "not_before": item.not_before,
        "step": "",
        "error": error_to_store(refused.to_wire()) if refused else None,
        "result": {},
        "offered_at": None,
        "accepted_at": None,
        "started_at": None,
        "ended_at": at if refused else None,
        "changed_at": at,
        "log_end": 0,
        "wanted": None,
    }
