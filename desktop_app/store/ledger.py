"""Reading the ledger: every step of an external effect, as the agents reported it."""

from sqlalchemy import Connection, func, select

from common.domain.accounts import DriverName
from common.domain.states import ActionState
from desktop_app.contract.runs import ItemLedger, LedgerEntry
from desktop_app.store.tables import AGENT, LEDGER_STEP


def of_item(connection: Connection, item_id: str) -> ItemLedger:
    """Return everything known of an item's external effect, oldest first."""
    wanted = (
        select(LEDGER_STEP, func.coalesce(AGENT.c.name, "").label("agent"))
        .outerjoin(AGENT, AGENT.c.id == LEDGER_STEP.c.agent_id)
        .where(LEDGER_STEP.c.item_id == item_id)
        .order_by(LEDGER_STEP.c.attempt, LEDGER_STEP.c.at, LEDGER_STEP.c.seq)
    )
    entries = [
        LedgerEntry(
            at=row.at,
            action_id=row.action_id,
            attempt=row.attempt,
            operation=row.operation,
            state=ActionState(row.state),
            driver=DriverName(row.driver),
            agent=row.agent,
            seq=row.seq,
            resume=row.resume,
            remote_id=row.remote_id,
            remote_url=row.remote_url,
            note=row.note,
        )
        for row in connection.execute(wanted)
    ]
    return ItemLedger(item_id=item_id, entries=entries)
