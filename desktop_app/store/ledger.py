"""The ledger: every step of an external effect, as the agents reported it or a person said it."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from common.domain.states import ActionState
from desktop_app.contract.runs import AccountLedger, ItemLedger, LedgerEntry
from desktop_app.store.tables import AGENT, ITEM, LEDGER_STEP, PUBLISH_INTENT

_HERE = {"agent_id": "", "epoch": "here"}
"""Where steps are noted that were taken in this store, without an agent."""


def of_item(connection: Connection, item_id: str) -> ItemLedger:
    """Return everything known of an item's external effect, oldest first."""
    # The index is one of accounts.
    account_id = select(ITEM.c.account_id).where(ITEM.c.id == item_id).scalar_subquery()
    wanted = _select().where(
        LEDGER_STEP.c.account_id == account_id, LEDGER_STEP.c.item_id == item_id
    )
    wanted = wanted.order_by(LEDGER_STEP.c.attempt, LEDGER_STEP.c.at, LEDGER_STEP.c.seq)
    entries = [_entry(row) for row in connection.execute(wanted).mappings()]
    return ItemLedger(item_id=item_id, entries=entries)


def of_account(
    connection: Connection,
    account_id: str,
    *,
    state: ActionState | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> AccountLedger:
    """Return a slice of everything known of an account's external effects, newest first."""
    where = [LEDGER_STEP.c.account_id == account_id]
    if state is not None:
        where.append(LEDGER_STEP.c.state == state.value)
    total = connection.scalar(select(func.count()).select_from(LEDGER_STEP).where(*where)) or 0
    newest = (LEDGER_STEP.c.at.desc(), LEDGER_STEP.c.epoch.desc(), LEDGER_STEP.c.seq.desc())
    wanted = _select().where(*where).order_by(*newest).offset(offset).limit(limit)
    entries = [_entry(row) for row in connection.execute(wanted).mappings()]
    return AccountLedger(account_id=account_id, entries=entries, total=total)


def note_here(
    connection: Connection, intent_id: str, state: ActionState, *, by: str, note: str, at: float
) -> None:
    """Add a step that a person took where no agent could: on an intent, in its present item."""
    wanted = (
        select(PUBLISH_INTENT, ITEM.c.attempt, ITEM.c.driver)
        .join(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .where(PUBLISH_INTENT.c.id == intent_id)
    )
    row = connection.execute(wanted).mappings().one()
    last = select(func.max(LEDGER_STEP.c.seq)).where(
        *(LEDGER_STEP.c[name] == value for name, value in _HERE.items())
    )
    step = _HERE | {
        "seq": (connection.scalar(last) or 0) + 1,
        "action_id": intent_id,
        "item_id": row["item_id"],
        "attempt": row["attempt"],
        "account_id": row["account_id"],
        "operation": "publish",
        "state": state.value,
        "driver": row["driver"],
        "resume": {},
        "remote_id": row["remote_id"],
        "remote_url": row["remote_url"],
        "note": note,
        "at": at,
        "baseline": None,
        "sighted": None,
        "by": by,
    }
    connection.execute(LEDGER_STEP.insert().values(step))


def _select() -> Select[Any]:
    return (
        select(
            LEDGER_STEP,
            func.coalesce(AGENT.c.name, "").label("agent"),
            func.coalesce(ITEM.c.run_id, "").label("run_id"),
            func.coalesce(ITEM.c.title, "").label("title"),
        )
        .select_from(LEDGER_STEP)
        .outerjoin(AGENT, AGENT.c.id == LEDGER_STEP.c.agent_id)
        .outerjoin(ITEM, ITEM.c.id == LEDGER_STEP.c.item_id)
    )


def _entry(row: RowMapping) -> LedgerEntry:
    values = {name: row[name] for name in LedgerEntry.model_fields if name in row}
    return LedgerEntry.model_validate(values | {"sighted": row["sighted"] or []})
