"""Generations of the store: a new one begins when history was lost, here or at an agent.

Then nothing that was not settled can be trusted, and nothing is handed over before every agent was
compared with what is known here (docs/decisions/0007).
"""

from sqlalchemy import Connection, select, update

from common.domain.states import ActionState, ItemState
from common.domain.transitions import ITEM_FINAL
from desktop_app.store import accounts, holders, meta
from desktop_app.store.tables import AGENT, ITEM, PUBLISH_INTENT
from desktop_app.store.touched import ItemMove, Touched
from desktop_app.store.upsert import chunks

_SETTLED = [ActionState.CONFIRMED.value, ActionState.UNRESOLVED.value]
"""States that stay: the post is known, or a person is asked already."""
_OPEN_ITEMS = [state.value for state in ItemState if state not in ITEM_FINAL]


def current(connection: Connection) -> int:
    """Return the number of the present generation."""
    return meta.number(connection, meta.GENERATION)


def raise_mark(connection: Connection) -> int:
    """Note that something is about to be told or handed over; return how far the history is now."""
    return meta.count_up(connection, meta.MARK)


def note_put_back(connection: Connection, seen: int, generation: int, *, at: float) -> Touched:
    """Take note that an agent has seen a later mark than this store remembers.

    A new generation begins, unless one has begun since `generation`: in all links that are dialled
    at the same time the same loss shows.
    """
    meta.count_up(connection, meta.MARK, least=seen)
    return Touched() if current(connection) > generation else begin(connection, at=at)


def begin(connection: Connection, *, at: float) -> Touched:
    """Begin a new generation: every intent that is not settled is in doubt.

    One whose item has ended keeps its state, and whoever publishes it next has to look first. No
    fence is below one that was given in the history that is lost, and whoever may have had an item
    in it is heard.
    """
    meta.count_up(connection, meta.GENERATION)
    accounts.renew_fences(connection, at=at)
    holders.forget_who_had(connection)
    unsettled = PUBLISH_INTENT.c.state.not_in(_SETTLED)
    # Also one that was closed without a verdict: while old events come again it may look free.
    open_posts = PUBLISH_INTENT.c.state != ActionState.CONFIRMED.value
    connection.execute(update(PUBLISH_INTENT).where(open_posts).values(must_look=True))
    wanted = (
        select(PUBLISH_INTENT.c.id, ITEM.c.id, ITEM.c.run_id, ITEM.c.state)
        .join(ITEM, ITEM.c.id == PUBLISH_INTENT.c.item_id)
        .where(unsettled, ITEM.c.state.in_(_OPEN_ITEMS))
    )
    rows = connection.execute(wanted).all()
    for some in chunks([row[0] for row in rows]):
        doubted = update(PUBLISH_INTENT).where(PUBLISH_INTENT.c.id.in_(some))
        connection.execute(doubted.values(state=ActionState.IN_DOUBT.value))
    moves = (ItemMove(row[1], row[2], ItemState(row[3]), ItemState(row[3])) for row in rows)
    agents = frozenset(connection.scalars(select(AGENT.c.id)))
    intents = frozenset(row[0] for row in rows)
    return Touched.moved(moves) | Touched(intents=intents, agents=agents)


def note_heard(connection: Connection, agent_id: str, generation: int) -> Touched:
    """Note that an agent was compared with what was known here in a generation."""
    heard = update(AGENT).where(AGENT.c.id == agent_id)
    connection.execute(heard.values(generation=generation))
    return Touched(agents=frozenset({agent_id}))


def not_heard(connection: Connection) -> list[str]:
    """Return the names of the agents that were not compared in the present generation."""
    missing = select(AGENT.c.name).where(
        AGENT.c.scope == "control", AGENT.c.generation < current(connection)
    )
    return list(connection.scalars(missing.order_by(AGENT.c.name)))
