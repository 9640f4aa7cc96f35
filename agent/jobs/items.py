"""Items in the journal: how one is taken over, started, paused, resumed and cancelled.

Each function is one piece of work for the journal's thread: it reads, decides by the tables of
`common.domain.transitions`, writes, and appends the event that tells of it. How a running item ends
is in `endings.py`, what a person says of a doubt in `settling.py`.
"""

import json
import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from agent.jobs import actions, doubts
from agent.jobs.actions import ActionRow
from agent.jobs.fences import raise_fence, same_account
from agent.jobs.journal import Transaction
from agent.jobs.sessions import forget_sessions, with_newest_session
from agent.jobs.waiting import WaitingItem, waiting_item
from agent.runners.messages import ActionRecord
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL, require_item_step
from common.errors import ConflictError, NotFoundError, WireError
from common.items import ItemSpec
from common.protocol.events import ItemChanged
from common.security.sealing import place_of, seal, unseal

# As the index `item_unfinished` says it: only so is it used.
UNFINISHED = "item.state NOT IN ('done', 'failed', 'cancelled', 'skipped')"
_WAITING = (ItemState.ASSIGNED, ItemState.PAUSED)
WAITS_FOR_DOUBT = "Waits: whether an earlier post of this account exists is not settled."
WAITS_FOR_SIGHT = "Waits: a post of this account that was in doubt may still show."
COLUMNS = (
    "item_id, run_id, account_id, identity, driver, attempt, fence, state, interruptions, "
    "cancel_asked"
)


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
    cancel_asked: bool
    """True once a cancel was acknowledged that waits for the verdict on the item's effect."""


@dataclass(frozen=True, slots=True)
class StartedItem:
    """An item that was set to running, complete for a runner."""

    item: ItemSpec
    action: ActionRecord | None
    cancel_asked: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item stands after a change: what the queue has to know of it."""

    item_id: str
    account_id: str
    state: ItemState
    publishes: bool
    in_doubt: bool
    """True where its effect may exist and looking may settle it."""
    waiting: WaitingItem | None = None
    """Set where it waits for its turn and the queue does not have it."""

    @property
    def holds(self) -> bool:
        """True where nothing else of the account is published before it is dealt with."""
        if self.state is ItemState.NEEDS_OPERATOR:
            return self.publishes
        return self.state is ItemState.PAUSED and self.in_doubt


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an item that was handed over."""

    waiting: WaitingItem | None = None
    """Set where it is new here, and waits for its turn now."""
    later_attempt: int | None = None
    """Set where a later attempt is known here: the desktop was told of that one instead."""


def accept(transaction: Transaction, item: ItemSpec, known_log_end: int = 0) -> Taken:
    """Take an item over. An attempt that is known here is told again where it has moved on.

    Raises ConflictError, StaleFenceError or DuplicateIntentError; then nothing has changed.
    """
    known = find_item(transaction, item.item_id)
    if known is not None and known.attempt >= item.attempt:
        _tell_again(transaction, known, known_log_end)
        return Taken(later_attempt=known.attempt if known.attempt > item.attempt else None)
    if known is not None and known.state not in ITEM_FINAL:
        raise ConflictError(f"Attempt {known.attempt} of this item has not ended yet.")
    same_account(transaction, item.account)
    raise_fence(transaction, item.account.identity, item.fence, item.account.username)
    position = _next_position(transaction)
    _insert(transaction, item, position)
    transaction.append(
        ItemChanged(item_id=item.item_id, attempt=item.attempt, state=ItemState.ASSIGNED)
    )
    in_doubt = _plan_effect(transaction, item)
    return Taken(waiting_item(item, position, in_doubt=in_doubt))


def start(transaction: Transaction, item_id: str, log_end: int) -> StartedItem:
    """Set a waiting item to running and open its secrets.

    Raises ConflictError where another post of the account is not settled yet, or one may still
    show that a person has settled; DuplicateIntentError where this one exists, or may exist.
    """
    row = require(transaction, item_id)
    action = actions.action_of_item(transaction, item_id)
    if action is not None and action.state in actions.NOT_SENT:
        actions.require_no_twin(transaction, action, row.identity)
        if actions.has_undecided(transaction, row.identity, but=action.action_id):
            raise ConflictError(WAITS_FOR_DOUBT)
        if actions.may_be_unseen(transaction, row.identity):
            raise ConflictError(WAITS_FOR_SIGHT)
    change(transaction, row, ItemState.RUNNING, log_end=log_end)
    item = load_spec(transaction, row)
    record = actions.record_of(transaction, action) if action else None
    return StartedItem(item, record, row.cancel_asked)


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


