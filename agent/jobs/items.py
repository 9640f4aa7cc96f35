"""Items in the journal: how one is taken over, started, ended, interrupted and controlled.

Each function is one piece of work for the journal's thread: it reads, decides by the tables of
`common.domain.transitions`, writes, and appends the event that tells of it. It is a long file so
that all that may become of an item, and of its effect with it, can be read in one place.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from agent.jobs import actions
from agent.jobs.actions import ActionRow
from agent.jobs.fences import raise_fence, same_account
from agent.jobs.journal import Transaction
from agent.jobs.sessions import forget_sessions, with_newest_session
from agent.jobs.waiting import WaitingItem, waiting_item
from agent.runners.messages import ActionRecord, ItemEnded
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState, SignInState
from common.domain.transitions import ITEM_FINAL, require_item_step
from common.errors import (
    ChallengeRequiredError,
    ConflictError,
    CredentialsRefusedError,
    DriverError,
    NotFoundError,
    RunnerLostError,
    SecondFactorRefusedError,
    SessionExpiredError,
    WireError,
)
from common.items import ItemSpec
from common.protocol.events import AccountObserved, ItemChanged
from common.protocol.messages import InventoryRow
from common.security.sealing import place_of, seal, unseal

INTERRUPTIONS = 3
"""How often a lost runner may interrupt an item before it fails."""

_FINAL = tuple(sorted(ITEM_FINAL))
_FINAL_MARKS = ", ".join("?" for _ in _FINAL)
_COLUMNS = "item_id, run_id, account_id, identity, driver, attempt, fence, state, interruptions"
_RESULT_LIMIT = 16 * 1024

_OBSERVED: dict[str, SignInState] = {
    CredentialsRefusedError.code: SignInState.REFUSED,
    SecondFactorRefusedError.code: SignInState.REFUSED,
    ChallengeRequiredError.code: SignInState.CHALLENGE,
    SessionExpiredError.code: SignInState.SIGNED_OUT,
}
"""What an item's error says of its account."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as the journal knows it, without its secrets."""

    item_id: str
    run_id: str
    account_id: str
    identity: str
    driver: DriverName
    attempt: int
    fence: int
    state: ItemState
    interruptions: int


@dataclass(frozen=True, slots=True)
class StartedItem:
    """An item that was set to running, complete for a runner."""

    item: ItemSpec
    action: ActionRecord | None


def accept(transaction: Transaction, item: ItemSpec) -> WaitingItem | None:
    """Take an item over; None where this attempt of it was taken over before.

    Raises ConflictError, StaleFenceError or DuplicateIntentError; then nothing has changed.
    """
    known = find_item(transaction, item.item_id)
    if known is not None and known.attempt == item.attempt:
        return None
    if known is not None:
        _require_new_attempt(known, item)
    same_account(transaction, item.account)
    raise_fence(transaction, item.account, item.fence)
    position = _next_position(transaction)
    _insert(transaction, item, position)
    if item.publish is not None:
        actions.plan_publish(transaction, item, item.publish)
    transaction.append(
        ItemChanged(item_id=item.item_id, attempt=item.attempt, state=ItemState.ASSIGNED)
    )
    return waiting_item(item, position)


def start(transaction: Transaction, item_id: str, log_end: int) -> StartedItem:
    """Set a waiting item to running and open its secrets.

    Raises ConflictError where another post of the account is not settled yet, and
    DuplicateIntentError where this one exists already, or may exist.
    """
    row = _require(transaction, item_id)
    action = actions.action_of_item(transaction, item_id)
    if action is not None and not _is_confirmed(action):
        actions.require_no_twin(transaction, action, row.identity)
    if action is not None and actions.has_undecided(
        transaction, row.identity, but=action.action_id
    ):
        raise ConflictError("Another post of this account is not settled yet.")
    _change(transaction, row, ItemState.RUNNING, log_end=log_end)
    item = load_spec(transaction, row)
    return StartedItem(item, action.record() if action else None)


