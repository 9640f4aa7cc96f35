"""How far an agent has seen a store: given back in every hello, whatever happened in between."""

from __future__ import annotations

import time

from common.domain.ids import new_id
from common.protocol.messages import AskBlobs, Heartbeat
from tests.integration.agent.conftest import AgentStarter
from tests.support.agent_link import DesktopLink, Paired, pair


async def seen_mark(paired: Paired) -> int:
    async with DesktopLink.open(paired) as link:
        assert link.peer is not None
        assert link.peer.agent is not None
        return link.peer.agent.seen_mark


async def test_the_mark_of_a_store_is_given_back_to_it_alone(start_agent: AgentStarter) -> None:
    async with start_agent() as agent:
        paired = await agent.paired()
        watching = await pair(agent.line())
        assert await seen_mark(paired) == 0
        async with DesktopLink.open(paired, hello={"mark": 5}) as link:
            await link.send(Heartbeat(clock=time.time(), mark=9))
            await link.send(Heartbeat(clock=time.time(), mark=7))
            await link.ask(AskBlobs(id=new_id(), sha256s=[]))  # answered behind both
        assert await seen_mark(paired) == 9
        assert await seen_mark(watching) == 0, "another store has a history of its own"
    async with start_agent() as again:
        assert await seen_mark(paired.at(again.agent.port)) == 9
