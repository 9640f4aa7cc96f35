"""How a running item ends: by its runner's word, by the loss of its runner, by the agent's own.

The journal decides, not the runner: a confirmed effect makes the item done, an effect in doubt
makes it run again to look, and whatever provably does not exist may be tried again.
"""

import json
from typing import Any

from agent.jobs import actions, doubts
from agent.jobs.actions import NOT_SENT, UNDECIDED, ActionRow
from agent.jobs.items import ItemRow, Standing, change, require, standing_of
from agent.jobs.journal import Transaction
from agent.runners.messages import ItemEnded
from common.domain.content import NamedPost
from common.domain.states import ActionState, ItemState, SignInState
from common.errors import (
    AmbiguousEffectError,
    ChallengeRequiredError,
    ConflictError,
    CredentialsRefusedError,
    DriverError,
    RunnerLostError,
    SecondFactorRefusedError,
    SessionExpiredError,
    WireError,
)
from common.protocol.events import AccountObserved
from common.reconcile import not_checked

INTERRUPTIONS = 3
"""How often a lost runner may interrupt an item before it fails."""
LOOKS_INTERRUPTED = 10
"""How often a lost runner may interrupt the look for an effect before a person is asked."""
STOPPED = "The agent stopped while the item was running."

_RESULT_LIMIT = 16 * 1024
_NO_VERDICT = "The runner ended the item without a verdict on the request that it was sending."
_OBSERVED: dict[str, SignInState] = {
    CredentialsRefusedError.code: SignInState.REFUSED,
    SecondFactorRefusedError.code: SignInState.REFUSED,
    ChallengeRequiredError.code: SignInState.CHALLENGE,
    SessionExpiredError.code: SignInState.SIGNED_OUT,
}
"""What an item's error says of its account."""


def finish(
    transaction: Transaction, ended: ItemEnded, *, cancelled: bool, counted: bool, log_end: int
) -> Standing:
    """End a running item as its runner says, unless its action says otherwise.

    `cancelled` tells whether the operator asked for it: a runner that cancels by itself, because
    it stops, only interrupts. `counted` says whether the runner is to blame for a missing verdict.
    """
    row = require(transaction, ended.item_id)
    action = actions.action_of_item(transaction, ended.item_id)
    _observe(transaction, row, ended.error)
    if action is not None and action.state not in NOT_SENT:
        return _finish_sent(transaction, row, action, ended, counted=counted, log_end=log_end)
    cancelled = cancelled or row.cancel_asked
    stops_by_itself = ended.state is ItemState.CANCELLED and not cancelled
    if stops_by_itself or _must_let_pass(transaction, action, ended.error):
        return interrupt(
            transaction, row.item_id, "", counted=False, cancelled=cancelled, log_end=log_end
        )
    return _end_as_said(transaction, row, action, ended, cancelled=cancelled, log_end=log_end)


def interrupt(
    transaction: Transaction,
    item_id: str,
    reason: str,
    *,
    counted: bool,
    cancelled: bool = False,
    log_end: int,
) -> Standing:
    """Settle a running item whose runner, or whose agent, is gone.

    What was being sent is in doubt, and is looked for when the item runs again; what was confirmed
    is done; everything else goes back to waiting, a few times where it is `counted`.
    """
    row = require(transaction, item_id)
    action = actions.action_of_item(transaction, item_id)
    if row.state is ItemState.ASSIGNED:
        return standing_of(row, row.state, action)
    if action is not None and action.state in UNDECIDED:
        note = f"{reason} The deciding request was on its way: the post may or may not exist."
        return _look_again(transaction, row, action, note.strip(), counted, log_end)
    if action is not None and action.state is ActionState.CONFIRMED:
        return _end_confirmed(transaction, row, action, log_end)
    if action is not None and action.state is ActionState.UNRESOLVED:
        return _ask(transaction, row, action, action.note, _ambiguous(action.note), log_end)
    row = _interrupted(transaction, row, reason, log_end)
    if cancelled or row.cancel_asked:
        change(transaction, row, ItemState.CANCELLED, log_end=log_end)
        return standing_of(row, ItemState.CANCELLED, action)
    interruptions = row.interruptions + (1 if counted else 0)
    if interruptions > INTERRUPTIONS:
        error = RunnerLostError(
            f"The process that ran the item ended {interruptions} times."
        ).to_wire()
        change(transaction, row, ItemState.FAILED, step=reason, error=error, log_end=log_end)
        return standing_of(row, ItemState.FAILED, action)
    return _requeue(transaction, row, action, reason, interruptions, log_end)


def recover(transaction: Transaction, row: ItemRow, log_end: int) -> None:
    """Bring one item into order that an earlier start of the agent has left, whatever its state."""
    action = actions.action_of_item(transaction, row.item_id)
    if row.state in (ItemState.RUNNING, ItemState.INTERRUPTED):
        interrupt(transaction, row.item_id, STOPPED, counted=False, log_end=log_end)
    elif action is None:
        return
    elif row.state is ItemState.NEEDS_OPERATOR:
        _recover_asked(transaction, row, action, log_end)
    elif action.state in UNDECIDED:
        doubts.leave_in_doubt(transaction, action, row.attempt, STOPPED)
    elif action.state is ActionState.UNRESOLVED and row.state is ItemState.ASSIGNED:
        row = _interrupted(transaction, row, STOPPED, log_end)
        _ask(transaction, row, action, action.note, _ambiguous(action.note), log_end)


