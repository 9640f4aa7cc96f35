"""A person's word on an effect in doubt, as the desktop passes it on."""

from dataclasses import replace

from agent.jobs import actions, doubts, endings, items
from agent.jobs.actions import NOT_SENT, ActionRow
from agent.jobs.items import ItemRow, Standing
from agent.jobs.journal import Transaction
from common.domain.content import Baseline, NamedPost
from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import ConflictError, InputError, NotFoundError
from common.protocol.messages import SettleAction
from common.reconcile import not_checked

_A = ActionState
_MAY_CHECK = (ItemState.NEEDS_OPERATOR, ItemState.ASSIGNED)
"""Item states in which a post that a person names is checked: it would not run in others."""


def settle(transaction: Transaction, word: SettleAction) -> Standing:
    """Take a person's word; returns where the item stands then. Safe to repeat.

    What they say is not there is sent again only once the platform would show it (`items.start`).

    Raises ConflictError where the effect is being sent or looked for, or is settled otherwise, or
    the post named settles another intent; StaleFenceError; NotFoundError.
    """
    row = items.require(transaction, word.item_id)
    items.obey(transaction, row, word.fence)
    action = actions.find_action(transaction, word.action_id)
    if action is None or action.item_id != row.item_id:
        raise NotFoundError("The agent has no such effect.", subject=word.action_id)
    if action.word_id == word.id:
        # Told again, since its answer was lost: it may be in doubt anew, of which nobody was asked.
        return items.standing_of(row, row.state, action)
    action = actions.take_word(transaction, action, word.id)
    if row.state is ItemState.RUNNING and action.state is not _A.CONFIRMED:
        raise ConflictError(
            "The agent is at work on this post right now.",
            advice="Wait for its verdict; answer again if it still asks then.",
        )
    match word.verdict:
        case "there":
            return _there(transaction, row, action, word)
        case "absent":
            return _absent(transaction, row, action, word)
        case "look_again":
            return _look_again(transaction, row, action, word)


def _there(
    transaction: Transaction, row: ItemRow, action: ActionRow, word: SettleAction
) -> Standing:
    if not word.remote_id:
        raise InputError("Name the post that is there.", field="remote_id")
    if action.state is _A.CONFIRMED:
        if action.remote_id != word.remote_id:
            raise ConflictError(f"This post is settled already: {_where(action)}.")
        items.tell(transaction, row)
        return items.standing_of(row, row.state, action)
    if word.check and row.state in _MAY_CHECK:
        return _check(transaction, row, action, word)
    if action.state in NOT_SENT:
        # Said of a post that the agent never sent: somebody else's history knows better.
        action = actions.move(transaction, action, _A.IN_DOUBT, row.attempt, by=word.by)
    action = actions.move(
        transaction,
        action,
        _A.CONFIRMED,
        row.attempt,
        note=not_checked("the item does not run any more") if word.check else "",
        remote_id=word.remote_id,
        remote_url=word.remote_url,
        by=word.by,
    )
    if row.state in ITEM_FINAL:
        return items.standing_of(row, row.state, action)
    return endings.done_by_hand(transaction, row, action)


def _check(
    transaction: Transaction, row: ItemRow, action: ActionRow, word: SettleAction
) -> Standing:
    """Have the item run once more, to ask the platform whose the post is that a person named."""
    actions.require_post_free(transaction, action, word.remote_id)
    named = NamedPost(remote_id=word.remote_id, url=word.remote_url, by=word.by)
    note = f"{word.by or 'The operator'} named {named.shown}; the platform is asked whose it is"
    if action.state is _A.IN_DOUBT:  # told of once more, with what is new
        action = actions.move(transaction, action, _A.RECONCILING, row.attempt, by=word.by)
    action = actions.move(
        transaction, action, _A.IN_DOUBT, row.attempt, note=note, by=word.by, named=named
    )
    return _to_its_turn(transaction, row, action)


def _absent(
    transaction: Transaction, row: ItemRow, action: ActionRow, word: SettleAction
) -> Standing:
    if action.state is _A.CONFIRMED:
        raise ConflictError(f"This post is published: {_where(action)}.")
    if action.state in NOT_SENT:
        return items.standing_of(row, row.state, action)
    if action.state is not _A.UNRESOLVED:
        action = doubts.leave_in_doubt(transaction, action, row.attempt, "")
        action = actions.move(transaction, action, _A.RECONCILING, row.attempt, by=word.by)
    note = f"{word.by or 'The operator'} looked, and it is not there"
    action = actions.move(
        transaction,
        action,
        _A.PROVEN_ABSENT,
        row.attempt,
        note=note,
        baseline=_with_seen(action),
        by=word.by,
    )
    if row.state is not ItemState.NEEDS_OPERATOR:
        return _again(transaction, row, action)
    if row.cancel_asked:
        items.change(transaction, row, ItemState.CANCELLED)
        return items.standing_of(row, ItemState.CANCELLED, action)
    items.change(transaction, row, ItemState.ASSIGNED)
    return _again(transaction, items.require(transaction, row.item_id), action)


def _look_again(
    transaction: Transaction, row: ItemRow, action: ActionRow, word: SettleAction
) -> Standing:
    if action.state is _A.CONFIRMED or action.state in NOT_SENT:
        return items.standing_of(row, row.state, action)
    if row.state in ITEM_FINAL:
        raise ConflictError("The item has ended: nobody would look.")
    if action.state is _A.UNRESOLVED:
        note = f"{word.by or 'The operator'} asked for another look"
        action = actions.move(transaction, action, _A.IN_DOUBT, row.attempt, note=note, by=word.by)
    return _to_its_turn(transaction, row, action)


def _to_its_turn(transaction: Transaction, row: ItemRow, action: ActionRow) -> Standing:
    """Let an item run that a person was asked about."""
    if row.state is ItemState.NEEDS_OPERATOR:
        items.change(transaction, row, ItemState.ASSIGNED)
        row = items.require(transaction, row.item_id)
    return _again(transaction, row, action)


def _again(transaction: Transaction, row: ItemRow, action: ActionRow) -> Standing:
    """Return where an item stands that a person has looked at: what came before is forgotten."""
    if row.state is not ItemState.ASSIGNED:
        return items.standing_of(row, row.state, action)
    transaction.execute("UPDATE item SET interruptions = 0 WHERE item_id = ?", (row.item_id,))
    standing = items.queued(transaction, row, action)
    if standing.waiting is None or standing.in_doubt:
        return standing
    not_before = max(standing.waiting.not_before, action.unseen_until)
    return replace(standing, waiting=replace(standing.waiting, not_before=not_before))


def _with_seen(action: ActionRow) -> Baseline:
    """Return an effect's baseline with the posts that a person has looked at, and none of which
    it is: only one that they did not see can keep it from being published now.
    """
    before = action.baseline or Baseline(platform_time=action.created_at, is_estimate=True)
    both = dict.fromkeys((*before.post_ids, *action.shown_ids))
    return before.model_copy(update={"post_ids": tuple(both)})


def _where(action: ActionRow) -> str:
    return action.remote_url or action.remote_id
