"""The disk of the desktop runs full: it says so, hands nothing over, and goes on with new room."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.domain.states import ActionState, ItemState
from common.errors import StoreError
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.media import ImportMedia
from desktop_app.store.folder import StoreFolder
from tests.support.sample_media import make_photo
from tests.support.small_disk import fill, free, small_disk
from tests.support.system import CONFIGURE, Member, System, running_system, states_of
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.timeout(240)

USERNAMES = ["ada", "ben", "cleo"]
CROWD = 500
"""Accounts whose import takes more room than the database has in reserve."""
SECONDS = 60.0
POLL_SECONDS = 0.1
HELD_MS = 5000
"""How long the platform takes for a post, so that the disk is full before it answers."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A desktop whose data folder is a disk of its own."""
    with small_disk(tmp_path / "core", mib=24), running_system(tmp_path, browser_slots="0") as made:
        yield made


async def join(system: System, client: CoreClient) -> None:
    await system.pair(client)
    await system.enrol(client, [Member(username=name) for name in USERNAMES])
    await system.sign_in(client, USERNAMES)


async def fill_to_the_last(system: System, client: CoreClient) -> StoreError:
    """Fill the disk, also what the core gives up then, until accounts cannot be stored."""
    for number in itertools.count():
        await asyncio.to_thread(fill, system.core.data)
        crowd = [Member(username=f"crowd{number}.{each}") for each in range(CROWD)]
        try:
            await system.bring_in(client, crowd)
        except StoreError as problem:
            return problem
    raise AssertionError("unreachable")


async def until_notice(client: CoreClient, *, is_there: bool) -> AgentRow:
    async with asyncio.timeout(SECONDS):
        while True:
            (row,) = (await client.agents()).rows
            if (row.notice is not None) is is_there:
                return row
            await asyncio.sleep(POLL_SECONDS)


async def test_a_full_disk_stops_the_desktop_and_room_lets_it_go_on(system: System) -> None:
    disk = system.core.data
    async with system.core.client() as client:
        await join(system, client)
        first, second = await system.photos(client, 2)
        system.practice.fault("delay_ms", CONFIGURE, count=len(USERNAMES), delay_ms=HELD_MS)
        under_way = await system.upload(client, USERNAMES, [first])
        await system.until(
            client,
            under_way,
            lambda items: all(item.action is ActionState.SENDING for item in items),
            "every post is on its way",
        )

        problem = await fill_to_the_last(system, client)
        assert "disk is full" in problem.message
        assert "room" in problem.advice
        notice = (await until_notice(client, is_there=True)).notice
        assert notice is not None
        assert "disk of this desktop is full" in notice.message
        runs = (await client.runs()).total
        with pytest.raises(StoreError, match="disk is full"):
            await system.upload(client, USERNAMES, [second])
        # What the agent did meanwhile waits there for the store to take it.
        await wait_until_async(
            lambda: len(system.published()) == len(USERNAMES), "the agent went on", seconds=SECONDS
        )
        assert (await client.runs()).total == runs
        assert (await client.overview()).agents_online == 1

        await asyncio.to_thread(free, disk)
        await until_notice(client, is_there=False)
        items = await system.until_at_rest(client, under_way)
        assert states_of(items) == {ItemState.DONE: len(USERNAMES)}
        again = await system.upload(client, USERNAMES, [second])
        assert states_of(await system.until_at_rest(client, again)) == {
            ItemState.DONE: len(USERNAMES)
        }
    assert system.published_once() == 2 * len(USERNAMES)


async def test_a_core_that_died_on_a_full_disk_goes_on_when_it_is_back(system: System) -> None:
    disk = system.core.data
    async with system.core.client() as client:
        await join(system, client)
        (photo,) = await system.photos(client, 1)
        system.practice.fault("delay_ms", CONFIGURE, count=len(USERNAMES), delay_ms=HELD_MS)
        run_id = await system.upload(client, USERNAMES, [photo])
        await system.until(
            client,
            run_id,
            lambda items: all(item.action is ActionState.SENDING for item in items),
            "every post is on its way",
        )
        await fill_to_the_last(system, client)
    system.core.kill()
    (disk / "core.json.0123456789abcdef.partial").write_bytes(b"")
    with pytest.raises(AssertionError, match="is full, so the core cannot run"):
        system.reopen_core()

    await asyncio.to_thread(free, disk)
    system.reopen_core()
    assert not list(disk.rglob("*.partial"))
    async with system.core.client() as client:
        items = await system.until_at_rest(client, run_id)
        assert states_of(items) == {ItemState.DONE: len(USERNAMES)}
    assert system.published_once() == len(USERNAMES)


async def test_a_core_starts_on_a_full_disk_with_the_room_that_it_kept(system: System) -> None:
    disk = system.core.data
    async with system.core.client() as client:
        await system.pair(client)
        await wait_until_async(StoreFolder(disk).ballast.exists, "room is kept")
    system.core.stop()
    await asyncio.to_thread(fill, disk)
    system.reopen_core()
    async with system.core.client() as client:
        assert (await until_notice(client, is_there=True)).notice
        await asyncio.to_thread(free, disk)
        await until_notice(client, is_there=False)


async def test_files_for_which_there_is_no_room_are_refused_by_name(system: System) -> None:
    folder, disk = StoreFolder(system.core.data), system.core.data
    photos = [make_photo(system.folder / f"large-{number}.jpg", number) for number in range(3)]
    async with system.core.client() as client:
        await asyncio.to_thread(fill, disk, but_for=photos[0].stat().st_size // 2)
        added = await client.import_media(ImportMedia(paths=[str(photo) for photo in photos]))
        assert added.rows == []
        for photo, problem in zip(photos, added.problems, strict=True):
            assert problem.field == str(photo)
            assert photo.name in problem.message
            assert "MiB, and the disk has" in problem.message
            assert str(disk) in problem.advice
        assert not list(folder.media.iterdir())
        assert not list(folder.thumbnails.iterdir())

        await asyncio.to_thread(free, disk)
        added = await client.import_media(ImportMedia(paths=[str(photo) for photo in photos]))
        assert len(added.rows) == 3
        assert added.problems == []
