"""External effects in the journal: one row per intent, and the steps it may take.

A step and the event that tells of it are one transaction. An intent is bound to its content by a
unique key, which is why a second one for the same post cannot even be written. What becomes of an
effect in doubt is in `doubts.py`.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.jobs.fences import names_of
from agent.jobs.journal import Transaction
from agent.runners.messages import ActionRecord
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, ListedPost, NamedPost
from common.domain.states import ActionState, ItemState
from common.domain.transitions import CHECKS_NAMED, ITEM_FINAL, require_action_step
from common.errors import ConflictError, DuplicateIntentError
from common.items import ItemSpec, PublishSpec
from common.limits.rules import visibility_of
from common.operations import Operation
from common.protocol.events import SIGHTED_LIMIT, ActionChanged

NOT_SENT = frozenset({ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT})
"""States in which the effect provably does not exist: it may be tried again."""
UNDECIDED = frozenset({ActionState.SENDING, ActionState.IN_DOUBT, ActionState.RECONCILING})
"""States that keep other posts of the account from starting, and that looking can settle."""
SETTLED_IDS = 50
"""Remote ids of confirmed posts that a runner is told, the newest first."""

_TELLS_BASELINE = (ActionState.SENDING, ActionState.IN_DOUBT, ActionState.PROVEN_ABSENT)
_CAPTION_SHOWN = 400
_COLUMNS = (
    "action_id, item_id, account_id, identity, operation, placement, state, driver, resume, "
    "remote_id, remote_url, note, baseline, created_at, shown_ids, word_id, named, unseen_until"
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
    resume: Mapping[str, str]
    remote_id: str
    remote_url: str
    note: str
    baseline: Baseline | None
    created_at: float
    shown_ids: Sequence[str]
    """Remote ids of the posts that a person was shown when last asked about it."""
    word_id: str
    """The person's word that was taken last."""
    named: NamedPost | None
    """The post that a person says it is, while nobody has checked that."""
    unseen_until: float
    """Until when the platform may show what was sent and is not seen yet, seconds since 1970."""


def find_action(transaction: Transaction, action_id: str) -> ActionRow | None:
    """Return an action by its id."""
    return _one(transaction, "action_id = ?", action_id)


def action_of_item(transaction: Transaction, item_id: str) -> ActionRow | None:
    """Return the action of an item; None where it has none."""
    return _one(transaction, "item_id = ?", item_id)


def record_of(transaction: Transaction, action: ActionRow) -> ActionRecord:
    """Return what a runner is told of an action, and of the account's posts that are settled."""
    names = names_of(transaction, action.identity)
    settled = transaction.execute(
        f"SELECT remote_id FROM action WHERE identity IN ({marks(names)}) "  # noqa: S608
        "AND remote_id <> '' AND action_id <> ? ORDER BY updated_at DESC LIMIT ?",
        (*names, action.action_id, SETTLED_IDS),
    )
    return ActionRecord(
        action_id=action.action_id,
        state=action.state,
        resume=dict(action.resume),
        remote_id=action.remote_id,
        remote_url=action.remote_url,
        baseline=action.baseline,
        named=action.named,
        settled_ids=[remote_id for (remote_id,) in settled],
        accepted_at=action.created_at,
    )


