"""Blobs: taken up where they broke off, checked, named by content, evicted with care."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from agent.jobs.blobs import BlobStore
from common.errors import ConflictError, InputError, MediaError, StoreError

DATA = b"harbour at dusk" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


def a_store(tmp_path: Path, *, quota: int = 10**9, reserve: int = 0) -> BlobStore:
    return BlobStore(tmp_path / "blobs", quota=quota, reserve=reserve)


async def put(store: BlobStore, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    incoming = store.begin(sha256, len(data))
    incoming.write(0, data)
    await store.complete(incoming)
    return sha256


async def test_blob_survives_a_restart_half_way(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    first = store.begin(SHA256, len(DATA))
    first.write(0, DATA[:7000])
    store.close()
    store = a_store(tmp_path)
    second = store.begin(SHA256, len(DATA))
    assert second.offset == 7000
    second.write(7000, DATA[7000:])
    assert second.is_complete()
    await store.complete(second)
    assert store.path(SHA256).read_bytes() == DATA
    assert a_store(tmp_path).has(SHA256)


async def test_wrong_bytes_are_deleted(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    incoming = store.begin(SHA256, len(DATA))
    incoming.write(0, DATA[::-1])
    with pytest.raises(MediaError):
        await store.complete(incoming)
    assert store.begin(SHA256, len(DATA)).offset == 0
    assert not store.has(SHA256)
    store.close()


def test_gaps_and_excess_are_refused(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    incoming = store.begin(SHA256, 100)
    with pytest.raises(InputError, match="was due"):
        incoming.write(1, b"x")
    with pytest.raises(InputError, match="More bytes"):
        incoming.write(0, b"x" * 101)
    store.close()


def test_newer_link_takes_over(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    older = store.begin(SHA256, len(DATA))
    older.write(0, DATA[:10])
    newer = store.begin(SHA256, len(DATA))
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


def test_no_room_is_said_before_the_transfer(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="MiB"):
        a_store(tmp_path, reserve=10**18).begin(SHA256, len(DATA))


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