def load_spec(transaction: Transaction, row: ItemRow) -> ItemSpec:
    """Return an unfinished item whole, with its secrets and the newest session."""
    spec, sealed = transaction.execute(
        "SELECT spec, sealed FROM item_spec JOIN item_access USING (item_id) WHERE item_id = ?",
        (row.item_id,),
    ).fetchone()
    place = _place(row.item_id, row.attempt)
    access = AccountAccess.model_validate_json(unseal(transaction.key, sealed, place))
    access = with_newest_session(transaction, access)
    return ItemSpec.model_validate_json(spec).model_copy(update={"account": access})


def finish(
    transaction: Transaction, ended: ItemEnded, *, cancelled: bool, log_end: int
) -> ItemState:
    """End a running item as its runner says, unless its action says otherwise.

    `cancelled` tells whether the operator asked for it; a runner that cancels by itself, because
    it stops, only interrupts. Returns the state the item is in now.
    """
    row = _require(transaction, ended.item_id)
    action = actions.action_of_item(transaction, ended.item_id)
    if action is not None and action.state is ActionState.SENDING:
        note = "The runner ended the item without a verdict on the request that it was sending."
        return _hold_doubt(transaction, row, action, note, log_end)
    if action is not None and _is_confirmed(action):
        return _end_confirmed(transaction, row, action, log_end, step=ended.step)
    if ended.state is ItemState.CANCELLED and not cancelled:
        return interrupt(
            transaction, row.item_id, "", counted=False, cancelled=False, log_end=log_end
        )
    state, error = ended.state, ended.error
    if action is not None and action.state in actions.UNDECIDED:
        state = ItemState.NEEDS_OPERATOR
    if state is ItemState.DONE and action is not None:
        state = ItemState.FAILED
        error = DriverError("The item ended without a confirmed post.").to_wire()
    _change(
        transaction,
        row,
        state,
        step=ended.step,
        error=error,
        result=_bounded(ended.result),
        log_end=log_end,
    )
    _observe(transaction, row, error)
    return state


def interrupt(
    transaction: Transaction,
    item_id: str,
    reason: str,
    *,
    counted: bool,
    cancelled: bool,
    log_end: int,
) -> ItemState:
    """Settle a running item whose runner, or whose agent, is gone.

    What was being sent is in doubt and waits for a person; what was confirmed is done; everything
    else goes back to waiting, at most `INTERRUPTIONS` times where it is `counted`.
    """
    row = _require(transaction, item_id)
    if row.state is ItemState.ASSIGNED:
        return row.state
    action = actions.action_of_item(transaction, item_id)
    if action is not None and action.state is ActionState.SENDING:
        return _hold_doubt(transaction, row, action, _doubt_note(reason), log_end)
    if action is not None and _is_confirmed(action):
        return _end_confirmed(transaction, row, action, log_end)
    if action is not None and action.state not in actions.NOT_SENT:
        _change(transaction, row, ItemState.NEEDS_OPERATOR, step=action.note, log_end=log_end)
        return ItemState.NEEDS_OPERATOR
    if row.state is ItemState.RUNNING:
        _change(transaction, row, ItemState.INTERRUPTED, step=reason, log_end=log_end)
        row = _require(transaction, item_id)
    if cancelled:
        _change(transaction, row, ItemState.CANCELLED, log_end=log_end)
        return ItemState.CANCELLED
    return _requeue(transaction, row, reason, counted=counted, log_end=log_end)


def fail(transaction: Transaction, item_id: str, error: WireError) -> ItemState:
    """End an item that could not be started at all."""
    _change(transaction, _require(transaction, item_id), ItemState.FAILED, error=error)
    return ItemState.FAILED


