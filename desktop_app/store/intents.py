"""Publish intents: the one right to publish certain media on an account, taken before dispatch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, update

from common.domain.content import Baseline
from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.errors import ConflictError, DuplicateIntentError, NotFoundError
from common.post_codes import number_in
from desktop_app.store.records import IntentClaim, IntentRecord
from desktop_app.store.tables import ACCOUNT, ITEM, MEDIA, PUBLISH_INTENT, RUN
from desktop_app.store.touched import Touched
from desktop_app.store.upsert import chunks, insert_ignoring

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Holder:
    """An intent that exists, and the item that holds it."""

    intent_id: str
    state: ActionState
    item_state: ItemState | None
    """None where the item is gone."""
    run_name: str


def find_duplicates(
    connection: Connection, claims: Sequence[IntentClaim]
) -> dict[str, DuplicateIntentError]:
    """Return the refusals that `claim` would give now, by item id. Changes nothing."""
    holders = _holders(connection, {claim.account_id for claim in claims})
    judged = ((claim, holders.get(_key(claim))) for claim in claims)
    refusals = {
        claim.item_id: refusal(claim, holder) for claim, holder in judged if holder is not None
    }
    return {item_id: error for item_id, error in refusals.items() if error}


def claim(
    connection: Connection, claims: Sequence[IntentClaim], *, at: float
) -> dict[str, str | DuplicateIntentError]:
    """Take intents for items; return the intent's id, or why it is refused, by item id.

    An intent that exists, whose effect certainly did not happen and whose item has ended, goes
    over to the new item. Whoever loses a race against another writer is refused.
    """
    before = _holders(connection, {wanted.account_id for wanted in claims})
    answers: dict[str, str | DuplicateIntentError] = {}
    fresh: dict[_Key, IntentClaim] = {}
    taken_over: list[tuple[str, IntentClaim]] = []
    for wanted in claims:
        holder = before.get(_key(wanted))
        if _key(wanted) in fresh:
            answers[wanted.item_id] = _twice_in_batch(wanted)
        elif holder is None:
            fresh[_key(wanted)] = wanted
        elif error := refusal(wanted, holder):
            answers[wanted.item_id] = error
        else:
            taken_over.append((holder.intent_id, wanted))
            answers[wanted.item_id] = holder.intent_id
            before[_key(wanted)] = _Holder(
                holder.intent_id, holder.state, ItemState.QUEUED, "this run"
            )
    _insert(connection, list(fresh.values()), at)
    _rebind(connection, taken_over)
    now = _ids_of(connection, fresh.values())
    for key, wanted in fresh.items():
        answers[wanted.item_id] = now.get(wanted.item_id) or _lost(connection, key, wanted)
    return answers


def refusal(claim: IntentClaim, holder: "_Holder") -> DuplicateIntentError | None:
    """Say why an intent that exists keeps a claim from being granted; None where it does not."""
    who, run = f"@{claim.username}", f"the run “{holder.run_name}”"
    if holder.state is ActionState.CONFIRMED:
        return _duplicate(claim, f"The same media is already published on {who}, by {run}.")
    if holder.state in IN_DOUBT_STATES:
        return _duplicate(
            claim,
            f"The same media may already be published on {who}: {run} left it in doubt.",
            "Settle that doubt first: look at the account's page, then decide in that run.",
        )
    if holder.item_state is not None and holder.item_state not in ITEM_FINAL:
        return _duplicate(
            claim,
            f"The same media is already on its way to {who}, in {run}.",
            "Wait for that run, or cancel its item first.",
        )
    return None


def states(connection: Connection, ids: Collection[str]) -> dict[str, ActionState]:
    """Return the state of intents by id."""
    found: dict[str, ActionState] = {}
    for some in chunks(ids):
        wanted = select(PUBLISH_INTENT.c.id, PUBLISH_INTENT.c.state)
        for intent_id, state in connection.execute(wanted.where(PUBLISH_INTENT.c.id.in_(some))):
            found[intent_id] = ActionState(state)
    return found


def record(connection: Connection, intent_id: str) -> IntentRecord:
    """Return one intent; raises NotFoundError."""
    row = connection.execute(select(PUBLISH_INTENT).where(PUBLISH_INTENT.c.id == intent_id)).first()
    if row is None:
        raise NotFoundError("There is no such post.", subject=intent_id)
    return IntentRecord(
        id=row.id,
        account_id=row.account_id,
        item_id=row.item_id,
        state=ActionState(row.state),
        media=tuple(row.media),
    )


def set_state(
    connection: Connection, ids: Collection[str], state: ActionState, *, must_look: bool = False
) -> Touched:
    """Set the state of intents. The caller has made sure that it may be so.

    With `must_look` whoever publishes them next looks first whether they exist.
    """
    values: dict[str, object] = {"state": state.value}
    if must_look:
        values["must_look"] = True
    for some in chunks(ids):
        connection.execute(
            update(PUBLISH_INTENT).where(PUBLISH_INTENT.c.id.in_(some)).values(values)
        )
    return Touched(intents=frozenset(ids))


def leave_out(connection: Connection, intent_id: str, post_ids: Collection[str]) -> None:
    """Note posts that are not this one, as a person said: whoever looks for it leaves them out."""
    mine = PUBLISH_INTENT.c.id == intent_id
    stored = connection.scalars(select(PUBLISH_INTENT.c.baseline).where(mine)).one()
    before = Baseline.model_validate(stored) if stored else Baseline()
    both = tuple(dict.fromkeys((*before.post_ids, *post_ids)))
    known = before.model_copy(update={"post_ids": both}).model_dump(mode="json")
    connection.execute(update(PUBLISH_INTENT).where(mine).values(baseline=known))


def shelve(connection: Connection, item_ids: Collection[str]) -> None:
    """Give the keys of items free that end here although a post may exist: the next one looks."""
    for some in chunks(item_ids):
        doubtful = and_(
            PUBLISH_INTENT.c.item_id.in_(some),
            PUBLISH_INTENT.c.state == ActionState.IN_DOUBT.value,
        )
        values = {"state": ActionState.PLANNED.value, "must_look": True}
        connection.execute(update(PUBLISH_INTENT).where(doubtful).values(values))


def confirm(
    connection: Connection, intent: IntentRecord, remote_id: str, remote_url: str
) -> Touched:
    """Settle an intent by a post, and count it. The caller has made sure that the post is free."""
    connection.execute(
        update(PUBLISH_INTENT)
        .where(PUBLISH_INTENT.c.id == intent.id)
        .values(
            state=ActionState.CONFIRMED.value,
            remote_id=remote_id,
            remote_url=remote_url,
            must_look=False,
        )
    )
    connection.execute(
        update(ACCOUNT).where(ACCOUNT.c.id == intent.account_id).values(posts=ACCOUNT.c.posts + 1)
    )
    for sha256 in intent.media:
        connection.execute(
            update(MEDIA).where(MEDIA.c.sha256 == sha256).values(used=MEDIA.c.used + 1)
        )
    return Touched(
        intents=frozenset({intent.id}),
        accounts=frozenset({intent.account_id}),
        media=frozenset(intent.media),
    )


def require_post_free(connection: Connection, intent: IntentRecord, remote_id: str) -> None:
    """Raise ConflictError, naming the other one, where a post settles another intent already."""
    number = number_in(remote_id)
    same = or_(
        PUBLISH_INTENT.c.remote_id == number,
        PUBLISH_INTENT.c.remote_id.startswith(f"{number}_", autoescape=True),
    )
    wanted = (
        select(ITEM.c.username, ITEM.c.title, RUN.c.name)
        .select_from(PUBLISH_INTENT)
        .outerjoin(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .outerjoin(RUN, RUN.c.id == ITEM.c.run_id)
        .where(same, PUBLISH_INTENT.c.id != intent.id)
    )
    other = connection.execute(wanted).first()
    if other is not None:
        raise ConflictError(
            f"That post is “{other.title}” of @{other.username}, from the run “{other.name}”.",
            subject=other.username or "",
            advice="Give the link of this post; each post settles one item only.",
        )


def _key(claim: IntentClaim) -> _Key:
    return (claim.account_id, claim.content_key, claim.placement.value)


def _holders(connection: Connection, account_ids: Collection[str]) -> dict[_Key, _Holder]:
    found: dict[_Key, _Holder] = {}
    wanted = (
        select(
            PUBLISH_INTENT.c.account_id,
            PUBLISH_INTENT.c.content_key,
            PUBLISH_INTENT.c.placement,
            PUBLISH_INTENT.c.id,
            PUBLISH_INTENT.c.state,
            ITEM.c.state.label("item_state"),
            RUN.c.name,
        )
        .outerjoin(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .outerjoin(RUN, RUN.c.id == ITEM.c.run_id)
    )
    for some in chunks(account_ids):
        for row in connection.execute(wanted.where(PUBLISH_INTENT.c.account_id.in_(some))):
            found[(row.account_id, row.content_key, row.placement)] = _Holder(
                row.id,
                ActionState(row.state),
                ItemState(row.item_state) if row.item_state else None,
                row.name or "a deleted run",
            )
    return found


def _insert(connection: Connection, claims: Sequence[IntentClaim], at: float) -> None:
    new = [
        _content(claim)
        | {
            "id": new_id(),
            "account_id": claim.account_id,
            "content_key": claim.content_key,
            "placement": claim.placement.value,
            "state": ActionState.PLANNED.value,
            "remote_id": "",
            "remote_url": "",
            "created_at": at,
            "baseline": None,
            "sent_at": None,
            "must_look": False,
        }
        for claim in claims
    ]
    keys = ["account_id", "content_key", "placement"]
    insert_ignoring(connection, PUBLISH_INTENT, new, keys=keys)


def _rebind(connection: Connection, taken_over: Sequence[tuple[str, IntentClaim]]) -> None:
    for intent_id, claim in taken_over:
        statement = update(PUBLISH_INTENT).where(PUBLISH_INTENT.c.id == intent_id)
        connection.execute(statement.values(**_content(claim)))


def _content(claim: IntentClaim) -> dict[str, object]:
    return {
        "kind": claim.kind.value,
        "caption": claim.caption,
        "media": list(claim.media),
        "item_id": claim.item_id,
    }


def _ids_of(connection: Connection, claims: Collection[IntentClaim]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in chunks([claim.item_id for claim in claims]):
        wanted = select(PUBLISH_INTENT.c.item_id, PUBLISH_INTENT.c.id)
        rows = connection.execute(wanted.where(PUBLISH_INTENT.c.item_id.in_(some)))
        found.update({row[0]: row[1] for row in rows})
    return found


def _lost(connection: Connection, key: _Key, claim: IntentClaim) -> DuplicateIntentError:
    holder = _holders(connection, [claim.account_id])[key]
    return refusal(claim, holder) or _twice_in_batch(claim)


def _twice_in_batch(claim: IntentClaim) -> DuplicateIntentError:
    return _duplicate(claim, f"The same media is in this run twice for @{claim.username}.")


def _duplicate(claim: IntentClaim, message: str, advice: str = "") -> DuplicateIntentError:
    return DuplicateIntentError(message, advice=advice, subject=claim.username)
