"""Posts that may exist: settled by looking, by a person, and across agents that come and go."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from common.domain.states import ActionState, ItemState, LinkState
from common.errors import ConflictError, InputError
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import MoveAccounts
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.contract.runs import ControlRun, ControlWork, ItemRow, RunTask, Targets
from tests.integration.desktop_app.conftest import DEADLINE_SECONDS, POLL_SECONDS, World
from tests.support.agent_process import AgentProcess
from tests.support.practice_client import PracticeClient
from tests.support.sample_media import make_photo

pytestmark = pytest.mark.timeout(180)

CONFIGURE = "/api/v1/media/configure/"
ENDED = {ItemState.DONE}


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await fact():  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


async def until_card(client: CoreClient) -> CardRow:
    found: list[CardRow] = []

    async def is_open() -> bool:
        found[:] = (await client.cards()).rows
        return bool(found)

    await until(is_open)
    return found[0]


@dataclass
class Rival:
    """The account's owner, who publishes by hand in the minutes in which we do."""

    client: PracticeClient
    photo: Path

    @classmethod
    def sign_in(cls, world: World) -> Rival:
        client = PracticeClient(world.practice.url)
        client.login("user0", "password-of-user0")
        return cls(client, make_photo(world.folder / "by-hand.jpg", 99))

    async def publish(self) -> None:
        await asyncio.to_thread(self.client.publish_photo, self.photo, "By hand")

    async def until_listed(self, count: int) -> None:
        """Wait until the account's list shows so many posts."""
        feed = f"feed/user/{self.client.user_id}/"

        async def is_listed() -> bool:
            answer = await asyncio.to_thread(self.client.private_request, feed)
            return len(answer["items"]) >= count

        await until(is_listed)


async def until_done_by_hand(client: CoreClient, run_id: str) -> list[ItemRow]:
    """Wait until every item is done; whoever is asked about a post says that it is not there.

    What waits behind such a question waits for its answer.
    """

    async def is_done() -> bool:
        for card in (await client.cards()).rows:
            if not card.answer:
                with contextlib.suppress(ConflictError):  # settled meanwhile
                    await client.act_on_card(card.id, ActOnCard(act="publish_it"))
        return {item.state for item in (await client.run_items(run_id)).rows} == ENDED

    await until(is_done)
    return (await client.run_items(run_id)).rows


async def start_doubtful(world: World, client: CoreClient, fault: str) -> tuple[str, Rival]:
    """Start a post whose answer never comes, while another one of its kind appears."""
    await world.join(client, accounts=1)
    await world.sign_in(client)
    photos = await world.add_photos(client, 1)
    rival = await asyncio.to_thread(Rival.sign_in, world)
    world.practice.fault("delay_ms", CONFIGURE, count=1, delay_ms=6000)
    world.practice.fault("list_late", CONFIGURE, count=1, delay_ms=6000)
    world.practice.fault(fault, CONFIGURE, count=1)
    run_id = await world.upload(client, photos)
    await world.until(
        client, run_id, lambda items: all(i.action is ActionState.SENDING for i in items)
    )
    # The faults wait for nobody else: the request of the agent is the one that met them.
    await rival.publish()
    return run_id, rival


def ours(world: World) -> list[dict[str, Any]]:
    """What was published and not by hand."""
    return [each for each in world.practice.posts("user0") if each["caption"] != "By hand"]


def same_batch(world: World, sha256: str) -> RunTask:
    return RunTask(
        task="bulk_upload",
        parameters={
            "posts": [{"media": [sha256]}],
            "distribution": "same_to_all",
            "caption": "{title}",
        },
        targets=Targets(usernames=world.usernames),
    )


def once_each(world: World) -> None:
    contents = Counter((each["account"], *each["content_sha256"]) for each in world.published())
    assert set(contents.values()) == {1}


@pytest.fixture
def second_agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with AgentProcess.start(tmp_path / "second") as agent:
        yield agent


async def pair_second(client: CoreClient, agent: AgentProcess) -> AgentRow:
    return await client.pair_agent(PairAgent(line=SecretStr(agent.pair_line())))