def pause(transaction: Transaction, item_id: str) -> None:
    """Set a waiting item aside. Raises ConflictError where it is not waiting."""
    row = _require(transaction, item_id)
    if row.state is not ItemState.PAUSED:
        _control(transaction, row, ItemState.PAUSED, "paused")


def set_aside(transaction: Transaction, item_id: str, reason: str) -> None:
    """Pause a waiting item for a reason of the agent's own."""
    _change(transaction, _require(transaction, item_id), ItemState.PAUSED, step=reason)


def resume(transaction: Transaction, item_id: str) -> WaitingItem | None:
    """Let an item go on; None where it is waiting already.

    Raises ConflictError where it has ended, or its effect is in doubt.
    """
    row = _require(transaction, item_id)
    if row.state is ItemState.ASSIGNED:
        return None
    action = actions.action_of_item(transaction, item_id)
    if action is not None and action.state not in actions.NOT_SENT and not _is_confirmed(action):
        raise ConflictError(
            "The post may already exist, so the item is not run again.",
            advice="Look at the account's page; cancel the item to close it.",
        )
    _control(transaction, row, ItemState.ASSIGNED, "resumed")
    position = _next_position(transaction)
    transaction.execute("UPDATE item SET position = ? WHERE item_id = ?", (position, item_id))
    return waiting_item(load_spec(transaction, row), position)


def cancel(transaction: Transaction, item_id: str) -> str:
    """Cancel an item that is not running; returns its account's id.

    An effect in doubt is closed as unresolved: its key stays taken. Raises ConflictError where
    the item has ended or is running.
    """
    row = _require(transaction, item_id)
    if row.state is ItemState.CANCELLED:
        return row.account_id
    action = actions.action_of_item(transaction, item_id)
    if action is not None and action.state is ActionState.IN_DOUBT:
        actions.close_unresolved(transaction, action, row.attempt)
    _control(transaction, row, ItemState.CANCELLED, "cancelled")
    return row.account_id


def note_step(transaction: Transaction, item_id: str, step: str) -> None:
    """Say why an item still waits, in its step; its state stays."""
    row = _require(transaction, item_id)
    transaction.execute("UPDATE item SET step = ? WHERE item_id = ?", (step, item_id))
    transaction.append(
        ItemChanged(item_id=item_id, attempt=row.attempt, state=row.state, step=step)
    )


def find_item(transaction: Transaction, item_id: str) -> ItemRow | None:
    """Return an item by its id."""
    found = transaction.execute(
        f"SELECT {_COLUMNS} FROM item WHERE item_id = ?",  # noqa: S608 - a constant
        (item_id,),
    ).fetchone()
    return _row(found) if found else None


def in_state(transaction: Transaction, *states: ItemState) -> list[ItemRow]:
    """Return every item in one of `states`, first come first."""
    marks = ", ".join("?" for _ in states)
    found = transaction.execute(
        f"SELECT {_COLUMNS} FROM item WHERE state IN ({marks}) ORDER BY position",  # noqa: S608
        states,
    )
    return [_row(row) for row in found]


def load_waiting(transaction: Transaction) -> list[WaitingItem]:
    """Return every item that waits for its turn, first come first."""
    found = transaction.execute(
        "SELECT spec, position FROM item JOIN item_spec USING (item_id) WHERE state = ? "
        "ORDER BY position",
        (ItemState.ASSIGNED,),
    )
    return [waiting_item(ItemSpec.model_validate_json(spec), place) for spec, place in found]


def needed_blobs(transaction: Transaction) -> set[str]:
    """Return the SHA-256 of every file that an unfinished item needs, whatever it waits for."""
    found = transaction.execute(
        "SELECT spec FROM item JOIN item_spec USING (item_id) "  # noqa: S608 - a constant
        f"WHERE state NOT IN ({_FINAL_MARKS})",
        _FINAL,
    )
    specs = (json.loads(spec) for (spec,) in found)
    return {media["sha256"] for spec in specs for media in (spec["publish"] or {}).get("media", ())}


