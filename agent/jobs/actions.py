"""External effects in the journal: one row per intent, and the steps it may take.

A step and the event that tells of it are one transaction. An intent is bound to its content by a
unique key, which is why a second one for the same post cannot even be written.
"""

import json
import sqlite3
from dataclasses import dataclass

from agent.jobs.journal import Transaction
from agent.runners.messages import ActionRecord, ActionStep
from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL, require_action_step
from common.errors import ConflictError, DuplicateIntentError, NotFoundError, WireError
from common.items import ItemSpec, PublishSpec
from common.operations import Operation
from common.protocol.events import ActionChanged

NOT_SENT = frozenset({ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT})
"""States in which the effect provably does not exist: it may be tried again."""
UNDECIDED = (ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING)
"""States that keep other posts of the account from starting."""

_COLUMNS = (
    "action_id, item_id, account_id, identity, operation, placement, state, driver, resume, "
    "remote_id, remote_url, note"
)


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One external effect as the journal knows it."""

    action_id: str
    item_id: str
    account_id: str
    identity: str
    operation: str
    placement: str
    state: ActionState
    driver: DriverName
    resume: dict[str, str]
    remote_id: str
    remote_url: str
    note: str

    def record(self) -> ActionRecord:
        """Return what a runner is told of it."""
        return ActionRecord(
            action_id=self.action_id,
            state=self.state,
            resume=self.resume,
            remote_id=self.remote_id,
            remote_url=self.remote_url,
        )


def find_action(transaction: Transaction, action_id: str) -> ActionRow | None:
    """Return an action by its id."""
    return _one(transaction, "action_id = ?", action_id)


def action_of_item(transaction: Transaction, item_id: str) -> ActionRow | None:
    """Return the action of an item; None where it has none."""
    return _one(transaction, "item_id = ?", item_id)


def plan_publish(transaction: Transaction, item: ItemSpec, publish: PublishSpec) -> None:
    """Write the intent of a publish item, before anything else is done for it.

    The same intent may come again with a later attempt of its item. Another intent with the same
    key takes the place of one whose item has ended and which was provably never sent.
    Raises DuplicateIntentError where the post may exist already, or is on its way.
    """
    known = find_action(transaction, publish.intent_id)
    if known is not None and known.item_id != item.item_id:
        _require_free(transaction, known)
    same = _with_key(transaction, item.account.identity, publish)
    if known is not None and (same is None or same.action_id != known.action_id):
        raise ConflictError(
            "The intent is known here for other media.", subject=item.account.username
        )
    if same is None:
        _insert(transaction, item, publish)
        return
    if same.item_id == item.item_id and same.action_id == publish.intent_id:
        _require_not_sent(same)
    else:
        _require_free(transaction, same)
    _plan_again(transaction, same.action_id, item, publish)


def take_step(transaction: Transaction, step: ActionStep, attempt: int) -> ActionRow:
    """Move an action, and tell the desktop; returns it as it is now.

    Raises IllegalTransitionError where it may not go there, ConflictError where the remote id
    already settles another intent (the action is then left as it was).
    """
    action = find_action(transaction, step.action_id)
    if action is None or action.item_id != step.item_id:
        raise NotFoundError(f"The item has no action {step.action_id}.")
    require_action_step(action.state, step.state)
    changed = ActionRow(
        action_id=action.action_id,
        item_id=action.item_id,
        account_id=action.account_id,
        identity=action.identity,
        operation=action.operation,
        placement=action.placement,
        state=step.state,
        driver=action.driver,
        resume=step.resume or action.resume,
        remote_id=step.remote_id or action.remote_id,
        remote_url=step.remote_url or action.remote_url,
        note=step.note,
    )
    _store(transaction, changed, attempt)
    return changed


def record_step(transaction: Transaction, step: ActionStep, attempt: int) -> WireError | None:
    """Take a runner's step; returns why it must not go on, or None.

    A post that already settles another intent leaves this one in doubt, for a person.
    """
    try:
        take_step(transaction, step, attempt)
    except ConflictError as clash:
        action = find_action(transaction, step.action_id)
        if step.state is ActionState.CONFIRMED and action is not None:
            leave_in_doubt(transaction, action, attempt, clash.message)
        return clash.to_wire()
    return None


def leave_in_doubt(
    transaction: Transaction, action: ActionRow, attempt: int, note: str
) -> ActionRow:
    """Note that an action that was being sent may or may not have happened."""
    return take_step(
        transaction,
        ActionStep(
            step_id=0,
            item_id=action.item_id,
            action_id=action.action_id,
            state=ActionState.IN_DOUBT,
            note=note,
        ),
        attempt,
    )


def close_unresolved(transaction: Transaction, action: ActionRow, attempt: int) -> None:
    """Note that the operator closed the item of a doubtful action without a verdict.

    Its key stays taken for good; only other posts of the account may go on.
    """
    take_step(
        transaction,
        ActionStep(
            step_id=0,
            item_id=action.item_id,
            action_id=action.action_id,
            state=ActionState.UNRESOLVED,
            note="The operator closed the item without a verdict.",
        ),
        attempt,
    )


def has_undecided(transaction: Transaction, identity: str, *, but: str) -> bool:
    """Say whether an effect of this account, other than `but`, is on its way or in doubt."""
    # The states as the index `action_undecided` names them: only so is it used.
    row = transaction.execute(
        "SELECT 1 FROM action WHERE identity = ? "
        "AND state IN ('sending', 'in_doubt', 'reconciling') AND action_id <> ?",
        (identity, but),
    ).fetchone()
    return row is not None


def require_no_twin(transaction: Transaction, action: ActionRow, identity: str) -> None:
    """Raise DuplicateIntentError where the account has the same post from another intent.

    The unique key cannot see that while the account goes by two names: the one intent was written
    under its user name, the other under the platform's id, and they met when that became known.
    """
    found = transaction.execute(
        "SELECT twin.action_id FROM action AS mine JOIN action AS twin USING "
        "(operation, content_key, placement) "
        "WHERE mine.action_id = ? AND twin.identity = ? AND twin.action_id <> mine.action_id",
        (action.action_id, identity),
    ).fetchone()
    twin = find_action(transaction, found[0]) if found else None
    if twin is not None:
        _require_not_sent(twin)


def _require_not_sent(action: ActionRow) -> None:
    if action.state in NOT_SENT:
        return
    if action.state is ActionState.CONFIRMED:
        raise DuplicateIntentError(
            f"This post is already published: {action.remote_url or action.remote_id}."
        )
    raise DuplicateIntentError(
        "This post may already be published; that is not settled yet.",
        advice="Look at the account's page before you decide.",
    )


def _require_free(transaction: Transaction, action: ActionRow) -> None:
    _require_not_sent(action)
    (state,) = transaction.execute(
        "SELECT state FROM item WHERE item_id = ?", (action.item_id,)
    ).fetchone()
    if ItemState(state) not in ITEM_FINAL:
        raise DuplicateIntentError("The same media is already on its way to this account.")


def _insert(transaction: Transaction, item: ItemSpec, publish: PublishSpec) -> None:
    transaction.execute(
        "INSERT INTO action (action_id, item_id, account_id, identity, operation, content_key, "
        "placement, state, driver, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            publish.intent_id,
            item.item_id,
            item.account.account_id,
            item.account.identity,
            Operation.PUBLISH,
            publish.content_key,
            publish.placement,
            ActionState.PLANNED,
            item.account.driver,
            transaction.now,
            transaction.now,
        ),
    )


def _plan_again(
    transaction: Transaction, action_id: str, item: ItemSpec, publish: PublishSpec
) -> None:
    # Resume points belong to a driver and an attempt; a new attempt uploads anew.
    transaction.execute(
        "UPDATE action SET action_id = ?, item_id = ?, account_id = ?, driver = ?, state = ?, "
        "resume = '{}', note = '', updated_at = ? WHERE action_id = ?",
        (
            publish.intent_id,
            item.item_id,
            item.account.account_id,
            item.account.driver,
            ActionState.PLANNED,
            transaction.now,
            action_id,
        ),
    )


def _store(transaction: Transaction, action: ActionRow, attempt: int) -> None:
    try:
        transaction.execute(
            "UPDATE action SET state = ?, resume = ?, remote_id = ?, remote_url = ?, note = ?, "
            "updated_at = ? WHERE action_id = ?",
            (
                action.state,
                json.dumps(action.resume),
                action.remote_id,
                action.remote_url,
                action.note,
                transaction.now,
                action.action_id,
            ),
        )
    except sqlite3.IntegrityError as problem:
        raise ConflictError(
            f"The platform named post {action.remote_id}, which already settles another intent.",
            advice="Look at the account's page before you decide.",
        ) from problem
    transaction.append(
        ActionChanged(
            action_id=action.action_id,
            item_id=action.item_id,
            attempt=attempt,
            account_id=action.account_id,
            operation=action.operation,
            state=action.state,
            driver=action.driver,
            resume=action.resume,
            remote_id=action.remote_id,
            remote_url=action.remote_url,
            note=action.note,
        )
    )


def _with_key(transaction: Transaction, identity: str, publish: PublishSpec) -> ActionRow | None:
    return _one(
        transaction,
        "identity = ? AND operation = ? AND content_key = ? AND placement = ?",
        identity,
        Operation.PUBLISH,
        publish.content_key,
        publish.placement,
    )


def _one(transaction: Transaction, where: str, *values: str) -> ActionRow | None:
    row = transaction.execute(
        f"SELECT {_COLUMNS} FROM action WHERE {where}",  # noqa: S608 - both are ours
        values,
    ).fetchone()
    if row is None:
        return None
    return ActionRow(
        action_id=row[0],
        item_id=row[1],
        account_id=row[2],
        identity=row[3],
        operation=row[4],
        placement=row[5],
        state=ActionState(row[6]),
        driver=DriverName(row[7]),
        resume=json.loads(row[8]),
        remote_id=row[9],
        remote_url=row[10],
        note=row[11],
    )
