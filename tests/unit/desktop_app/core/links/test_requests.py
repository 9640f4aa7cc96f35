"""Requests to an agent: answered, refused, late, or cut off."""

from __future__ import annotations

import asyncio

import pytest

from common.domain.states import ItemState
from common.errors import AgentUnreachableError, StaleFenceError
from common.protocol.messages import AskBlobs, AskInventory, Done, Inventory, InventoryRow, Refused
from desktop_app.core.clock import JUMP_SECONDS, JumpWatch
from desktop_app.core.links.backoff import FIRST_SECONDS, MOST_SECONDS, BackOff
from desktop_app.core.links.requests import Requests

ASK = AskBlobs(id="one", sha256s=[])


def row(item_id: str) -> InventoryRow:
    return InventoryRow(
        item_id=item_id, run_id="r", account_id="a", attempt=1, state=ItemState.RUNNING, fence=1
    )


async def test_an_answer_reaches_the_one_who_asked() -> None:
    requests = Requests()
    future = requests.expect(ASK)
    requests.answer(Done(id="one"))
    assert await requests.wait(ASK, future, 5) == Done(id="one")


async def test_a_refusal_is_raised_as_the_error_it_was() -> None:
    requests = Requests()
    future = requests.expect(ASK)
    requests.answer(Refused(id="one", error=StaleFenceError("Taken over.").to_wire()))
    with pytest.raises(StaleFenceError, match="Taken over"):
        await requests.wait(ASK, future, 5)


async def test_an_inventory_in_pieces_is_one_answer() -> None:
    requests = Requests()
    ask = AskInventory(id="two")
    future = requests.expect(ask)
    requests.answer(Inventory(id="two", rows=[row("a")], complete=False))
    assert not future.done()
    requests.answer(Inventory(id="two", rows=[row("b")]))
    answer = await requests.wait(ask, future, 5)
    assert isinstance(answer, Inventory)
    assert [each.item_id for each in answer.rows] == ["a", "b"]


async def test_silence_has_an_end() -> None:
    requests = Requests()
    future = requests.expect(ASK)
    with pytest.raises(AgentUnreachableError, match="within"):
        await requests.wait(ASK, future, 0.01)
    requests.answer(Done(id="one"))  # late, and nobody's


async def test_when_the_session_ends_everybody_hears_why() -> None:
    requests = Requests()
    waiting = asyncio.ensure_future(requests.wait(ASK, requests.expect(ASK), 5))
    requests.end(AgentUnreachableError("Gone."))
    with pytest.raises(AgentUnreachableError, match="Gone"):
        await waiting
    with pytest.raises(AgentUnreachableError, match="Gone"):
        requests.expect(AskBlobs(id="three", sha256s=[]))


async def test_an_answer_that_nobody_asked_for_is_dropped() -> None:
    Requests().answer(Done(id="never"))


def test_the_wait_doubles_up_to_a_minute_and_begins_anew() -> None:
    back_off = BackOff()
    waits = [back_off.next_wait(1.0) for _ in range(12)]
    assert waits[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert waits[-1] == MOST_SECONDS
    back_off.reset()
    assert back_off.next_wait(0.0) == FIRST_SECONDS / 2


def test_a_clock_that_jumps_is_noticed_once() -> None:
    watch = JumpWatch(1000.0, 5.0)
    assert not watch.has_jumped(1001.0, 6.0)
    assert watch.has_jumped(1002.0 + JUMP_SECONDS + 1, 7.0)
    assert not watch.has_jumped(1003.0 + JUMP_SECONDS + 1, 8.0)
    assert watch.has_jumped(900.0, 9.0)
