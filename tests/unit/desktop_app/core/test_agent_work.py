"""What the core does with an agent: compares, heals, tells, and only then hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from sqlalchemy import Connection, delete, update

from common.domain.states import ActionState, ItemState
from common.errors import (
    AgentUnreachableError,
    ConflictError,
    DuplicateIntentError,
    LinkError,
    WireError,
)
from common.protocol.messages import (
    AcceptItem,
    ControlItems,
    InventoryRow,
    SettleAction,
)
from desktop_app.core.agent_work import AgentWork
from desktop_app.core.answers import AnswerTeller
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.store import accounts, agents, cards, generations, intents, items, specs
from desktop_app.store.cards import Answer
from desktop_app.store.records import ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.tables import ACCOUNT, MEDIA
from desktop_app.store.touched import Touched
from tests.support.stored import add_accounts, add_agent, add_run, upload_items
from tests.unit.desktop_app.core.agent_ends import AgentEnd, CoreEnd, ignore

BOB, ANN = "b" * 52, "a" * 52


def _plan(store: Store, *, publishing: bool) -> Callable[[Connection], list[ItemRecord]]:
    def work(connection: Connection) -> list[ItemRecord]:
        agent_id = add_agent(connection, store.vault, ANN)
        ids = add_accounts(connection, store.vault, ["cove", "anchor", "quay"])
        accounts.assign(connection, dict.fromkeys(ids, agent_id))
        new = upload_items(ids, agent_id)
        if not publishing:
            new = [replace(item, claim=None) for item in new]
        connection.execute(
            MEDIA.insert().values(
                sha256="d" * 64, name="a.jpg", title="a", kind="photo", size=1, width=1, height=1,
                duration=0.0, added_at=1.0, used=0,
            )
        )  # fmt: skip
        run_id, _ = add_run(connection, new)
        return items.of_run(connection, run_id)

    return work


@pytest.fixture
async def posts(store: Store) -> list[ItemRecord]:
    """Three posts that wait for an agent."""
    return await store.write(_plan(store, publishing=True))


@pytest.fixture
async def logins(store: Store) -> list[ItemRecord]:
    """Three items without an effect that wait for an agent."""
    return await store.write(_plan(store, publishing=False))


def row_of(item: ItemRecord, state: ItemState = ItemState.ASSIGNED, **more: object) -> InventoryRow:
    return InventoryRow(
        item_id=item.id,
        run_id=item.run_id,
        account_id=item.account_id,
        attempt=item.attempt,
        state=state,
        fence=1,
        **more,  # type: ignore[arg-type]
    )


async def now(store: Store, found: Sequence[ItemRecord]) -> list[ItemRecord]:
    known = await store.read(partial(items.records, ids=[item.id for item in found]))
    return [known[item.id] for item in found]


async def states(store: Store, found: Sequence[ItemRecord]) -> list[ItemState]:
    return [item.state for item in await now(store, found)]


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await fact():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def accept(store: Store, found: Sequence[ItemRecord]) -> None:
    attempts = {item.id: item.attempt for item in found}
    await store.write(partial(items.save_accepted, attempts=attempts, at=2.0))


async def set_state(store: Store, item: ItemRecord, state: ActionState) -> None:
    await store.write(
        lambda connection: intents.set_state(connection, [str(item.intent_id)], state)
    )


async def until_handed_over(store: Store, agent: AgentEnd, found: Sequence[ItemRecord]) -> None:
    async def is_done() -> bool:
        return len(agent.heard(AcceptItem)) >= len(found) and all(
            item.accepted for item in await now(store, found)
        )

    await until(is_done)


async def test_an_item_may_be_the_agents_from_before_it_is_sent(
    store: Store, logins: list[ItemRecord]
) -> None:
    agent = AgentEnd(ANN, refuses={AcceptItem: AgentUnreachableError("It broke.")})
    async with CoreEnd(store).linked(agent, breaks=True):
        await until(lambda: _is_away(store, logins))
    assert [item.accepted for item in await now(store, logins)] == [False] * 3

    for item in logins:
        await store.write(partial(items.want, ids=[item.id], wanted="cancelled"))
    agent = AgentEnd(ANN, [row_of(logins[0])])
    async with CoreEnd(store).linked(agent):

        async def is_told() -> bool:
            return (await states(store, logins))[1:] == [ItemState.CANCELLED] * 2

        await until(is_told)
    # The others never reached the agent. It has the first one, and says what becomes of it: until
    # then it is shown as asked for.
    assert [item.wanted for item in await now(store, logins)] == ["cancelled", None, None]
    (request, *_) = agent.heard(ControlItems)
    assert isinstance(request, ControlItems)
    assert request.fences == {item.id: 1 for item in logins}


async def _is_away(store: Store, found: Sequence[ItemRecord]) -> bool:
    return all(item.is_away for item in await now(store, found))


async def test_wishes_about_items_that_never_arrived_are_granted(
    store: Store, logins: list[ItemRecord]
) -> None:
    for item, wish in zip(logins, ["paused", "cancelled", "resumed"], strict=True):
        await store.write(partial(items.save_offered, ids=[item.id], at=2.0))
        await store.write(partial(items.want, ids=[item.id], wanted=wish))
    async with CoreEnd(store).linked(AgentEnd(ANN)) as work:

        async def are_granted() -> bool:
            return not any(item.wanted for item in await now(store, logins))

        await until(are_granted)
        assert isinstance(work, AgentWork)
    paused, cancelled, resumed = await states(store, logins)
    assert (paused, cancelled) == (ItemState.PAUSED, ItemState.CANCELLED)
    assert resumed in {ItemState.QUEUED, ItemState.ASSIGNED}


async def test_a_post_that_the_agent_lost_comes_again_with_its_doubt(
    store: Store, posts: list[ItemRecord]
) -> None:
    await accept(store, posts)
    await set_state(store, posts[0], ActionState.SENDING)
    await set_state(store, posts[1], ActionState.CONFIRMED)
    await set_state(store, posts[2], ActionState.UNRESOLVED)
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[:1])
    (request,) = agent.heard(AcceptItem)
    assert isinstance(request, AcceptItem)
    assert request.item.item_id == posts[0].id
    assert request.item.publish is not None
    assert request.item.publish.doubt is not None
    doubted, published, asked = await now(store, posts)
    assert (doubted.state, doubted.action) == (ItemState.ASSIGNED, ActionState.IN_DOUBT)
    assert published.state is ItemState.DONE
    assert asked.action is ActionState.UNRESOLVED
    assert not asked.is_away, "a person's word is carried out here"


async def test_a_doubt_that_the_agent_does_not_take_is_a_persons(
    store: Store, posts: list[ItemRecord]
) -> None:
    await set_state(store, posts[0], ActionState.IN_DOUBT)
    refusal = DuplicateIntentError("This post is already published.")
    agent = AgentEnd(ANN, refuses={AcceptItem: refusal})
    async with CoreEnd(store).linked(agent):

        async def are_refused() -> bool:
            return ItemState.QUEUED not in await states(store, posts)

        await until(are_refused)
    doubtful, *others = await now(store, posts)
    assert (doubtful.state, doubtful.action) == (
        ItemState.NEEDS_OPERATOR,
        ActionState.UNRESOLVED,
    )
    assert {item.state for item in others} == {ItemState.FAILED}
    (card,), _ = await store.read(partial(cards.page, resolved=False))
    assert card.item_id == doubtful.id
    assert card.theirs is not None
    assert "already published" in card.theirs.note


async def test_a_post_that_its_agent_knows_already_is_looked_for_before_another_publishes_it(
    store: Store, posts: list[ItemRecord]
) -> None:
    refusal = DuplicateIntentError("This post is already published.")
    async with CoreEnd(store).linked(AgentEnd(ANN, refuses={AcceptItem: refusal})):

        async def are_refused() -> bool:
            return set(await states(store, posts)) == {ItemState.FAILED}

        await until(are_refused)
    await store.write(lambda connection: add_agent(connection, store.vault, BOB))
    first = posts[0].id
    await store.write(partial(items.retry, ids=[first], at=9.0, agent_of={first: BOB}))
    (spec,) = await store.read(partial(specs.item_specs, vault=store.vault, item_ids=[first]))
    assert spec.publish is not None
    assert spec.publish.doubt is not None


async def test_what_is_published_here_and_open_there_is_told(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]

    def settle(connection: Connection) -> None:
        intent = intents.record(connection, str(first.intent_id))
        intents.confirm(connection, intent, "31_9", "http://x/p/31/")
        items.save_accepted(connection, {first.id: 1}, at=2.0)
        items.move(connection, [first.id], ItemState.INTERRUPTED, at=3.0)
        items.move(connection, [first.id], ItemState.DONE, at=3.0)

    await store.write(settle)
    held = row_of(
        first,
        ItemState.NEEDS_OPERATOR,
        action_id=first.intent_id,
        action=ActionState.UNRESOLVED,
    )
    agent = AgentEnd(ANN, [held])
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[1:])
    (request,) = agent.heard(SettleAction)
    assert isinstance(request, SettleAction)
    assert (request.verdict, request.remote_id) == ("there", "31_9")
    assert not agent.heard(ControlItems)


async def test_an_answer_is_told_before_new_work_and_only_once(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])
    await ask_person(store, first, answer=True)
    held = row_of(first, ItemState.NEEDS_OPERATOR, action_id=first.intent_id)
    agent = AgentEnd(ANN, [held])
    async with CoreEnd(store).linked(agent) as work:
        await until_handed_over(store, agent, posts[1:])
        work.wake()
        await asyncio.sleep(0.05)
    kinds = [type(request) for request in agent.asked]
    assert kinds.count(SettleAction) == 1
    assert kinds.index(SettleAction) < kinds.index(AcceptItem)
    (request,) = agent.heard(SettleAction)
    assert isinstance(request, SettleAction)
    assert (request.verdict, request.by, request.fence) == ("absent", "ada", 1)


async def ask_person(store: Store, item: ItemRecord, *, answer: bool) -> str:
    def work(connection: Connection) -> str:
        items.move(connection, [item.id], ItemState.RUNNING, at=3.0)
        items.move(connection, [item.id], ItemState.NEEDS_OPERATOR, at=3.0)
        intents.set_state(connection, [str(item.intent_id)], ActionState.UNRESOLVED)
        doubt = cards.Doubt(
            action_id=str(item.intent_id),
            account_id=item.account_id,
            item_id=item.id,
            run_id=item.run_id,
        )
        card_id = cards.open_card(connection, doubt, at=3.0)
        if answer:
            cards.save_answer(connection, card_id, Answer(act="publish_it", by="ada", at=4.0))
        return card_id

    return await store.write(work)


class ChangesItsMind:
    """A store whose operator answers otherwise right after the first answer was read."""

    def __init__(self, store: Store, card_id: str) -> None:
        self._store = store
        self._card_id = card_id
        self._is_due = True
        self.write = store.write

    async def read(self, work: Callable[[Connection], list[object]]) -> list[object]:
        found = await self._store.read(work)
        if found and self._is_due:
            self._is_due = False
            other = Answer(act="close", by="ada", at=5.0)
            await self._store.write(
                lambda connection: cards.save_answer(connection, self._card_id, other)
            )
        return found


async def test_an_answer_that_was_changed_while_it_was_read_is_not_told(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])
    card_id = await ask_person(store, first, answer=True)
    agent = AgentEnd(ANN, [row_of(first, ItemState.NEEDS_OPERATOR, action_id=first.intent_id)])
    closed: list[str] = []

    async def control(_verb: str, ids: Collection[str]) -> dict[str, WireError]:
        closed.extend(ids)
        return {}

    teller = AnswerTeller(
        cast("LiveLink", agent), cast("Store", ChangesItsMind(store, card_id)), control, ignore
    )
    await teller.tell()
    assert not agent.heard(SettleAction)
    assert not (await store.read(partial(cards.record, card_id=card_id))).is_told
    await teller.tell()
    assert closed == [first.id], "what was said last is told"


async def test_an_answer_that_the_agent_refuses_is_asked_for_again(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])
    card_id = await ask_person(store, first, answer=True)
    held = row_of(first, ItemState.NEEDS_OPERATOR, action_id=first.intent_id)
    refusal = ConflictError("The post is not in doubt.")
    agent = AgentEnd(ANN, [held], refuses={SettleAction: refusal})
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[1:])
    (card,) = await store.read(partial(cards.rows, ids=[card_id]))
    assert card.answer is None
    assert card.acts
    assert card.theirs is not None
    assert "not in doubt" in card.theirs.note


async def test_an_answer_about_an_item_that_is_gone_there_is_carried_out_here(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])
    card_id = await ask_person(store, first, answer=True)
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts)
    (item,) = await now(store, [first])
    assert (item.attempt, item.state) == (2, ItemState.ASSIGNED)
    sent = [r.item for r in agent.heard(AcceptItem) if isinstance(r, AcceptItem)]
    (again,) = [spec for spec in sent if spec.item_id == first.id]
    assert again.publish is not None
    assert again.publish.doubt is not None, "the agent looks once more"
    assert not (await store.read(partial(cards.record, card_id=card_id))).is_open


async def test_nothing_is_handed_over_before_every_agent_was_compared(
    store: Store, posts: list[ItemRecord]
) -> None:
    await store.write(lambda connection: add_agent(connection, store.vault, BOB))
    core, ann, bob = CoreEnd(store), AgentEnd(ANN, epoch="another", lowest_seq=4), AgentEnd(BOB)
    async with core.linked(ann):

        async def is_compared() -> bool:
            known = await store.read(partial(agents.record, agent_id=ANN))
            return known.generation == await store.read(generations.current)

        await until(is_compared)
        notice = core.gate.notice()
        assert not core.gate.is_open
        assert notice is not None
        assert "worker" in notice.message
        assert not ann.heard(AcceptItem)
        assert {item.action for item in await now(store, posts)} == {ActionState.IN_DOUBT}
        async with core.linked(bob):
            await until_handed_over(store, ann, posts)
    assert core.gate.is_open
    for request in ann.heard(AcceptItem):
        assert isinstance(request, AcceptItem)
        assert request.item.publish is not None
        assert request.item.publish.doubt is not None


async def test_after_a_loss_the_agents_journal_is_believed(
    store: Store, posts: list[ItemRecord]
) -> None:
    first, second, third = posts
    held = [
        row_of(first, action_id=first.intent_id, action=ActionState.PLANNED),
        row_of(
            second,
            ItemState.NEEDS_OPERATOR,
            action_id=second.intent_id,
            action=ActionState.UNRESOLVED,
        ),
        row_of(third, ItemState.RUNNING, action_id=third.intent_id, action=ActionState.SENDING),
    ]
    agent = AgentEnd(ANN, held, epoch="another")
    core = CoreEnd(store)
    async with core.linked(agent):

        async def is_open() -> bool:
            return core.gate.is_open and core.gate.generation > 1

        await until(is_open)
    assert [(item.state, item.action) for item in await now(store, posts)] == [
        (ItemState.ASSIGNED, ActionState.PLANNED),
        (ItemState.NEEDS_OPERATOR, ActionState.UNRESOLVED),
        (ItemState.RUNNING, ActionState.SENDING),
    ]
    (card,), _ = await store.read(partial(cards.page, resolved=False))
    assert card.item_id == second.id


@pytest.mark.parametrize("evidence", ["fence", "item"])
async def test_an_agent_that_knows_more_than_the_store_begins_a_generation_once(
    store: Store, posts: list[ItemRecord], evidence: str
) -> None:
    await accept(store, posts)
    rows = [row_of(item, action_id=item.intent_id, action=ActionState.PLANNED) for item in posts]
    if evidence == "fence":
        rows[0] = rows[0].model_copy(update={"fence": 9})
    else:
        rows.append(rows[0].model_copy(update={"item_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}))
    before = await store.read(generations.current)
    for _ in range(2):
        core = CoreEnd(store)
        async with core.linked(AgentEnd(ANN, rows)):

            async def is_compared(core: CoreEnd = core) -> bool:
                return core.gate.is_open and core.gate.generation == before + 1

            await until(is_compared)
    assert await store.read(generations.current) == before + 1
    if evidence == "fence":
        fences = await store.read(partial(accounts.fences, ids=[posts[0].account_id]))
        assert fences[posts[0].account_id] > 9, "above every one that was given in the lost life"


async def test_a_store_that_was_put_back_is_noticed_by_an_agent_that_holds_nothing(
    store: Store, posts: list[ItemRecord]
) -> None:
    """The one that published since the copy was made is away; the other has only seen its hello."""
    await store.write(lambda connection: add_agent(connection, store.vault, BOB))
    before = await store.read(generations.current)
    core = CoreEnd(store)
    async with core.linked(AgentEnd(BOB, seen_mark=40)):

        async def has_begun() -> bool:
            return core.gate.generation == before + 1

        await until(has_begun)
        assert not core.gate.is_open, "the one that is away has to be heard first"
        notice = core.gate.notice()
        assert notice is not None
        assert {item.action for item in await now(store, posts)} == {ActionState.IN_DOUBT}
    assert await store.write(generations.raise_mark) > 40
    again = CoreEnd(store)
    async with again.linked(AgentEnd(BOB, seen_mark=40)):

        async def is_compared() -> bool:
            known = await store.read(partial(agents.record, agent_id=BOB))
            return known.generation == before + 1

        await until(is_compared)
    assert await store.read(generations.current) == before + 1, "the same loss counts once"


async def test_all_agents_that_notice_the_same_loss_begin_one_generation(
    store: Store, posts: list[ItemRecord]
) -> None:
    await store.write(lambda connection: add_agent(connection, store.vault, BOB))
    before = await store.read(generations.current)
    mark = await store.write(generations.raise_mark)

    def notice(seen: int) -> Callable[[Connection], Touched]:
        return partial(generations.note_put_back, seen=seen, generation=before, at=5.0)

    assert (await store.write(notice(mark + 30))).agents == {ANN, BOB}
    assert not (await store.write(notice(mark + 50))).agents
    assert await store.read(generations.current) == before + 1
    assert await store.write(generations.raise_mark) > mark + 50
    assert posts


async def test_the_mark_grows_with_what_is_handed_over(
    store: Store, posts: list[ItemRecord]
) -> None:
    core, agent = CoreEnd(store), AgentEnd(ANN)
    async with core.linked(agent):
        await until_handed_over(store, agent, posts)
        assert core.gate.mark > core.greeting.mark
    assert await store.read(generations.current) == 1, "no generation for want of a mark"


async def test_an_agent_that_has_seen_what_cannot_be_is_not_worked_with(
    store: Store, posts: list[ItemRecord]
) -> None:
    with pytest.raises(LinkError, match="cannot have reached"):
        async with CoreEnd(store).linked(AgentEnd(ANN, seen_mark=2**53)):
            raise AssertionError("there is no session")
    assert {item.action for item in await now(store, posts)} == {ActionState.PLANNED}


async def test_a_draining_agent_gets_nothing_new(store: Store, posts: list[ItemRecord]) -> None:
    await store.write(partial(agents.set_draining, agent_id=ANN, drain=True))
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent) as work:
        await asyncio.sleep(0.1)
        assert not agent.heard(AcceptItem)
        await store.write(partial(agents.set_draining, agent_id=ANN, drain=False))
        work.wake()
        await until_handed_over(store, agent, posts)


async def test_accounts_about_to_move_get_nothing_new(
    store: Store, posts: list[ItemRecord]
) -> None:
    def leave(connection: Connection) -> None:
        leaving = update(ACCOUNT).where(ACCOUNT.c.id == posts[0].account_id)
        connection.execute(leaving.values(moving_to=BOB))

    await store.write(leave)
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[1:])
    assert len(agent.heard(AcceptItem)) == 2


async def test_a_post_that_an_earlier_agent_made_is_never_handed_over(
    store: Store, posts: list[ItemRecord]
) -> None:
    first, second, third = posts

    def publish(connection: Connection) -> None:
        for number, item in enumerate([first, second]):
            intent = intents.record(connection, str(item.intent_id))
            intents.confirm(connection, intent, f"{number}_9", f"http://x/p/{number}/")
        items.save_offered(connection, [second.id], at=2.0)

    await store.write(publish)
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, [third])
    (request,) = agent.heard(AcceptItem)
    assert isinstance(request, AcceptItem)
    assert request.item.item_id == third.id
    assert (await states(store, posts))[:2] == [ItemState.DONE] * 2


async def test_an_agent_at_work_on_a_post_that_an_earlier_one_made_is_left_to_find_it(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])

    def publish(connection: Connection) -> None:
        items.move(connection, [first.id], ItemState.RUNNING, at=3.0)
        intent = intents.record(connection, str(first.intent_id))
        intents.confirm(connection, intent, "31_9", "http://x/p/31/")

    await store.write(publish)
    held = row_of(
        first, ItemState.RUNNING, action_id=first.intent_id, action=ActionState.RECONCILING
    )
    agent = AgentEnd(ANN, [held])
    async with CoreEnd(store).linked(agent) as work:
        await until_handed_over(store, agent, posts[1:])
        work.wake()
        await work.control("resume", [])
    assert not agent.heard(ControlItems)
    assert not agent.heard(SettleAction)
    assert await states(store, [first]) == [ItemState.RUNNING]


async def test_a_post_that_an_earlier_agent_made_is_told_to_the_one_that_asks_about_it(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]
    await accept(store, [first])
    await ask_person(store, first, answer=False)
    held = row_of(
        first, ItemState.NEEDS_OPERATOR, action_id=first.intent_id, action=ActionState.UNRESOLVED
    )
    agent = AgentEnd(ANN, [held])
    async with CoreEnd(store).linked(agent) as work:
        await until_handed_over(store, agent, posts[1:])
        assert not agent.heard(SettleAction)

        def publish(connection: Connection) -> None:
            intent = intents.record(connection, str(first.intent_id))
            intents.confirm(connection, intent, "31_9", "http://x/p/31/")

        await store.write(publish)
        work.wake()

        async def is_told() -> bool:
            return bool(agent.heard(SettleAction))

        await until(is_told)
    (request, *_) = agent.heard(SettleAction)
    assert isinstance(request, SettleAction)
    assert (request.verdict, request.remote_id) == ("there", "31_9")


async def test_a_doubt_that_cannot_be_handed_over_is_a_persons(
    store: Store, posts: list[ItemRecord]
) -> None:
    await set_state(store, posts[0], ActionState.IN_DOUBT)
    await store.write(lambda connection: connection.execute(delete(MEDIA)))
    async with CoreEnd(store).linked(AgentEnd(ANN)):

        async def are_refused() -> bool:
            return ItemState.QUEUED not in await states(store, posts)

        await until(are_refused)
    assert await states(store, posts) == [ItemState.NEEDS_OPERATOR, *[ItemState.FAILED] * 2]
    (card,), _ = await store.read(partial(cards.page, resolved=False))
    assert card.item_id == posts[0].id


async def test_what_is_closed_at_an_agent_ends_no_wish(
    store: Store, posts: list[ItemRecord]
) -> None:
    first = posts[0]

    def move(connection: Connection) -> None:
        add_agent(connection, store.vault, BOB)
        items.place_at(connection, first, BOB, {"attempt": 2})
        items.save_offered(connection, [first.id], at=2.0)
        items.want(connection, [first.id], "cancelled")

    await store.write(move)
    agent = AgentEnd(ANN, [row_of(first)])
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[1:])
    assert agent.heard(ControlItems), "the earlier agent stops"
    assert [item.wanted for item in await now(store, [first])] == ["cancelled"]


async def test_what_an_agent_may_have_is_handed_over_although_it_drains(
    store: Store, posts: list[ItemRecord]
) -> None:
    def leave(connection: Connection) -> None:
        items.save_offered(connection, [item.id for item in posts[:2]], at=2.0)
        leaving = update(ACCOUNT).where(ACCOUNT.c.id == posts[0].account_id)
        connection.execute(leaving.values(moving_to=BOB))
        agents.set_draining(connection, ANN, drain=True)

    await store.write(leave)
    agent = AgentEnd(ANN)
    async with CoreEnd(store).linked(agent):
        await until_handed_over(store, agent, posts[:2])
    assert len(agent.heard(AcceptItem)) == 2
