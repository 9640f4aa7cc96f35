"""On a full disk the store says so, loses nothing, and goes on when there is room."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import StoreError
from desktop_app.store import meta
from desktop_app.store.executor import DISK_FULL
from desktop_app.store.store import Store
from tests.support.stored import open_test_store

_BYTES = 16 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux"):
        pytest.skip("a small disk is made by mounting one, which is for Linux")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], timeout=20, check=True)


@pytest.fixture
def store(small_disk: Path) -> Iterator[Store]:
    opened = open_test_store(small_disk / "data")
    yield opened
    opened.close()


def fill(file: Path) -> None:
    """Take every byte that is left."""
    with file.open("ab", buffering=0) as sink:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    if sink.write(b"x" * size) < size:
                        break
            except OSError:
                continue


async def put(store: Store, key: str, size: int) -> None:
    await store.write(lambda connection: meta.put(connection, key, "y" * size))


async def get(store: Store, key: str) -> str | None:
    return await store.read(lambda connection: meta.get(connection, key))


async def test_what_was_begun_is_written_with_the_room_that_was_kept(
    store: Store, small_disk: Path
) -> None:
    assert store.room.take()
    await put(store, "before", 10)
    fill(small_disk / "filler")

    await put(store, "small", 10_000)

    assert store.room.is_full
    assert await get(store, "small") == "y" * 10_000


async def test_a_write_that_does_not_fit_is_refused_whole_and_the_store_goes_on(
    store: Store, small_disk: Path
) -> None:
    assert store.room.take()
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(StoreError, match="disk is full") as caught:
        await put(store, "large", _BYTES // 8)
    assert caught.value.field == DISK_FULL
    assert "room" in caught.value.advice
    fill(filler)
    results = await asyncio.gather(
        *(put(store, f"k{number}", 400_000) for number in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, StoreError) for result in results)
    assert await get(store, "large") is None
    assert await get(store, "k0") is None
    assert not store.room.take()
    assert store.room.is_full

    filler.unlink()
    assert store.room.take()
    assert not store.room.is_full
    await put(store, "large", _BYTES // 8)
    assert len(await get(store, "large") or "") == _BYTES // 8
