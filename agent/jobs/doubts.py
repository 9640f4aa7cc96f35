"""Effects in doubt: how a doubt begins, who else has one, and how it waits to be looked at.

What a look proves is decided by the item's task in its runner, by `common.reconcile`; what a person
says of it is in `settling.py`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.jobs import actions
from agent.jobs.actions import NOT_SENT, ActionRow, marks
from agent.jobs.fences import names_of
from agent.jobs.journal import Transaction
from common.domain.content import Baseline, PostKind
from common.domain.states import ActionState
from common.reconcile import plain_caption

_A = ActionState
_TAKEN_BACK = "This agent's disk was taken back to an earlier state: the post may exist already."
_FROM_DESKTOP = "The desktop knows that the post may exist already; this agent does not."
# Written out, as the indexes of the journal have them.
_ENDED = "item.state IN ('done', 'failed', 'cancelled', 'skipped')"


@dataclass(frozen=True, slots=True)
class _Marks:
    """By what a post can be found in the account's list."""

    kind: str
    caption: Sequence[str]
    """As looks compare it."""


def take_doubt(
    transaction: Transaction, action: ActionRow, attempt: int, known: Baseline
) -> ActionRow:
    """Begin with a doubt that the desktop has: the effect is looked for before it is sent.

    `known` is what the desktop knows of the account's list from before it may have been sent; what
    the agent has journaled itself comes first. One that is confirmed here is told again.
    """
    if action.state is _A.CONFIRMED:
        actions.tell(transaction, action, attempt)
        return action
    if action.state is _A.UNRESOLVED or action.state in NOT_SENT:
        baseline = action.baseline or known
        return actions.move(
            transaction, action, _A.IN_DOUBT, attempt, note=_FROM_DESKTOP, baseline=baseline
        )
    return leave_in_doubt(transaction, action, attempt, _FROM_DESKTOP)


def leave_in_doubt(
    transaction: Transaction, action: ActionRow, attempt: int, note: str
) -> ActionRow:
    """Note that an effect on its way, or looked for, may or may not have come about."""
    if action.state is _A.IN_DOUBT:
        return action
    return actions.move(transaction, action, _A.IN_DOUBT, attempt, note=note)


def leave_unresolved(
    transaction: Transaction, action: ActionRow, attempt: int, note: str
) -> ActionRow:
    """Note that only a person can tell whether an effect came about. Its key stays taken."""
    if action.state is _A.UNRESOLVED:
        return action
    doubtful = leave_in_doubt(transaction, action, attempt, note)
    return actions.move(transaction, doubtful, _A.UNRESOLVED, attempt, note=note)


def doubt_unfinished(transaction: Transaction) -> list[str]:
    """Doubt every post that is not settled: the journal is older than what was done.

    One whose time has not come was never begun, and stays as it is. Returns the items whose posts
    are in doubt now and were not before.
    """
    found = transaction.execute(
        "SELECT action_id, attempt, item_id FROM action JOIN item USING (item_id) "  # noqa: S608
        f"WHERE NOT {_ENDED} "
        "AND action.state IN ('planned', 'prepared', 'proven_absent') "
        "AND (not_before IS NULL OR not_before <= ?)",
        (transaction.now,),
    ).fetchall()
    for action_id, attempt, _ in found:
        action = actions.find_action(transaction, action_id)
        if action is not None:
            actions.move(transaction, action, _A.IN_DOUBT, attempt, note=_TAKEN_BACK)
    return [item_id for _, _, item_id in found]


def has_rival(transaction: Transaction, action: ActionRow, kind: PostKind | None) -> bool:
    """Say whether another unsettled post of the account may be the one that was found for this.

    `kind` is what the account's list says of the found one, None where it does not. A post that
    was given up, and could not show any more, before this intent was there is none of the newer.
    """
    mine = _marks_of(transaction, action.item_id).caption
    names = names_of(transaction, action.identity)
    others = transaction.execute(
        f"SELECT item_id FROM action WHERE identity IN ({marks(names)}) "  # noqa: S608 - only marks
        "AND action_id <> ? AND (state IN ('sending', 'in_doubt', 'reconciling') "
        "OR (state = 'unresolved' AND max(updated_at, unseen_until) >= ?))",
        (*names, action.action_id, action.created_at),
    ).fetchall()
    rivals = (_marks_of(transaction, item_id) for (item_id,) in others)
    return any(each.caption == mine and kind in (None, each.kind) for each in rivals)


def settle_doubts_of_ended(transaction: Transaction) -> None:
    """Close doubts whose item has ended: nobody would look any more, and the key stays taken."""
    found = transaction.execute(
        "SELECT action_id, attempt FROM action JOIN item USING (item_id) "  # noqa: S608 - constants
        "WHERE action.state IN ('sending', 'in_doubt', 'reconciling') "
        f"AND {_ENDED}"
    ).fetchall()
    for action_id, attempt in found:
        action = actions.find_action(transaction, action_id)
        if action is not None:
            note = "The item ended before it was known whether the post exists."
            leave_unresolved(transaction, action, attempt, note)


def _marks_of(transaction: Transaction, item_id: str) -> _Marks:
    (spec,) = transaction.execute(
        "SELECT spec FROM item_spec WHERE item_id = ?", (item_id,)
    ).fetchone()
    publish = json.loads(spec)["publish"] or {}
    return _Marks(publish.get("kind", ""), plain_caption(publish.get("caption", "")))
