"""Items that lose their agent: what becomes of each, so that nothing is published twice or lost.

An agent may have lost them, been forgotten, or been left behind by a move. What it may have sent
is in doubt: the next agent is told so, and looks before it publishes. Where no other agent can
look, a person is asked.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.errors import WireError
from common.limits.rules import visibility_of
from desktop_app.store import accounts, cards, intents, items, runs
from desktop_app.store.cards import Doubt
from desktop_app.store.records import ItemRecord, error_to_store
from desktop_app.store.touched import Touched


def rehome(
    connection: Connection,
    found: Collection[ItemRecord],
    agent_of: Mapping[str, str],
    *,
    at: float,
    error: WireError,
) -> Touched:
    """Take unfinished items from the agent that has them, and give them to others.

    `agent_of` names the next agent by item; the same one where it lost what it had. `error` says
    why, where an item ends or waits for a person because no agent is left for it.
    """
    touched = Touched()
    for item in found:
        touched |= _rehome(connection, item, agent_of.get(item.id), at, error)
    return _with_ended_runs(connection, touched, at)


def wait_out(connection: Connection, found: Collection[ItemRecord], *, at: float) -> Touched:
    """Let items wait that were taken from an agent while it was at work.

    `found` are the items as they were then. What it was sending may take effect until its driver
    gives the request up; only from there on can the next agent count how long a post stays unseen.
    """
    touched = Touched()
    sent = [item for item in found if item.is_away and item.intent_id is not None]
    known = accounts.records(connection, {item.account_id for item in sent})
    for item in sent:
        life = visibility_of(known[item.account_id].platform, item.driver).life
        touched |= items.wait_until(connection, item, at + life)
    return touched


def finish(connection: Connection, found: Collection[ItemRecord], *, at: float) -> Touched:
    """End items here whose posts exist, and of which no agent has to say anything any more."""
    touched = Touched()
    for item in found:
        touched |= _finish(connection, item, at)
    return _with_ended_runs(connection, touched, at)


def _with_ended_runs(connection: Connection, touched: Touched, at: float) -> Touched:
    ended = {move.run_id for move in touched.moves if move.after in ITEM_FINAL}
    if ended:
        runs.save_ended(connection, ended, at)
    return touched


def _finish(connection: Connection, item: ItemRecord, at: float) -> Touched:
    done = {"state": ItemState.DONE.value, "ended_at": at, "changed_at": at, "error": None}
    return items.place_at(connection, item, item.agent_id, done)


def _rehome(
    connection: Connection, item: ItemRecord, agent_id: str | None, at: float, error: WireError
) -> Touched:
    if item.action is ActionState.CONFIRMED:
        return _finish(connection, item, at)
    if not item.is_away:
        return _move_unsent(connection, item, agent_id, at, error)
    if item.wanted == "cancelled" and item.action is not ActionState.UNRESOLVED:
        return _cancel(connection, item, at, error)
    values = _attempt_values(item, agent_id) | {"changed_at": at, "step": ""}
    if item.action is ActionState.UNRESOLVED:
        # A person is asked already, and what he says is carried out by whoever has it then.
        values["state"] = ItemState.NEEDS_OPERATOR.value
        touched = intents.set_state(connection, [_intent(item)], item.action, must_look=True)
        return touched | items.place_at(connection, item, agent_id, values)
    if item.intent_id is not None and item.action is not None:
        if agent_id is None:
            return ask_person(connection, item, error.message, at=at, error=error)
        doubt = intents.set_state(
            connection, [item.intent_id], ActionState.IN_DOUBT, must_look=True
        )
        return doubt | items.place_at(connection, item, agent_id, values | _waiting(item))
    if agent_id is None:
        return _fail(connection, item, at, error)
    return items.place_at(connection, item, agent_id, values | _waiting(item))


def ask_person(
    connection: Connection,
    item: ItemRecord,
    note: str,
    *,
    at: float,
    error: WireError | None = None,
) -> Touched:
    """Leave it to a person whether an item's post exists: no agent is to decide it."""
    intent_id = _intent(item)
    touched = intents.set_state(connection, [intent_id], ActionState.UNRESOLVED, must_look=True)
    doubt = Doubt(
        action_id=intent_id,
        account_id=item.account_id,
        item_id=item.id,
        run_id=item.run_id,
        note=note,
    )
    card_id = cards.open_card(connection, doubt, at=at)
    values = {"state": ItemState.NEEDS_OPERATOR.value, "changed_at": at, "step": ""}
    if error is not None:
        values["error"] = error_to_store(error)
    return (
        touched
        | Touched(cards=frozenset({card_id}))
        | items.place_at(connection, item, item.agent_id, values)
    )


def queue_anew(
    connection: Connection, item: ItemRecord, agent_id: str, state: ActionState, *, at: float
) -> Touched:
    """Hand an item over again, as a new attempt, with its intent in `state`.

    The agent looks whether the post exists before it publishes it.
    """
    touched = intents.set_state(connection, [_intent(item)], state, must_look=True)
    values = {
        "state": ItemState.QUEUED.value,
        "attempt": item.attempt + 1,
        "log_end": 0,
        "started_at": None,
        "changed_at": at,
        "step": "",
        "error": None,
    }
    return touched | items.place_at(connection, item, agent_id, values)


def _move_unsent(
    connection: Connection, item: ItemRecord, agent_id: str | None, at: float, error: WireError
) -> Touched:
    """Move an item that its agent was not asked to take, or not since its post is in doubt."""
    if agent_id is not None:
        values = _attempt_values(item, agent_id) if item.action in IN_DOUBT_STATES else {}
        return items.place_at(connection, item, agent_id, values | {"changed_at": at})
    if item.action is ActionState.UNRESOLVED:
        return items.place_at(connection, item, None, {"changed_at": at})
    if item.action in IN_DOUBT_STATES:
        return ask_person(connection, item, error.message, at=at, error=error)
    return _fail(connection, item, at, error)


def _cancel(connection: Connection, item: ItemRecord, at: float, error: WireError) -> Touched:
    """Grant a cancel that its agent did not hear; a post that is in doubt needs a verdict first."""
    if item.action in IN_DOUBT_STATES:
        return ask_person(connection, item, error.message, at=at, error=error)
    if item.intent_id is not None and item.action is not None:
        intents.set_state(connection, [item.intent_id], ActionState.PLANNED, must_look=True)
    values = {"state": ItemState.CANCELLED.value, "ended_at": at, "changed_at": at}
    return items.place_at(connection, item, item.agent_id, values)


def _fail(connection: Connection, item: ItemRecord, at: float, error: WireError) -> Touched:
    values = {
        "state": ItemState.FAILED.value,
        "ended_at": at,
        "changed_at": at,
        "error": error_to_store(error),
    }
    return items.place_at(connection, item, item.agent_id, values)


def _waiting(item: ItemRecord) -> dict[str, object]:
    """Return the state in which an item waits to be handed over: paused ones stay paused."""
    paused = item.state is ItemState.PAUSED or item.wanted == "paused"
    return {"state": (ItemState.PAUSED if paused else ItemState.QUEUED).value}


def _attempt_values(item: ItemRecord, agent_id: str | None) -> dict[str, object]:
    """Begin a new attempt where another agent takes over: the old one's word is stale then."""
    if agent_id == item.agent_id:
        return {}
    return {"attempt": item.attempt + 1, "log_end": 0, "started_at": None}


def _intent(item: ItemRecord) -> str:
    if item.intent_id is None:
        raise ValueError("An item without a post has no doubt.")
    return item.intent_id
