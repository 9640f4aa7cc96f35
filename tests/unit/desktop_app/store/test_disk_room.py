"""On a full disk the store says so, loses nothing, and goes on when there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import StoreError
from desktop_app.store import meta
from desktop_app.store.executor import DISK_FULL
from desktop_app.store.store import Store
from tests.support.small_disk import fill, free, small_disk
from tests.support.stored import open_test_store

_MIB = 16
_BYTES = _MIB * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", mib=_MIB) as folder:
        yield folder


@pytest.fixture
def store(disk: Path) -> Iterator[Store]:
    opened = open_test_store(disk / "data")
    yield opened
    opened.close()


async def put(store: Store, key: str, size: int) -> None:
    await store.write(lambda connection: meta.put(connection, key, "y" * size))


async def get(store: Store, key: str) -> str | None:
    return await store.read(lambda connection: meta.get(connection, key))


async def test_what_was_begun_is_written_with_the_room_that_was_kept(
    store: Store, disk: Path
) -> None:
    assert store.room.take()
    await put(store, "before", 10)
    fill(disk)

    await put(store, "small", 10_000)

    assert store.room.is_full
    assert await get(store, "small") == "y" * 10_000


async def test_a_write_that_does_not_fit_is_refused_whole_and_the_store_goes_on(
    store: Store, disk: Path
) -> None:
    assert store.room.take()
    fill(disk)
    with pytest.raises(StoreError, match="disk is full") as caught:
        await put(store, "large", _BYTES // 8)
    assert caught.value.field == DISK_FULL
    assert "room" in caught.value.advice
    fill(disk)
    results = await asyncio.gather(
        *(put(store, f"k{number}", 400_000) for number in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, StoreError) for result in results)
    assert await get(store, "large") is None
    assert await get(store, "k0") is None
    assert not store.room.take()
    assert store.room.is_full

    free(disk)
    assert store.room.take()
    assert not store.room.is_full
    await put(store, "large", _BYTES // 8)
    assert len(await get(store, "large") or "") == _BYTES // 8
