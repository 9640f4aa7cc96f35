"""A runner's steps in the journal: each is on disk before the runner may go on."""

from collections.abc import Sequence

from agent.jobs import actions, doubts, items
from agent.jobs.actions import ActionRow
from agent.jobs.journal import Transaction
from agent.runners.messages import ActionStep
from common.domain.content import ListedPost
from common.domain.states import ActionState
from common.errors import ConflictError, NotFoundError, OperationCancelledError

_LOOKED_FOR = (ActionState.IN_DOUBT, ActionState.RECONCILING)


def take_step(transaction: Transaction, step: ActionStep, attempt: int) -> None:
    """Move an action as its runner says; where this raises, nothing has changed.

    Raises IllegalTransitionError where it may not go there, and ConflictError where another post of
    the account has to be settled first, where what was found cannot be told to be this one, or
    where nothing of what was found can be it any more: then another look tells.
    Raises OperationCancelledError where it is to be sent although a cancel was asked for.
    """
    action = actions.find_action(transaction, step.action_id)
    if action is None or action.item_id != step.item_id:
        raise NotFoundError(f"The item has no action {step.action_id}.")
    if step.state is ActionState.SENDING:
        _require_wanted(transaction, step.item_id)
        _require_alone(transaction, action)
    is_named = (
        step.state is ActionState.CONFIRMED
        and action.named is not None
        and action.named.remote_id == step.remote_id
    )
    if step.state is ActionState.CONFIRMED and action.state in _LOOKED_FOR and not is_named:
        _require_no_rival(transaction, action, step.sighted)
    if step.state is ActionState.UNRESOLVED and action.state in _LOOKED_FOR and step.sighted:
        _require_open_question(transaction, action, step.sighted)
    # A post that is planned anew begins with what this step says, and with nothing from before.
    is_new = step.state is ActionState.PLANNED
    actions.move(
        transaction,
        action,
        step.state,
        attempt,
        note=step.note,
        resume=step.resume if is_new else step.resume or None,
        remote_id=step.remote_id,
        remote_url=step.remote_url,
        baseline=step.baseline,
        sighted=step.sighted,
        by=action.named.by if action.named and is_named else "",
    )


def _require_wanted(transaction: Transaction, item_id: str) -> None:
    if items.require(transaction, item_id).cancel_asked:
        raise OperationCancelledError("Stopped before the post was sent.")


def _require_alone(transaction: Transaction, action: ActionRow) -> None:
    if actions.has_undecided(transaction, action.identity, but=action.action_id):
        raise ConflictError(items.WAITS_FOR_DOUBT)
    if actions.may_be_unseen(transaction, action.identity):
        raise ConflictError(items.WAITS_FOR_SIGHT)


def _require_no_rival(
    transaction: Transaction, action: ActionRow, found: Sequence[ListedPost]
) -> None:
    kinds = {post.kind for post in found}
    kind = kinds.pop() if len(kinds) == 1 else None
    if doubts.has_rival(transaction, action, kind):
        raise ConflictError(
            "Another post of this account with the same caption is in doubt as well: which of "
            "them was found cannot be told.",
            advice="Look at the account's page before you decide.",
        )


def _require_open_question(
    transaction: Transaction, action: ActionRow, sighted: Sequence[ListedPost]
) -> None:
    """Ask a person only where one of the posts may be it: the look began with what was known then.

    Meanwhile each of them may have been settled as another item's, so that a new look rules it out.
    """
    found = {post.remote_id for post in sighted}
    if actions.settling_others(transaction, action, found) >= found:
        raise ConflictError("Every post that may be this one settles another item by now.")