def fail(transaction: Transaction, item_id: str, error: WireError) -> Standing:
    """End an item that could not be started at all."""
    row = require(transaction, item_id)
    change(transaction, row, ItemState.FAILED, error=error)
    return standing_of(row, ItemState.FAILED, actions.action_of_item(transaction, item_id))


def pause(transaction: Transaction, item_id: str, fence: int | None = None) -> Standing:
    """Set a waiting item aside. Raises ConflictError where it is not waiting."""
    row = _commanded(transaction, item_id, fence)
    if row.state is not ItemState.PAUSED:
        _control(transaction, row, ItemState.PAUSED, "paused")
    return standing_of(row, ItemState.PAUSED, actions.action_of_item(transaction, item_id))


def resume(transaction: Transaction, item_id: str, fence: int | None = None) -> Standing:
    """Let an item go on.

    Raises ConflictError where it has ended, or a person has to say whether its effect exists.
    """
    row = _commanded(transaction, item_id, fence)
    action = actions.action_of_item(transaction, item_id)
    if row.state is ItemState.ASSIGNED:
        return standing_of(row, row.state, action)
    if action is not None and action.state is ActionState.UNRESOLVED:
        raise ConflictError(
            "The post may already exist, so the item is not run again.",
            advice="Say on its card whether the post is there; cancel the item to close it.",
        )
    _control(transaction, row, ItemState.ASSIGNED, "resumed")
    transaction.execute(
        "UPDATE item SET position = ?, cancel_asked = 0 WHERE item_id = ?",
        (_next_position(transaction), item_id),
    )
    return queued(transaction, row, action)


def cancel(
    transaction: Transaction, item_id: str, fence: int | None = None
) -> tuple[Standing, ConflictError | None]:
    """Cancel an item; returns where it stands, and why it is not over yet.

    A running one is noted, so that the cancel outlives a crash. While its effect is on its way or
    in doubt the cancel waits for the verdict; one that waits for a person is closed without one,
    and its key stays taken. Raises ConflictError where the item has ended otherwise.
    """
    row = _commanded(transaction, item_id, fence)
    action = actions.action_of_item(transaction, item_id)
    if row.state is ItemState.CANCELLED:
        return standing_of(row, row.state, action), None
    in_doubt = action is not None and is_doubt(action.state)
    if row.state is ItemState.RUNNING or (in_doubt and row.state in _WAITING):
        standing = _cancel_later(transaction, row, action)
        return standing, _point_of_no_return() if in_doubt else None
    if action is not None and in_doubt:
        note = "The operator closed the item without a verdict."
        action = doubts.leave_unresolved(transaction, action, row.attempt, note)
    _control(transaction, row, ItemState.CANCELLED, "cancelled")
    return standing_of(row, ItemState.CANCELLED, action), None


def note_step(transaction: Transaction, item_id: str, step: str) -> None:
    """Say why an item still waits, in its step; its state stays, and what is said is said once."""
    row = require(transaction, item_id)
    said = transaction.execute(
        "UPDATE item SET step = ? WHERE item_id = ? AND step <> ?", (step, item_id, step)
    )
    if said.rowcount and row.state not in ITEM_FINAL:
        transaction.append(
            ItemChanged(item_id=item_id, attempt=row.attempt, state=row.state, step=step)
        )


def tell(transaction: Transaction, row: ItemRow, log_end: int = 0) -> None:
    """Tell the desktop how an item stands: it may have lost what was told before."""
    step, error, result = transaction.execute(
        "SELECT step, error, result FROM item WHERE item_id = ?", (row.item_id,)
    ).fetchone()
    transaction.append(
        ItemChanged(
            item_id=row.item_id,
            attempt=row.attempt,
            state=row.state,
            step=step,
            error=WireError.model_validate_json(error) if error else None,
            result=json.loads(result),
            log_end=log_end,
        )
    )


def find_item(transaction: Transaction, item_id: str) -> ItemRow | None:
    """Return an item by its id."""
    found = transaction.execute(
        f"SELECT {COLUMNS} FROM item WHERE item_id = ?",  # noqa: S608 - a constant
        (item_id,),
    ).fetchone()
    return row_of(found) if found else None


def queued(transaction: Transaction, row: ItemRow, action: ActionRow | None) -> Standing:
    """Return where an item stands that waits for its turn now, and what the queue keeps of it."""
    spec, position = transaction.execute(
        "SELECT spec, position FROM item JOIN item_spec USING (item_id) WHERE item_id = ?",
        (row.item_id,),
    ).fetchone()
    in_doubt = action is not None and is_doubt(action.state)
    waiting = waiting_item(ItemSpec.model_validate_json(spec), position, in_doubt=in_doubt)
    return replace(standing_of(row, ItemState.ASSIGNED, action), waiting=waiting)