async def test_a_person_says_that_a_post_is_there(world: World) -> None:
    async with world.core.client() as client:
        run_id, rival = await start_doubtful(world, client, "drop_after_apply")
        card = await until_card(client)
        assert card.action is ActionState.UNRESOLVED
        assert card.agent_online
        assert card.theirs is not None
        assert [post.caption for post in card.theirs.posts] == ["By hand"]
        assert (await client.overview()).cards == 1
        (post,) = ours(world)

        with pytest.raises(InputError, match="not the address"):
            await client.act_on_card(card.id, ActOnCard(act="it_is_there", link="harbour"))
        link = f"{world.practice.url}/p/{post['post_code']}/"
        await rival.until_listed(2)  # what is not shown yet, nobody can have seen
        await client.act_on_card(card.id, ActOnCard(act="it_is_there", link=link))

        (item,) = await world.until_ended(client, run_id)
        assert (item.state, item.action) == (ItemState.DONE, ActionState.CONFIRMED)
        assert item.link == link
        (settled,) = (await client.cards(resolved=True)).rows
        assert settled.answered_by
        assert settled.answered_by in settled.resolution
        verdict = (await client.item_ledger(item.id)).entries[-1]
        assert verdict.by == settled.answered_by
        assert verdict.note == "the platform shows it on this account"
        assert len(ours(world)) == 1


async def test_a_link_to_a_post_of_somebody_else_is_refused_and_may_be_corrected(
    world: World,
) -> None:
    async with world.core.client() as client:
        run_id, rival = await start_doubtful(world, client, "drop_after_apply")
        card = await until_card(client)
        world.practice.seed([{"username": "stranger", "password": "password-of-stranger"}])
        stranger = PracticeClient(world.practice.url)
        await asyncio.to_thread(stranger.login, "stranger", "password-of-stranger")
        await asyncio.to_thread(stranger.publish_photo, rival.photo, "A stranger's")
        (others,) = world.practice.posts("stranger")
        (post,) = ours(world)
        await rival.until_listed(2)

        link = f"{world.practice.url}/p/{others['post_code']}/"
        await client.act_on_card(card.id, ActOnCard(act="it_is_there", link=link))

        async def is_refused() -> bool:
            rows = (await client.cards()).rows
            return any("another account" in row.theirs.note for row in rows if row.theirs)

        await until(is_refused)
        (again,) = (await client.cards()).rows
        assert again.theirs is not None
        assert link in again.theirs.note
        shown = [one.caption for one in again.theirs.posts]
        assert shown == [post["caption"]], "the right one is there to choose"
        assert again.answer is None
        link = f"{world.practice.url}/p/{post['post_code']}/"
        await client.act_on_card(again.id, ActOnCard(act="it_is_there", link=link))
        (item,) = await world.until_ended(client, run_id)
        assert (item.state, item.link) == (ItemState.DONE, link)
        assert len(ours(world)) == 1


async def test_an_answer_waits_for_the_agent_and_the_post_is_sent_once(world: World) -> None:
    async with world.core.client() as client:
        run_id, _ = await start_doubtful(world, client, "drop_before_apply")
        card = await until_card(client)
        world.agent.stop()
        await world.until_link(client, LinkState.DISCONNECTED)

        row = await client.act_on_card(card.id, ActOnCard(act="publish_it"))
        assert row.answer == "publish_it"
        assert row.resolved_at is None
        assert not row.agent_online

        world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))
        (item,) = await world.until_ended(client, run_id)
        assert item.state is ItemState.DONE
        assert len(ours(world)) == 1


async def test_a_doubt_outlives_the_agent_and_is_settled_by_another(
    world: World, second_agent: AgentProcess
) -> None:
    async with world.core.client() as client:
        run_id, rival = await start_doubtful(world, client, "drop_after_apply")
        card = await until_card(client)
        world.agent.kill()
        (old,) = (await client.agents()).rows
        await pair_second(client, second_agent)
        with pytest.raises(ConflictError, match="1 unfinished item, 1 of them in doubt"):
            await client.forget_agent(ForgetAgent(id=old.id))
        await client.forget_agent(ForgetAgent(id=old.id, force=True))
        await rival.until_listed(2)

        # No agent is left that could be told: the core carries the answer out.
        row = await client.act_on_card(card.id, ActOnCard(act="publish_it"))
        assert row.resolved_at is not None
        (item,) = await world.until_ended(client, run_id)
        assert item.state is ItemState.DONE
        assert len(ours(world)) == 1, "the second agent looked first"