def inventory(transaction: Transaction) -> list[InventoryRow]:
    """Return every item that has not ended."""
    found = transaction.execute(
        "SELECT item_id, run_id, account_id, attempt, state, fence FROM item "  # noqa: S608
        f"WHERE state NOT IN ({_FINAL_MARKS}) ORDER BY position",
        _FINAL,
    )
    return [
        InventoryRow(
            item_id=row[0],
            run_id=row[1],
            account_id=row[2],
            attempt=row[3],
            state=ItemState(row[4]),
            fence=row[5],
        )
        for row in found
    ]


def _require(transaction: Transaction, item_id: str) -> ItemRow:
    row = find_item(transaction, item_id)
    if row is None:
        raise NotFoundError("The agent has no such item.", subject=item_id)
    return row


def _require_new_attempt(known: ItemRow, item: ItemSpec) -> None:
    if item.attempt < known.attempt:
        raise ConflictError(f"A later attempt ({known.attempt}) of this item is known here.")
    if known.state not in ITEM_FINAL:
        raise ConflictError(f"Attempt {known.attempt} of this item has not ended yet.")


def _next_position(transaction: Transaction) -> int:
    (last,) = transaction.execute("SELECT max(position) FROM item").fetchone()
    return int(last or 0) + 1


def _insert(transaction: Transaction, item: ItemSpec, position: int) -> None:
    now = transaction.now
    transaction.execute(
        "INSERT INTO item (item_id, run_id, task, account_id, identity, driver, attempt, fence, "
        "state, position, not_before, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (item_id) DO UPDATE SET run_id = excluded.run_id, "
        "attempt = excluded.attempt, fence = excluded.fence, identity = excluded.identity, "
        "account_id = excluded.account_id, driver = excluded.driver, state = excluded.state, "
        "position = excluded.position, not_before = excluded.not_before, interruptions = 0, "
        "step = '', error = NULL, result = '{}', updated_at = excluded.updated_at",
        (
            item.item_id,
            item.run_id,
            item.task,
            item.account.account_id,
            item.account.identity,
            item.account.driver,
            item.attempt,
            item.fence,
            ItemState.ASSIGNED,
            position,
            item.not_before,
            now,
            now,
        ),
    )
    transaction.execute(
        "INSERT OR REPLACE INTO item_spec (item_id, spec) VALUES (?, ?)",
        (item.item_id, _spec_without_secrets(item)),
    )
    sealed = seal(
        transaction.key, item.account.model_dump_json(), _place(item.item_id, item.attempt)
    )
    transaction.execute(
        "INSERT OR REPLACE INTO item_access (item_id, sealed) VALUES (?, ?)",
        (item.item_id, sealed),
    )


def _spec_without_secrets(item: ItemSpec) -> str:
    proxy = item.account.proxy
    bare = item.account.model_copy(
        update={
            "password": None,
            "totp_seed": None,
            "session": None,
            "proxy": proxy.model_copy(update={"password": None}) if proxy else None,
        }
    )
    return item.model_copy(update={"account": bare}).model_dump_json()


def _change(
    transaction: Transaction,
    row: ItemRow,
    state: ItemState,
    *,
    step: str = "",
    error: WireError | None = None,
    result: dict[str, Any] | None = None,
    log_end: int = 0,
) -> None:
    require_item_step(row.state, state)
    transaction.execute(
        "UPDATE item SET state = ?, step = ?, error = ?, result = ?, updated_at = ? "
        "WHERE item_id = ?",
        (
            state,
            step,
            error.model_dump_json() if error else None,
            json.dumps(result or {}),
            transaction.now,
            row.item_id,
        ),
    )
    transaction.append(
        ItemChanged(
            item_id=row.item_id,
            attempt=row.attempt,
            state=state,
            step=step,
            error=error,
            result=result or {},
            log_end=log_end,
        )
    )
    if state in ITEM_FINAL:
        _wipe_secrets(transaction, row)