def standing_of(row: ItemRow, state: ItemState, action: ActionRow | None) -> Standing:
    """Return where an item stands once it is in `state`."""
    return Standing(
        item_id=row.item_id,
        account_id=row.account_id,
        state=state,
        publishes=action is not None,
        in_doubt=action is not None and is_doubt(action.state),
    )


def require(transaction: Transaction, item_id: str) -> ItemRow:
    """Return an item by its id; raises NotFoundError."""
    row = find_item(transaction, item_id)
    if row is None:
        raise NotFoundError("The agent has no such item.", subject=item_id)
    return row


def obey(transaction: Transaction, row: ItemRow, fence: int | None) -> None:
    """Raise StaleFenceError where the item's account has seen a higher fence; keep a higher one."""
    if fence is not None:
        raise_fence(transaction, row.identity, fence, "the account")


def _commanded(transaction: Transaction, item_id: str, fence: int | None) -> ItemRow:
    """Return an item that a desktop commands; raises StaleFenceError where it may not any more."""
    row = require(transaction, item_id)
    obey(transaction, row, fence)
    return row


def _plan_effect(transaction: Transaction, item: ItemSpec) -> bool:
    """Write the item's intent, if it has one; say whether it is in doubt."""
    publish = item.publish
    if publish is None:
        return False
    action = actions.plan_publish(transaction, item, publish)
    if publish.doubt is not None:
        action = doubts.take_doubt(transaction, action, item.attempt, publish.doubt)
    return is_doubt(action.state)


def _tell_again(transaction: Transaction, row: ItemRow, log_end: int) -> None:
    """Tell a desktop that hands an item over once more what has become of it meanwhile."""
    action = actions.action_of_item(transaction, row.item_id)
    is_begun = action is not None and action.state is not ActionState.PLANNED
    if row.state is ItemState.ASSIGNED and not is_begun:
        return
    if action is not None and is_begun:
        actions.tell(transaction, action, row.attempt)
    tell(transaction, row, log_end)


def _cancel_later(transaction: Transaction, row: ItemRow, action: ActionRow | None) -> Standing:
    transaction.execute("UPDATE item SET cancel_asked = 1 WHERE item_id = ?", (row.item_id,))
    if row.state is ItemState.PAUSED:
        change(transaction, row, ItemState.ASSIGNED)
        return queued(transaction, row, action)
    return standing_of(row, row.state, action)


def _point_of_no_return() -> ConflictError:
    return ConflictError(
        "The post is past the point of no return: the cancel waits for the verdict.",
        advice="It is cancelled if it proves not to be there, and done if it is.",
    )


def is_doubt(state: str | None) -> bool:
    """Say whether looking may settle an effect in this state."""
    return state is not None and state in actions.UNDECIDED


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
        "cancel_asked = 0, step = '', error = NULL, result = '{}', "
        "updated_at = excluded.updated_at",
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


def change(
    transaction: Transaction,
    row: ItemRow,
    state: ItemState,
    *,
    step: str = "",
    error: WireError | None = None,
    result: dict[str, Any] | None = None,
    log_end: int = 0,
) -> None:
    """Move an item, and tell the desktop; its secrets are wiped once it has ended.

    Raises IllegalTransitionError where it may not go there.
    """
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
        f"SELECT 1 FROM item WHERE account_id = ? AND {UNFINISHED} LIMIT 1",  # noqa: S608
        (row.account_id,),
    ).fetchone()
    if left is None:
        forget_sessions(transaction, row.account_id)


def _control(transaction: Transaction, row: ItemRow, state: ItemState, verb: str) -> None:
    if row.state in ITEM_FINAL:
        raise ConflictError(f"The item has already ended ({row.state}).")
    if row.state is ItemState.RUNNING:
        raise ConflictError(f"The item is running and cannot be {verb} now.")
    try:
        change(transaction, row, state)
    except sqlite3.IntegrityError as problem:
        raise ConflictError("Another item of this account is running.") from problem


def _place(item_id: str, attempt: int) -> str:
    return place_of("item_access", "sealed", f"{item_id}/{attempt}", 1)


def row_of(found: tuple[Any, ...]) -> ItemRow:
    """Return an item from the columns of `COLUMNS`."""
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
        cancel_asked=bool(found[9]),
    )