def done_by_hand(transaction: Transaction, row: ItemRow, action: ActionRow) -> Standing:
    """End an item that is not running, since its effect is known to exist."""
    if row.state is ItemState.PAUSED:
        change(transaction, row, ItemState.ASSIGNED)
        row = require(transaction, row.item_id)
    if row.state is ItemState.ASSIGNED:
        change(transaction, row, ItemState.INTERRUPTED)
        row = require(transaction, row.item_id)
    return _end_confirmed(transaction, row, action, log_end=0)


def _finish_sent(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow,
    ended: ItemEnded,
    *,
    counted: bool,
    log_end: int,
) -> Standing:
    """End an item whose effect was sent: what the journal knows of it comes first."""
    if action.state is ActionState.CONFIRMED:
        return _end_confirmed(transaction, row, action, log_end, step=ended.step)
    if action.state is ActionState.UNRESOLVED:
        error = ended.error or _ambiguous(action.note)
        return _ask(transaction, row, action, ended.step, error, log_end)
    if action.named is not None and counted:
        return _believe(transaction, row, action, action.named, ended, log_end)
    note = action.note if action.state is ActionState.IN_DOUBT else _NO_VERDICT
    return _look_again(transaction, row, action, note, counted, log_end)


def _believe(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow,
    named: NamedPost,
    ended: ItemEnded,
    log_end: int,
) -> Standing:
    """Take a person's word on a post that could not even be asked for."""
    why = ended.error.message if ended.error else "the item ended before that"
    try:
        action = actions.move(
            transaction,
            action,
            ActionState.CONFIRMED,
            row.attempt,
            note=not_checked(why),
            remote_id=named.remote_id,
            remote_url=named.url,
            by=named.by,
        )
    except ConflictError as clash:
        action = doubts.leave_unresolved(transaction, action, row.attempt, clash.message)
        return _ask(transaction, row, action, ended.step, _ambiguous(action.note), log_end)
    return _end_confirmed(transaction, row, action, log_end, step=ended.step)


def _end_as_said(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow | None,
    ended: ItemEnded,
    *,
    cancelled: bool,
    log_end: int,
) -> Standing:
    state, error = ended.state, ended.error
    if state is ItemState.DONE and action is not None:
        state = ItemState.FAILED
        error = DriverError("The item ended without a confirmed post.").to_wire()
    if state is ItemState.NEEDS_OPERATOR and cancelled:
        state = ItemState.CANCELLED
    change(
        transaction,
        row,
        state,
        step=ended.step,
        error=error,
        result=_bounded(ended.result),
        log_end=log_end,
    )
    return standing_of(row, state, action)


def _look_again(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow,
    note: str,
    counted: bool,
    log_end: int,
) -> Standing:
    """Queue an item whose effect is in doubt, so that it runs again and looks."""
    interruptions = row.interruptions + (1 if counted else 0)
    if interruptions > LOOKS_INTERRUPTED:
        why = f"The look for the post was interrupted {interruptions} times."
        action = doubts.leave_unresolved(transaction, action, row.attempt, why)
        return _ask(transaction, row, action, why, _ambiguous(why), log_end)
    action = doubts.leave_in_doubt(transaction, action, row.attempt, note)
    row = _interrupted(transaction, row, note, log_end)
    return _requeue(transaction, row, action, note, interruptions, log_end)


def _requeue(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow | None,
    reason: str,
    interruptions: int,
    log_end: int,
) -> Standing:
    transaction.execute(
        "UPDATE item SET interruptions = ? WHERE item_id = ?", (interruptions, row.item_id)
    )
    change(transaction, row, ItemState.ASSIGNED, step=reason, log_end=log_end)
    return standing_of(row, ItemState.ASSIGNED, action)


def _ask(
    transaction: Transaction,
    row: ItemRow,
    action: ActionRow,
    step: str,
    error: WireError,
    log_end: int,
) -> Standing:
    change(transaction, row, ItemState.NEEDS_OPERATOR, step=step, error=error, log_end=log_end)
    return standing_of(row, ItemState.NEEDS_OPERATOR, action)


def _end_confirmed(
    transaction: Transaction, row: ItemRow, action: ActionRow, log_end: int, *, step: str = ""
) -> Standing:
    """End an item whose effect exists: it is done, whatever came after the effect."""
    result = {"remote_id": action.remote_id, "url": action.remote_url}
    change(transaction, row, ItemState.DONE, step=step, result=result, log_end=log_end)
    return standing_of(row, ItemState.DONE, action)


def _recover_asked(transaction: Transaction, row: ItemRow, action: ActionRow, log_end: int) -> None:
    if action.state is ActionState.CONFIRMED:
        _end_confirmed(transaction, row, action, log_end)
    elif action.state in UNDECIDED:
        doubts.leave_in_doubt(transaction, action, row.attempt, STOPPED)
        change(transaction, row, ItemState.ASSIGNED, step=action.note, log_end=log_end)


def _interrupted(transaction: Transaction, row: ItemRow, reason: str, log_end: int) -> ItemRow:
    if row.state is ItemState.INTERRUPTED:
        return row
    change(transaction, row, ItemState.INTERRUPTED, step=reason, log_end=log_end)
    return require(transaction, row.item_id)


def _must_let_pass(
    transaction: Transaction, action: ActionRow | None, error: WireError | None
) -> bool:
    """Say whether an item only stopped because another post of its account comes first."""
    if action is None or error is None or error.code != ConflictError.code:
        return False
    if actions.has_undecided(transaction, action.identity, but=action.action_id):
        return True
    return actions.may_be_unseen(transaction, action.identity)


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


def _ambiguous(note: str) -> WireError:
    return AmbiguousEffectError(
        note, advice="Look at the account's page, and say on the card whether the post is there."
    ).to_wire()


def _bounded(result: dict[str, Any]) -> dict[str, Any]:
    return result if len(json.dumps(result)) <= _RESULT_LIMIT else {}
