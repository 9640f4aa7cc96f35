"""An agent that sends without end takes nothing from the others, nor from the operator."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from agent.server.certificate import load_identity
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.protocol.events import ActionChanged, OutboxRow
from common.protocol.messages import AgentCard, Events, Heartbeat, Hello, Progress, encode
from desktop_app.contract.agents import PairAgent
from tests.integration.desktop_app.conftest import World
from tests.support.impostor import Impostor, listening
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.timeout(180)

EPOCH = "flood"


def events(number: int) -> str:
    """Batches of events in good order, without a look at what was acknowledged."""
    action = ActionChanged(
        action_id="unknown", item_id="unknown", attempt=1, account_id="unknown",
        operation="publish", state="sending", driver="private_api",
    ).model_dump(mode="json")  # fmt: skip
    rows = [OutboxRow(seq=number * 50 + at, at=1.0, body=action) for at in range(1, 51)]
    return encode(Events(epoch=EPOCH, rows=rows))


def progress(number: int) -> str:
    return encode(Progress(item_id=f"{number % 1000:026d}", attempt=1, step="busy", log_end=number))


def heartbeats(_number: int) -> str:
    return encode(Heartbeat(clock=time.time()))


@pytest.mark.parametrize("flood", [events, progress, heartbeats])
async def test_a_flood_from_one_agent_starves_nobody(
    world: World, flood: Callable[[int], str]
) -> None:
    folder = world.folder / "flooding"
    folder.mkdir()
    identity = load_identity(folder)
    card = AgentCard(
        agent_id=identity.agent_id, name="flood", boot_id=new_id(), epoch=EPOCH, lowest_seq=1,
        drivers=[], tasks=[], browser_slots=0, capacity=1.0,
    )  # fmt: skip
    hello = encode(Hello(app="0", clock=time.time(), agent=card))
    async with world.core.client() as client:
        await world.join(client, accounts=4)
        async with listening(Impostor(identity, hello=hello, flood=flood)) as flooding:
            await client.pair_agent(PairAgent(line=SecretStr(flooding.line())))
            await world.sign_in(client)
            run_id = await world.upload(client, await world.add_photos(client, 2))
            items = await world.until_ended(client, run_id)
            assert (await client.overview()).agents == 2
            await wait_until_async(lambda: flooding.flooded > 100, "a flood")
    assert Counter(item.state for item in items) == {ItemState.DONE: 8}
    assert len(world.published()) == 8
