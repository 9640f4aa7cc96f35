"""Carries out what the operator says to a card where no agent has the item any more.

Where an agent has it, the answer is told to the agent, and what follows comes back as events.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from common.domain.states import ActionState, ItemState
from common.errors import ConflictError, WireError
from common.reconcile import not_checked
from desktop_app.store import cards, intents, items, ledger, rehoming
from desktop_app.store.cards import Answer, CardRecord
from desktop_app.store.inbox_rules import resolution_of
from desktop_app.store.records import ItemRecord
from desktop_app.store.touched import Touched

_CLOSED = "Closed by {by} without a verdict. The same media is not published on this account again."

_NO_AGENT = "no agent has this item that could ask the platform"


def require_open(connection: Connection, card_id: str) -> CardRecord:
    """Return a card that may be answered; raises NotFoundError, and ConflictError with the reason.

    An answer stands from the moment in which an agent was first asked to take it.
    """
    card = cards.record(connection, card_id)
    if not card.is_open:
        raise ConflictError("This card is settled already.", advice="Look at what settled it.")
    if card.answer is not None and card.is_told:
        raise ConflictError(
            "This card is answered already, and the agent was told.",
            advice="Wait for the agent; the card asks again if that cannot be done.",
        )
    return card


def settle_here(
    connection: Connection, card: CardRecord, item: ItemRecord, answer: Answer, agent_id: str | None
) -> Touched:
    """Carry an answer out. `agent_id` is where the item goes, for acts that need an agent.

    Raises ConflictError where no agent is left for that, or the post is another item's.
    """
    if answer.act == "it_is_there":
        return _confirm(connection, card, item, answer)
    if answer.act == "close":
        return _close(connection, card, item, answer)
    if agent_id is None:
        raise ConflictError(
            f"No paired agent can look for the post of @{item.username}.",
            subject=item.username,
            advice=f"Pair an agent that has the driver {item.driver}.",
        )
    absent = answer.act == "publish_it"
    state = ActionState.PROVEN_ABSENT if absent else ActionState.IN_DOUBT
    if absent and card.shown_ids:
        intents.leave_out(connection, card.action_id, card.shown_ids)
    touched = rehoming.queue_anew(connection, item, agent_id, state, at=answer.at)
    return touched | _note(connection, card, answer, state)


def _confirm(connection: Connection, card: CardRecord, item: ItemRecord, answer: Answer) -> Touched:
    intent = intents.record(connection, card.action_id)
    intents.require_post_free(connection, intent, answer.remote_id)
    touched = intents.confirm(connection, intent, answer.remote_id, answer.remote_url)
    touched |= items.move(connection, [item.id], ItemState.DONE, at=answer.at)
    return touched | _note(connection, card, answer, ActionState.CONFIRMED)


def _close(connection: Connection, card: CardRecord, item: ItemRecord, answer: Answer) -> Touched:
    touched = items.move(connection, [item.id], ItemState.CANCELLED, at=answer.at)
    closed = cards.resolve(connection, card.action_id, _CLOSED.format(by=answer.by), at=answer.at)
    ledger.note_here(
        connection,
        card.action_id,
        ActionState.UNRESOLVED,
        by=answer.by,
        note="Closed without a verdict.",
        at=answer.at,
    )
    return touched | cards.save_answer(connection, card.id, answer) | Touched(cards=closed)


def _note(connection: Connection, card: CardRecord, answer: Answer, state: ActionState) -> Touched:
    """Write down who said what, on the card and in the ledger."""
    touched = cards.save_answer(connection, card.id, answer)
    note = not_checked(_NO_AGENT) if state is ActionState.CONFIRMED else ""
    why = resolution_of(state, by=answer.by, note=note)
    ledger.note_here(
        connection,
        card.action_id,
        state,
        by=answer.by,
        note=note or "The operator's word.",
        at=answer.at,
    )
    return touched | Touched(cards=cards.resolve(connection, card.action_id, why, at=answer.at))


def take_from_agent(
    connection: Connection,
    found: Collection[ItemRecord],
    agent_of: Mapping[str, str],
    *,
    at: float,
    error: WireError,
) -> Touched:
    """Take unfinished items from the agent that has them (see `rehoming.rehome`).

    Answers that it was to be told are carried out here.
    """
    touched = rehoming.rehome(connection, found, agent_of, at=at, error=error)
    now = items.records(connection, [item.id for item in found])
    for item in now.values():
        card = cards.open_of_item(connection, item.id)
        if card is None or card.answer is None or item.is_away:
            continue
        try:
            touched |= settle_here(connection, card, item, card.answer, agent_of.get(item.id))
        except ConflictError as problem:
            note = f"Your answer could not be carried out: {problem.message}"
            touched |= cards.drop_answer(connection, card.id, note)
    return touched
