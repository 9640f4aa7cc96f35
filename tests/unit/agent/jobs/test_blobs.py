"""Blobs: taken up where they broke off, checked, named by content, evicted with care."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path

import pytest

from agent.jobs.blobs import BlobStore, IncomingBlob, in_thread
from common.errors import ConflictError, InputError, MediaError, StoreError

DATA = b"harbour at dusk" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


def a_store(tmp_path: Path, *, quota: int = 10**9, reserve: int = 0) -> BlobStore:
    return BlobStore(tmp_path / "blobs", quota=quota, reserve=reserve)


async def begun(store: BlobStore, sha256: str, size: int) -> IncomingBlob:
    incoming = await store.begin(sha256, size)
    assert incoming is not None
    return incoming


async def put(store: BlobStore, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    incoming = await begun(store, sha256, len(data))
    incoming.write(0, data)
    await store.complete(incoming)
    return sha256


async def test_blob_survives_a_restart_half_way(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    first = await begun(store, SHA256, len(DATA))
    first.write(0, DATA[:7000])
    store.close()
    store = a_store(tmp_path)
    second = await begun(store, SHA256, len(DATA))
    assert second.offset == 7000
    second.write(7000, DATA[7000:])
    assert second.is_complete()
    await store.complete(second)
    assert store.path(SHA256).read_bytes() == DATA
    assert a_store(tmp_path).has(SHA256)


async def test_wrong_bytes_are_deleted(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    incoming = await begun(store, SHA256, len(DATA))
    incoming.write(0, DATA[::-1])
    with pytest.raises(MediaError):
        await store.complete(incoming)
    assert (await begun(store, SHA256, len(DATA))).offset == 0
    assert not store.has(SHA256)
    store.close()


async def test_gaps_and_excess_are_refused(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    incoming = await begun(store, SHA256, 100)
    with pytest.raises(InputError, match="was due"):
        incoming.write(1, b"x")
    with pytest.raises(InputError, match="More bytes"):
        incoming.write(0, b"x" * 101)
    store.close()


async def test_newer_link_takes_over(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    older = await begun(store, SHA256, len(DATA))
    older.write(0, DATA[:10])
    newer = await begun(store, SHA256, len(DATA))
    assert newer.offset == 10
    with pytest.raises(ConflictError):
        older.write(10, DATA[10:])
    store.abandon(older)
    newer.write(10, DATA[10:])
    store.close()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_name_that_is_no_hash_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        a_store(tmp_path).path(name)


async def test_no_room_is_said_before_the_transfer(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="MiB"):
        await a_store(tmp_path, reserve=10**18).begin(SHA256, len(DATA))


async def test_eviction_spares_what_is_needed_and_what_is_fresh(tmp_path: Path) -> None:
    store = a_store(tmp_path, quota=1)
    old, needed, fresh = [await put(store, bytes([n]) * 1000) for n in range(3)]
    for sha256 in (old, needed):
        os.utime(store.path(sha256), (1, 1))
    assert store.evict({needed}) == 1
    assert [store.has(sha256) for sha256 in (old, needed, fresh)] == [False, True, True]
    assert store.missing([old, needed, old]) == [old]


async def test_covers_go_with_their_videos(tmp_path: Path) -> None:
    store = a_store(tmp_path, quota=1)
    old, fresh = [await put(store, bytes([n]) * 1000) for n in range(2)]
    covers = [store.path(sha256).parent / "covers" / f"{sha256}.jpg" for sha256 in (old, fresh)]
    for cover in covers:
        cover.parent.mkdir(exist_ok=True)
        cover.touch()
    os.utime(store.path(old), (1, 1))
    store.evict(())
    assert [cover.exists() for cover in covers] == [False, True]


async def test_what_a_desktop_asks_for_is_kept_for_the_item_that_follows(tmp_path: Path) -> None:
    store = a_store(tmp_path, quota=1)
    sha256 = await put(store, DATA)
    os.utime(store.path(sha256), (1, 1))
    assert store.missing([sha256]) == []
    assert store.evict(()) == 0


async def test_a_file_that_somebody_removed_is_asked_for_again(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    sha256 = await put(store, DATA)
    store.path(sha256).unlink()
    assert store.missing([sha256]) == [sha256]
    assert not store.has(sha256)


async def test_parts_that_nobody_goes_on_with_are_deleted(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    names = [hashlib.sha256(bytes([n])).hexdigest() for n in range(4)]
    for name in names:
        (await begun(store, name, 100)).write(0, b"x")
    old, needed, coming, fresh = names
    parts = {name: tmp_path / "blobs" / "parts" / f"{name}.part" for name in names}
    store.close()
    assert not store.is_eviction_due
    for name in (old, needed, coming):
        os.utime(parts[name], (1, 1))
    going_on = await begun(store, coming, 100)
    assert store.is_eviction_due
    store.evict({needed})
    assert [parts[name].exists() for name in names] == [False, True, True, True]
    assert going_on.offset == 1
    store.close()
    assert parts[fresh].read_bytes() == b"x"


async def test_an_offer_waits_for_the_link_that_is_just_storing_the_file(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    incoming = await begun(store, SHA256, len(DATA))
    incoming.write(0, DATA)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(store.complete(incoming))
        await asyncio.sleep(0)
        assert await store.begin(SHA256, len(DATA)) is None
    assert store.path(SHA256).read_bytes() == DATA


async def test_cancellation_waits_for_the_thread(tmp_path: Path) -> None:
    begun_work, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun_work.set()
        assert may_end.wait(10)
        (tmp_path / "done").touch()

    task = asyncio.create_task(in_thread(work))
    assert await asyncio.to_thread(begun_work.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "done").exists()
