"""A request's body: let by, thrown away, or kept for later."""

from collections.abc import Iterable

from starlette.types import Message

from practice.http.body import RequestBody

GONE: Message = {"type": "http.disconnect"}


def piece(body: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def arriving(messages: Iterable[Message]) -> RequestBody:
    remaining = list(messages)

    async def receive() -> Message:
        return remaining.pop(0) if remaining else GONE

    return RequestBody(receive)


async def test_what_was_kept_comes_first_and_then_what_arrives() -> None:
    pieces = [piece(b"one", more=True), piece(b"two", more=False)]
    body = arriving(pieces)
    assert await body.take_in()
    await body.sender_gone()
    assert [await body.receive() for _ in range(3)] == [*pieces, GONE]


async def test_a_sender_that_leaves_half_way_has_sent_nothing_whole() -> None:
    assert not await arriving([piece(b"one", more=True), GONE]).take_in()


async def test_draining_leaves_nothing_to_read() -> None:
    body = arriving([piece(b"one", more=True), piece(b"two", more=False)])
    assert (await body.receive())["body"] == b"one"
    await body.drain()
    assert await body.receive() == GONE


async def test_a_body_read_to_its_end_is_whole() -> None:
    body = arriving([piece(b"one", more=False)])
    await body.receive()
    assert await body.take_in()
