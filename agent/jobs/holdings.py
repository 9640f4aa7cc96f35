"""What the agent holds: questions over all its items. Nothing is changed here."""

import json

from agent.jobs import actions
from agent.jobs.items import COLUMNS, UNFINISHED, ItemRow, Standing, is_doubt, row_of, standing_of
from agent.jobs.journal import Transaction
from agent.jobs.waiting import WaitingItem, waiting_item
from common.domain.states import ActionState, ItemState
from common.items import ItemSpec
from common.protocol.messages import InventoryRow


def in_state(transaction: Transaction, *states: ItemState) -> list[ItemRow]:
    """Return every item in one of `states`, first come first."""
    marks = ", ".join("?" for _ in states)
    found = transaction.execute(
        f"SELECT {COLUMNS} FROM item WHERE state IN ({marks}) ORDER BY position",  # noqa: S608
        states,
    )
    return [row_of(row) for row in found]


def load_waiting(transaction: Transaction) -> list[WaitingItem]:
    """Return every item that waits for its turn, first come first."""
    found = transaction.execute(
        "SELECT spec, position, action.state FROM item JOIN item_spec USING (item_id) "
        "LEFT JOIN action USING (item_id) WHERE item.state = ? ORDER BY position",
        (ItemState.ASSIGNED,),
    )
    return [
        waiting_item(ItemSpec.model_validate_json(spec), place, in_doubt=is_doubt(state))
        for spec, place, state in found
    ]


def load_holding(transaction: Transaction) -> list[Standing]:
    """Return every item that keeps others of its account from publishing."""
    rows = in_state(transaction, ItemState.NEEDS_OPERATOR, ItemState.PAUSED)
    standings = (
        standing_of(row, row.state, actions.action_of_item(transaction, row.item_id))
        for row in rows
    )
    return [standing for standing in standings if standing.holds]


def with_effect(transaction: Transaction) -> list[ItemRow]:
    """Return every unfinished item whose effect was sent, or may have been."""
    columns = ", ".join(f"item.{column}" for column in COLUMNS.split(", "))
    found = transaction.execute(
        f"SELECT {columns} FROM item JOIN action USING (item_id) WHERE {UNFINISHED} "  # noqa: S608
        "AND action.state NOT IN ('planned', 'prepared', 'proven_absent') ORDER BY position"
    )
    return [row_of(row) for row in found]


def needed_blobs(transaction: Transaction) -> set[str]:
    """Return the SHA-256 of every file that an unfinished item needs, whatever it waits for."""
    found = transaction.execute(
        "SELECT spec FROM item JOIN item_spec USING (item_id) "  # noqa: S608 - a constant
        f"WHERE {UNFINISHED}"
    )
    specs = (json.loads(spec) for (spec,) in found)
    return {media["sha256"] for spec in specs for media in (spec["publish"] or {}).get("media", ())}


def inventory(transaction: Transaction) -> list[InventoryRow]:
    """Return every item that has not ended, with the highest fence seen for its account."""
    found = transaction.execute(
        "SELECT item.item_id, run_id, item.account_id, attempt, item.state, "  # noqa: S608
        "max(item.fence, coalesce(seen.fence, 0)), coalesce(action_id, ''), action.state, "
        "coalesce(remote_id, ''), coalesce(remote_url, '') FROM item "
        "LEFT JOIN action USING (item_id) "
        "LEFT JOIN fence AS seen ON seen.identity = item.identity "
        f"WHERE {UNFINISHED} ORDER BY position"
    )
    return [
        InventoryRow(
            item_id=row[0],
            run_id=row[1],
            account_id=row[2],
            attempt=row[3],
            state=ItemState(row[4]),
            fence=row[5],
            action_id=row[6],
            action=ActionState(row[7]) if row[7] else None,
            remote_id=row[8],
            remote_url=row[9],
        )
        for row in found
    ]


def unfinished_ids(transaction: Transaction) -> set[str]:
    """Return the id of every item that has not ended."""
    found = transaction.execute(
        f"SELECT item_id FROM item WHERE {UNFINISHED}"  # noqa: S608 - a constant
    )
    return {item_id for (item_id,) in found}