async def test_a_forgotten_agents_posts_are_published_once_each(
    world: World, second_agent: AgentProcess
) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=4)
        await world.sign_in(client)
        world.practice.fault("delay_ms", CONFIGURE, count=40, delay_ms=150)
        run_id = await world.upload(client, await world.add_photos(client, 3))
        await world.until(
            client, run_id, lambda items: any(item.state is ItemState.DONE for item in items)
        )
        world.agent.kill()
        (old,) = (await client.agents()).rows
        await pair_second(client, second_agent)
        await client.forget_agent(ForgetAgent(id=old.id, force=True))
        items = await world.until_ended(client, run_id)
        assert {item.state for item in items} == ENDED
        assert len(world.published()) == 12
        once_each(world)


async def test_a_lost_journal_costs_no_post_and_doubles_none(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=3)
        await world.sign_in(client)
        world.practice.fault("delay_ms", CONFIGURE, count=40, delay_ms=150)
        run_id = await world.upload(client, await world.add_photos(client, 3))
        await world.until(
            client, run_id, lambda items: any(item.state is ItemState.DONE for item in items)
        )
        world.agent.kill()
        for file in world.agent.data.glob("journal.sqlite*"):
            file.unlink()
        world.agent = AgentProcess.start(world.agent.data, port=str(world.agent.port))
        await world.until_link(client, LinkState.ONLINE, LinkState.REFUSED)
        if (await client.agents()).rows[0].link is LinkState.REFUSED:
            await client.pair_agent(PairAgent(line=SecretStr(world.agent.pair_line())))
        items = await world.until_ended(client, run_id)
        assert {item.state for item in items} == ENDED
        assert len(world.published()) == 9
        once_each(world)


async def test_an_account_moves_by_draining_or_on_the_operators_word(
    world: World, second_agent: AgentProcess
) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        first = (await client.agents()).rows[0].id
        second = (await pair_second(client, second_agent)).id
        world.practice.fault("delay_ms", CONFIGURE, count=4, delay_ms=800)
        photos = await world.add_photos(client, 2)
        run_id = await world.upload(client, photos)
        await world.until(
            client, run_id, lambda items: any(i.state is ItemState.RUNNING for i in items)
        )
        accounts = {row.username: row.id for row in (await client.accounts()).rows}
        moved = await client.move_accounts(MoveAccounts(ids=[accounts["user0"]], agent_id=second))
        assert moved.draining == [accounts["user0"]]
        await world.until_ended(client, run_id)

        async def has_moved() -> bool:
            rows = {row.username: row for row in (await client.accounts()).rows}
            return rows["user0"].agent_id == second and not rows["user0"].moving_to

        await until(has_moved)
        assert len(world.published()) == 4

        world.practice.fault("delay_ms", CONFIGURE, account="user1", delay_ms=2000)
        met = len(world.practice.ledger(kind="fault"))
        later = await world.upload(client, (await world.add_photos(client, 3))[2:])

        async def has_arrived() -> bool:
            return len(world.practice.ledger(kind="fault")) > met

        await until(has_arrived)
        world.agent.kill()

        async def is_there() -> bool:
            return len(world.practice.posts("user1")) == 3

        # The platform takes longer here than it says of itself, so it is waited for.
        await until(is_there)

        async def is_gone() -> bool:
            rows = {row.id: row for row in (await client.agents()).rows}
            return rows[first].link is not LinkState.ONLINE

        await until(is_gone)
        refused = await client.move_accounts(MoveAccounts(ids=[accounts["user1"]], agent_id=second))
        assert "could be there twice" in refused.refused[accounts["user1"]].message
        wish = MoveAccounts(ids=[accounts["user1"]], agent_id=second, accept_risk=True)
        assert (await client.move_accounts(wish)).moved == [accounts["user1"]]
        items = await world.until_ended(client, later)
        assert {item.state for item in items} == ENDED
        assert len(world.published()) == 6
        once_each(world)


async def test_a_draining_agent_gets_nothing_until_it_is_let_work(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=1)
        await world.sign_in(client)
        (agent,) = (await client.agents()).rows
        await client.drain_agent(DrainAgent(id=agent.id))
        assert (await client.agents()).rows[0].is_draining
        run_id = await world.upload(client, await world.add_photos(client, 1))
        assert (await client.run(run_id)).counts == {ItemState.QUEUED: 1}
        await client.drain_agent(DrainAgent(id=agent.id, drain=False))
        await world.until_ended(client, run_id)
        assert len(world.published()) == 1


