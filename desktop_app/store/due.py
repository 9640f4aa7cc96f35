"""Whether anything is left that goes on by itself, or whether all of it waits for a person."""

from sqlalchemy import Connection, exists, select

from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from desktop_app.store.tables import ATTENTION_CARD, ITEM

_AT_REST = ITEM_FINAL | {ItemState.PAUSED, ItemState.NEEDS_OPERATOR, ItemState.MISSED}
_MOVING = [state.value for state in ItemState if state not in _AT_REST]
_IN_TURN = [ItemState.QUEUED.value, ItemState.ASSIGNED.value]


def is_anything_due(connection: Connection) -> bool:
    """Say whether an item runs or waits for its turn, or an answer has to be told.

    A post waits for a person too where a card of its account is open: it comes behind that one.
    """
    asked = select(ATTENTION_CARD.c.account_id).where(
        ATTENTION_CARD.c.resolved_at.is_(None), ATTENTION_CARD.c.answer.is_(None)
    )
    behind_a_card = (
        ITEM.c.state.in_(_IN_TURN) & ITEM.c.intent_id.is_not(None) & ITEM.c.account_id.in_(asked)
    )
    to_tell = exists().where(
        ATTENTION_CARD.c.resolved_at.is_(None), ATTENTION_CARD.c.answer.is_not(None)
    )
    moving = exists().where(ITEM.c.state.in_(_MOVING), ~behind_a_card)
    return bool(connection.scalar(select(moving | to_tell)))
