"""Writes from many callers: each one whole or not at all, and given out after the commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from common.errors import NotFoundError, StoreError
from common.infra.ballast import Ballast
from desktop_app.store import meta
from desktop_app.store.disk_room import DiskRoom
from desktop_app.store.executor import Executor


@pytest.fixture
def room(tmp_path: Path) -> DiskRoom:
    return DiskRoom(Ballast(tmp_path / "ballast.bin", 4096))


@pytest.fixture
def executor(engine: Engine, room: DiskRoom) -> Iterator[Executor]:
    made = Executor(engine, room)
    yield made
    made.close()


async def value(executor: Executor, key: str) -> str | None:
    return await executor.read(lambda c: meta.get(c, key))


async def test_a_write_is_seen_by_the_next_read(executor: Executor) -> None:
    await executor.write(lambda c: meta.put(c, "colour", "green"))
    assert await value(executor, "colour") == "green"


async def test_a_failing_write_takes_back_only_its_own_work(executor: Executor) -> None:
    hold = threading.Event()

    def fail(connection: Connection) -> None:
        meta.put(connection, "bad", "1")
        raise NotFoundError("gone")

    first = asyncio.ensure_future(executor.write(lambda _: hold.wait(10)))
    others = [
        asyncio.ensure_future(executor.write(lambda c, n=n: meta.put(c, f"good{n}", "1")))
        for n in range(3)
    ]
    failing = asyncio.ensure_future(executor.write(fail))
    broken = asyncio.ensure_future(executor.write(lambda c: c.execute(text("SELECT nonsense"))))
    last = asyncio.ensure_future(executor.write(lambda c: meta.put(c, "last", "1")))
    await asyncio.sleep(0)  # let all of them queue behind the first
    hold.set()
    await asyncio.gather(first, *others, last)
    with pytest.raises(NotFoundError):
        await failing
    with pytest.raises(StoreError):
        await broken
    assert [await value(executor, f"good{n}") for n in range(3)] == ["1", "1", "1"]
    assert await value(executor, "last") == "1"
    assert await value(executor, "bad") is None


async def test_an_error_of_the_database_shows_no_values(executor: Executor) -> None:
    secret = "never-in-an-error"

    def fail(connection: Connection) -> None:
        connection.execute(text("INSERT INTO meta VALUES (:key, NULL)"), {"key": secret})

    with pytest.raises(StoreError) as caught:
        await executor.write(fail)
    assert secret not in str(caught.value)


async def test_what_is_queued_is_written_before_the_end(engine: Engine, room: DiskRoom) -> None:
    executor = Executor(engine, room)
    writes = [
        asyncio.ensure_future(executor.write(lambda c, n=n: meta.put(c, f"k{n}", "1")))
        for n in range(200)
    ]
    await asyncio.sleep(0)  # let all of them queue
    await asyncio.to_thread(executor.close)
    await asyncio.gather(*writes)
    with pytest.raises(StoreError, match="closed"):
        await executor.read(lambda c: meta.get(c, "k1"))
    with engine.connect() as connection, connection.begin():
        assert meta.get(connection, "k199") == "1"


async def test_a_caller_who_gave_up_in_the_queue_changes_nothing(executor: Executor) -> None:
    hold, begun = threading.Event(), threading.Event()

    def block(_: Connection) -> None:
        begun.set()
        hold.wait(10)

    first = asyncio.ensure_future(executor.write(block))
    await asyncio.to_thread(begun.wait, 10)
    given_up = asyncio.ensure_future(executor.write(lambda c: meta.put(c, "late", "1")))
    await asyncio.sleep(0)  # let it queue
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    hold.set()
    await first
    await executor.write(lambda c: meta.put(c, "after", "1"))
    assert await value(executor, "late") is None