async def test_all_work_of_an_account_is_steered_at_once(world: World) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=2)
        await world.sign_in(client)
        world.practice.fault("delay_ms", CONFIGURE, count=100, delay_ms=300)
        photos = await world.add_photos(client, 6)
        runs = [await world.upload(client, photos[:3]), await world.upload(client, photos[3:])]
        (account,) = [row.id for row in (await client.accounts()).rows if row.username == "user0"]

        changed = await client.control_work(ControlWork(verb="cancel", account_ids=[account]))

        for run_id in runs:
            await world.until_ended(client, run_id)
        ended = [item for run_id in runs for item in (await client.run_items(run_id)).rows]
        done = {item.id for item in ended if item.state is ItemState.DONE}
        assert {item.id for item in ended if item.username == "user1"} <= done
        cancelled = {item.id for item in ended if item.state is ItemState.CANCELLED}
        assert cancelled
        assert cancelled <= set(changed.ids)
        assert len(world.published()) == len(done)
        assert all("point of no return" in error.message for error in changed.refused.values())


async def test_a_cancel_between_an_offer_and_its_answer_cannot_repeat_a_post(
    world: World, second_agent: AgentProcess
) -> None:
    """The core dies while items are on their way; nothing of that is forgotten with it."""
    async with world.core.client() as client:
        await world.join(client, accounts=6)
        await world.sign_in(client)
        run_id = await world.upload(client, await world.add_photos(client, 4))
    world.core.kill()
    world.agent.kill()
    world.reopen_core()
    async with world.core.client() as client:
        await client.control_run(run_id, ControlRun(verb="cancel"))
        (old,) = (await client.agents()).rows
        await pair_second(client, second_agent)
        await client.forget_agent(ForgetAgent(id=old.id, force=True))
        await world.until(
            client,
            run_id,
            lambda items: all(
                item.state in {ItemState.CANCELLED, ItemState.DONE, ItemState.NEEDS_OPERATOR}
                for item in items
            ),
        )
        again = await client.run_task(same_batch(world, (await client.media()).rows[0].sha256))
        if again.run_id:
            await world.until(
                client,
                again.run_id,
                lambda items: (
                    not any(
                        item.state in {ItemState.QUEUED, ItemState.ASSIGNED, ItemState.RUNNING}
                        for item in items
                    )
                ),
            )
        once_each(world)


async def test_an_agent_that_an_account_is_taken_from_gives_up_what_it_has(
    world: World, second_agent: AgentProcess
) -> None:
    """It is linked all the while: nothing is risked that could be told to it."""
    async with world.core.client() as client:
        await world.join(client, accounts=1)
        await world.sign_in(client)
        second = (await pair_second(client, second_agent)).id
        (account,) = (await client.accounts()).rows
        world.practice.fault("delay_ms", CONFIGURE, count=1, delay_ms=4000)
        run_id = await world.upload(client, await world.add_photos(client, 3))
        await world.until(
            client, run_id, lambda items: any(i.action is ActionState.SENDING for i in items)
        )
        wish = MoveAccounts(ids=[account.id], agent_id=second, accept_risk=True)
        assert (await client.move_accounts(wish)).moved == [account.id]
        items = await until_done_by_hand(client, run_id)
        assert len(world.published()) == 3
        once_each(world)
        attempts = [
            entry.attempt
            for item in items
            for entry in (await client.item_ledger(item.id)).entries
            if entry.state is ActionState.SENDING
        ]
        assert attempts.count(1) == 1, "only what was on its way went out by the first agent"


async def test_what_the_earlier_agent_published_is_not_handed_to_the_next(
    world: World, second_agent: AgentProcess
) -> None:
    async with world.core.client() as client:
        await world.join(client, accounts=1)
        await world.sign_in(client)
        second = (await pair_second(client, second_agent)).id
        second_agent.stop()

        async def is_gone() -> bool:
            rows = {row.id: row for row in (await client.agents()).rows}
            return rows[second].link is not LinkState.ONLINE

        await until(is_gone)
        (account,) = (await client.accounts()).rows
        world.practice.fault("delay_ms", CONFIGURE, count=1, delay_ms=2000)
        run_id = await world.upload(client, await world.add_photos(client, 1))
        await world.until(
            client, run_id, lambda items: any(i.action is ActionState.SENDING for i in items)
        )
        wish = MoveAccounts(ids=[account.id], agent_id=second, accept_risk=True)
        assert (await client.move_accounts(wish)).moved == [account.id]
        await world.until(
            client, run_id, lambda items: all(i.action is ActionState.CONFIRMED for i in items)
        )
        with AgentProcess.start(second_agent.data, port=str(second_agent.port)):
            (item,) = await world.until_ended(client, run_id)
        assert item.state is ItemState.DONE
        once_each(world)
