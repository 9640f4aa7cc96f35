"""The link between desktop and agent breaks, again and again, while a run goes on."""

from __future__ import annotations

from common.domain.states import ActionState, ItemState, LinkState
from tests.support.relay import Relay, relay_to
from tests.support.system import CONFIGURE, Member, System, states_of
from tests.support.waiting import wait_until_async

PHOTOS = 6


async def test_cuts_lose_nothing_and_nothing_is_applied_twice(system: System) -> None:
    async with relay_to(system.agent.port) as relay, system.core.client() as client:
        line = system.agent.pair_line().replace(f":{system.agent.port}/", f":{relay.port}/")
        await system.pair(client, line)
        names = await system.enrol(client, [Member(username="ada"), Member(username="ben")])
        await system.sign_in(client, names)
        system.practice.fault("delay_ms", CONFIGURE, count=100, delay_ms=120)
        photos = await system.photos(client, PHOTOS)
        relay.cut_after(20_000)  # while the media is on its way

        run_id = await system.upload(client, names, photos)
        await system.until_done(client, run_id, 2)
        relay.take_down()
        await system.until_link(client, LinkState.DISCONNECTED, LinkState.CONNECTING)
        alone = len(system.published())
        # The run goes on with nobody listening.
        await wait_until_async(
            lambda: len(system.published()) >= alone + 3, "posts while the link is down"
        )
        relay.bring_up()
        for _ in range(3):
            await _next_connection(relay)
            relay.cut_after(3_000)
        items = await system.until_at_rest(client, run_id)

        assert states_of(items) == {ItemState.DONE: PHOTOS * 2}
        assert system.published_once() == PHOTOS * 2
        await system.until_link(client, LinkState.ONLINE)
        seqs = []
        for item in items:
            entries = (await client.item_ledger(item.id)).entries
            assert [entry.state for entry in entries][-2:] == [
                ActionState.SENDING,
                ActionState.CONFIRMED,
            ]
            assert len({entry.state for entry in entries}) == len(entries)
            seqs += [entry.seq for entry in entries]
        assert len(set(seqs)) == len(seqs)


async def test_a_bulk_link_that_breaks_alone_is_dialled_again_and_goes_on(system: System) -> None:
    async with relay_to(system.agent.port) as relay, system.core.client() as client:
        line = system.agent.pair_line().replace(f":{system.agent.port}/", f":{relay.port}/")
        await system.pair(client, line)
        names = await system.enrol(client, [Member(username="ada")])
        await system.sign_in(client, names)
        photos = await system.photos(client, PHOTOS)
        before = relay.connections
        relay.cut_next_connection_after(20_000)

        run_id = await system.upload(client, names, photos)
        items = await system.until_at_rest(client, run_id)

        assert states_of(items) == {ItemState.DONE: PHOTOS}
        assert system.published_once() == PHOTOS
        # The control link stayed: only the bulk link was dialled, and dialled again.
        assert relay.connections == before + 2


async def _next_connection(relay: Relay) -> None:
    before = relay.connections
    relay.cut()
    await wait_until_async(lambda: relay.connections > before, "the next dial", seconds=30)