def _wipe_secrets(transaction: Transaction, row: ItemRow) -> None:
    transaction.execute("DELETE FROM item_access WHERE item_id = ?", (row.item_id,))
    left = transaction.execute(
        f"SELECT 1 FROM item WHERE account_id = ? AND state NOT IN ({_FINAL_MARKS}) LIMIT 1",  # noqa: S608
        (row.account_id, *_FINAL),
    ).fetchone()
    if left is None:
        forget_sessions(transaction, row.account_id)


def _control(transaction: Transaction, row: ItemRow, state: ItemState, verb: str) -> None:
    if row.state in ITEM_FINAL:
        raise ConflictError(f"The item has already ended ({row.state}).")
    if row.state is ItemState.RUNNING:
        raise ConflictError(f"The item is running and cannot be {verb} now.")
    try:
        _change(transaction, row, state)
    except sqlite3.IntegrityError as problem:
        raise ConflictError("Another item of this account is running.") from problem


def _hold_doubt(
    transaction: Transaction, row: ItemRow, action: ActionRow, note: str, log_end: int
) -> ItemState:
    actions.leave_in_doubt(transaction, action, row.attempt, note)
    error = WireError(
        code="ambiguous_effect",
        message=note,
        advice="Look at the account's page: a person decides whether the post exists.",
    )
    _change(transaction, row, ItemState.NEEDS_OPERATOR, step=note, error=error, log_end=log_end)
    return ItemState.NEEDS_OPERATOR


def _end_confirmed(
    transaction: Transaction, row: ItemRow, action: ActionRow, log_end: int, *, step: str = ""
) -> ItemState:
    """End an item whose effect exists: it is done, whatever came after the effect."""
    result = {"remote_id": action.remote_id, "url": action.remote_url}
    _change(transaction, row, ItemState.DONE, step=step, result=result, log_end=log_end)
    return ItemState.DONE


def _requeue(
    transaction: Transaction, row: ItemRow, reason: str, *, counted: bool, log_end: int
) -> ItemState:
    interruptions = row.interruptions + (1 if counted else 0)
    if interruptions > INTERRUPTIONS:
        error = RunnerLostError(
            f"The process that ran the item ended {interruptions} times."
        ).to_wire()
        _change(transaction, row, ItemState.FAILED, step=reason, error=error, log_end=log_end)
        return ItemState.FAILED
    transaction.execute(
        "UPDATE item SET interruptions = ? WHERE item_id = ?", (interruptions, row.item_id)
    )
    _change(transaction, row, ItemState.ASSIGNED, step=reason, log_end=log_end)
    return ItemState.ASSIGNED


def _observe(transaction: Transaction, row: ItemRow, error: WireError | None) -> None:
    if error is None or error.code not in _OBSERVED:
        return
    transaction.append(
        AccountObserved(
            account_id=row.account_id,
            sign_in=_OBSERVED[error.code],
            driver=row.driver,
            error=error,
        )
    )


def _is_confirmed(action: ActionRow) -> bool:
    return action.state is ActionState.CONFIRMED


def _doubt_note(reason: str) -> str:
    return f"{reason} The deciding request was on its way: the post may or may not exist."


def _bounded(result: dict[str, Any]) -> dict[str, Any]:
    return result if len(json.dumps(result)) <= _RESULT_LIMIT else {}


def _place(item_id: str, attempt: int) -> str:
    return place_of("item_access", "sealed", f"{item_id}/{attempt}", 1)


def _row(found: tuple[Any, ...]) -> ItemRow:
    return ItemRow(
        item_id=found[0],
        run_id=found[1],
        account_id=found[2],
        identity=found[3],
        driver=DriverName(found[4]),
        attempt=found[5],
        fence=found[6],
        state=ItemState(found[7]),
        interruptions=found[8],
    )