def plan_publish(transaction: Transaction, item: ItemSpec, publish: PublishSpec) -> ActionRow:
    """Write the intent of a publish item, before anything else is done for it.

    The same intent may come again with a later attempt of its item. Another intent with the same
    key takes the place of one whose item has ended and which was provably never sent.
    Raises DuplicateIntentError where the post may exist already, or is on its way; an intent that
    comes with a doubt of its own is then the one that is to be settled, and is taken as it is.
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
    elif same.item_id != item.item_id or same.action_id != publish.intent_id:
        _require_free(transaction, same)
        _plan_again(transaction, same, item, publish)
    elif same.state in NOT_SENT:
        _plan_again(transaction, same, item, publish)
    elif publish.doubt is None:
        require_not_sent(same)
    return _known(transaction, publish.intent_id)


def move(
    transaction: Transaction,
    action: ActionRow,
    state: ActionState,
    attempt: int,
    *,
    note: str = "",
    resume: Mapping[str, str] | None = None,
    remote_id: str = "",
    remote_url: str = "",
    baseline: Baseline | None = None,
    sighted: Sequence[ListedPost] = (),
    by: str = "",
    named: NamedPost | None = None,
) -> ActionRow:
    """Move an action, and tell the desktop; returns it as it is now.

    What is left out stays as it was; what is `sighted` when a person is asked is what they see.
    Raises IllegalTransitionError where it may not go there, and ConflictError where the remote id
    already settles another intent: then nothing has changed.
    """
    require_action_step(action.state, state)
    is_asked = state is ActionState.UNRESOLVED
    shown_ids = tuple(post.remote_id for post in sighted[:SIGHTED_LIMIT])
    changed = replace(
        action,
        state=state,
        resume=action.resume if resume is None else resume,
        remote_id=remote_id or action.remote_id,
        remote_url=remote_url or action.remote_url,
        baseline=baseline or action.baseline,
        shown_ids=shown_ids if is_asked else action.shown_ids,
        named=(named or action.named) if state in CHECKS_NAMED else None,
        unseen_until=_unseen_until(transaction, action, state, by),
        note=note,
    )
    _store(transaction, changed)
    tell(transaction, changed, attempt, sighted=sighted, by=by)
    return changed


def require_post_free(transaction: Transaction, action: ActionRow, remote_id: str) -> None:
    """Raise ConflictError where a post settles another intent of the account already."""
    if settling_others(transaction, action, {remote_id}):
        raise ConflictError(
            f"The post {remote_id} settles another item already.",
            advice="Look at the account's page before you decide.",
        )


def settling_others(
    transaction: Transaction, action: ActionRow, remote_ids: Collection[str]
) -> set[str]:
    """Return those of the posts that settle other intents of the account."""
    names, wanted = names_of(transaction, action.identity), tuple(remote_ids)
    found = transaction.execute(
        f"SELECT remote_id FROM action WHERE identity IN ({marks(names)}) "  # noqa: S608
        f"AND remote_id IN ({marks(wanted)}) AND action_id <> ?",
        (*names, *wanted, action.action_id),
    )
    return {remote_id for (remote_id,) in found}


def take_word(transaction: Transaction, action: ActionRow, word_id: str) -> ActionRow:
    """Note that a person's word on an action was taken; returns the action as it is now."""
    told = replace(action, word_id=word_id)
    _store(transaction, told)
    return told


def tell(
    transaction: Transaction,
    action: ActionRow,
    attempt: int,
    *,
    sighted: Sequence[ListedPost] = (),
    by: str = "",
) -> None:
    """Tell the desktop how an action is now."""
    transaction.append(
        ActionChanged(
            action_id=action.action_id,
            item_id=action.item_id,
            attempt=attempt,
            account_id=action.account_id,
            operation=action.operation,
            state=action.state,
            driver=action.driver,
            resume=dict(action.resume),
            remote_id=action.remote_id,
            remote_url=action.remote_url,
            note=action.note,
            baseline=action.baseline if action.state in _TELLS_BASELINE else None,
            sighted=[_shown(post) for post in sighted[:SIGHTED_LIMIT]],
            by=by,
        )
    )


def has_undecided(transaction: Transaction, identity: str, *, but: str) -> bool:
    """Say whether an effect of this account, other than `but`, is on its way or in doubt."""
    # The states as the index `action_undecided` names them: only so is it used.
    names = names_of(transaction, identity)
    row = transaction.execute(
        f"SELECT 1 FROM action WHERE identity IN ({marks(names)}) "  # noqa: S608 - only marks
        "AND state IN ('sending', 'in_doubt', 'reconciling') AND action_id <> ?",
        (*names, but),
    ).fetchone()
    return row is not None


def may_be_unseen(transaction: Transaction, identity: str) -> bool:
    """Say whether the platform may still show a post of this account that was in doubt.

    Whatever a person said of it: nothing is sent meanwhile, so that it can still be found.
    """
    names = names_of(transaction, identity)
    row = transaction.execute(
        f"SELECT 1 FROM action WHERE identity IN ({marks(names)}) "  # noqa: S608 - only marks
        "AND unseen_until > ? AND state <> 'confirmed'",
        (*names, transaction.now),
    ).fetchone()
    return row is not None


def require_no_twin(transaction: Transaction, action: ActionRow, identity: str) -> None:
    """Raise DuplicateIntentError where the account has the same post from another intent.

    The unique key cannot see that while the account goes by two names: the one intent was written
    under its user name, the other under the platform's id, and they met when that became known.
    """
    names = names_of(transaction, identity)
    found = transaction.execute(
        "SELECT twin.action_id FROM action AS mine JOIN action AS twin USING "  # noqa: S608
        "(operation, content_key, placement) WHERE mine.action_id = ? "
        f"AND twin.identity IN ({marks(names)}) AND twin.action_id <> mine.action_id",
        (action.action_id, *names),
    ).fetchall()
    for (action_id,) in found:
        require_not_sent(_known(transaction, action_id))


def require_not_sent(action: ActionRow) -> None:
    """Raise DuplicateIntentError unless the effect provably does not exist."""
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
    require_not_sent(action)
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
    transaction: Transaction, action: ActionRow, item: ItemSpec, publish: PublishSpec
) -> None:
    # Resume points belong to a driver and an attempt; a new attempt uploads anew. What was sent
    # once keeps its past, also where another intent takes its place: a post of that time may be its
    # own, and what the list showed before, or a person has looked at, is not.
    is_old = action.action_id == publish.intent_id or action.baseline is not None
    transaction.execute(
        "UPDATE action SET action_id = ?, item_id = ?, account_id = ?, driver = ?, state = ?, "
        "resume = '{}', note = '', named = NULL, created_at = ?, updated_at = ? "
        "WHERE action_id = ?",
        (
            publish.intent_id,
            item.item_id,
            item.account.account_id,
            item.account.driver,
            ActionState.PLANNED,
            action.created_at if is_old else transaction.now,
            transaction.now,
            action.action_id,
        ),
    )


def _unseen_until(
    transaction: Transaction, action: ActionRow, state: ActionState, by: str
) -> float:
    """Return until when an effect may stay unseen once it goes to `state`.

    It is counted from the doubt, by then the request is over; a look that proves its absence, or
    the platform's own refusal, ends it at once, a person's word does not.
    """
    if state is ActionState.IN_DOUBT:
        platform = Platform(action.identity.partition(":")[0])
        return transaction.now + visibility_of(platform, action.driver).bound
    if state is ActionState.PROVEN_ABSENT and not by:
        return 0.0
    return action.unseen_until


def _store(transaction: Transaction, action: ActionRow) -> None:
    try:
        transaction.execute(
            "UPDATE action SET state = ?, resume = ?, remote_id = ?, remote_url = ?, note = ?, "
            "baseline = ?, shown_ids = ?, word_id = ?, named = ?, unseen_until = ?, updated_at = ? "
            "WHERE action_id = ?",
            (
                action.state,
                json.dumps(dict(action.resume)),
                action.remote_id,
                action.remote_url,
                action.note,
                action.baseline.model_dump_json() if action.baseline else None,
                json.dumps(list(action.shown_ids)),
                action.word_id,
                action.named.model_dump_json() if action.named else None,
                action.unseen_until,
                transaction.now,
                action.action_id,
            ),
        )
    except sqlite3.IntegrityError as problem:
        if problem.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            raise
        raise ConflictError(
            f"The platform named post {action.remote_id}, which already settles another intent.",
            advice="Look at the account's page before you decide.",
        ) from problem


def marks(values: Sequence[str]) -> str:
    """Return as many marks for values of a statement."""
    return ", ".join("?" for _ in values)


def _shown(post: ListedPost) -> ListedPost:
    if post.caption is None or len(post.caption) <= _CAPTION_SHOWN:
        return post
    return post.model_copy(update={"caption": post.caption[:_CAPTION_SHOWN] + "…"})


def _with_key(transaction: Transaction, identity: str, publish: PublishSpec) -> ActionRow | None:
    names = names_of(transaction, identity)
    return _one(
        transaction,
        f"identity IN ({marks(names)}) AND operation = ? AND content_key = ? AND placement = ? "
        "ORDER BY state IN ('planned', 'prepared', 'proven_absent')",
        *names,
        Operation.PUBLISH,
        publish.content_key,
        publish.placement,
    )


def _known(transaction: Transaction, action_id: str) -> ActionRow:
    found = find_action(transaction, action_id)
    if found is None:
        raise ConflictError("The intent was not written.")
    return found


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
        baseline=Baseline.model_validate_json(row[12]) if row[12] else None,
        created_at=row[13],
        shown_ids=tuple(json.loads(row[14])),
        word_id=row[15],
        named=NamedPost.model_validate_json(row[16]) if row[16] else None,
        unseen_until=row[17],
    )
