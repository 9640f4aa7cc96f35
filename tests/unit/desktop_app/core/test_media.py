"""Adding files to the library: what is kept, and what is refused and why."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Connection, text

from common.domain.content import MediaKind
from common.errors import InputError, NotFoundError, StoreError
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported
from desktop_app.core.changes import ChangeHub
from desktop_app.core.media import MediaService
from desktop_app.store.store import Store
from tests.support.sample_media import make_photo, make_reel
from tests.support.stored import add_accounts, add_run, upload_items


@pytest.fixture
def service(store: Store, hub: ChangeHub) -> MediaService:
    return MediaService(store, hub, clock=lambda: 7.0)


async def add(service: MediaService, *paths: Path) -> MediaImported:
    return await service.import_files(ImportMedia(paths=[str(path) for path in paths]))


async def test_photos_and_reels_are_kept_by_content(
    service: MediaService, store: Store, hub: ChangeHub, tmp_path: Path
) -> None:
    photo, reel = make_photo(tmp_path / "Dusk.JPG"), make_reel(tmp_path / "surf.mp4", 3.0)
    before = hub.revision
    command = ImportMedia(paths=[str(reel), str(photo)], titles={str(reel): "Surf at noon"})
    found = await service.import_files(command)
    assert found.problems == []
    assert found.revision > before
    first, second = found.rows
    assert (first.name, first.title, first.kind) == ("surf.mp4", "Surf at noon", MediaKind.VIDEO)
    assert (first.width, first.height) == (360, 640)
    assert first.duration == pytest.approx(3.0, abs=0.1)
    assert (second.title, second.kind, second.width, second.height) == (
        "Dusk",
        MediaKind.PHOTO,
        1080,
        1350,
    )
    for row, source in ((first, reel), (second, photo)):
        kept = store.folder.media_file(row.sha256)
        assert kept.read_bytes() == source.read_bytes()
        assert row.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert row.size == source.stat().st_size
        with Image.open(service.thumbnail_file(row.sha256)) as small:
            assert (small.format, max(small.size)) == ("JPEG", 320)
    page = await service.page()
    assert {row.sha256 for row in page.rows} == {first.sha256, second.sha256}
    with pytest.raises(InputError):
        await service.page(sort="colour")


async def test_a_turned_photo_has_the_size_that_is_shown(
    service: MediaService, tmp_path: Path
) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (800, 600), "navy").save(path, exif=exif)
    (row,) = (await add(service, path)).rows
    assert (row.width, row.height) == (600, 800)
    with Image.open(service.thumbnail_file(row.sha256)) as small:
        assert small.size == (240, 320)


async def test_the_same_bytes_are_one_file_whatever_their_name(
    service: MediaService, tmp_path: Path
) -> None:
    one = make_photo(tmp_path / "one.jpg")
    two = tmp_path / "two.jpg"
    two.write_bytes(one.read_bytes())
    found = await add(service, one, two, one)
    assert [row.name for row in found.rows] == ["one.jpg"] * 3
    again = await add(service, two)
    assert [row.name for row in again.rows] == ["one.jpg"]
    assert (await service.page()).total == 1


async def test_what_cannot_be_written_down_is_not_kept(
    service: MediaService, store: Store, tmp_path: Path
) -> None:
    there = make_photo(tmp_path / "there.jpg", 1)
    (known,) = (await add(service, there)).rows
    trigger = (
        "CREATE TRIGGER no_room BEFORE INSERT ON media BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    await store.write(lambda connection: connection.execute(text(trigger)))
    fresh = make_photo(tmp_path / "fresh.jpg", 2)
    with pytest.raises(StoreError, match="no room"):
        await add(service, there, fresh)
    assert [file.name for file in store.folder.media.iterdir()] == [known.sha256]
    assert [file.stem for file in store.folder.thumbnails.iterdir()] == [known.sha256]
    await store.write(lambda connection: connection.execute(text("DROP TRIGGER no_room")))
    assert len((await add(service, there, fresh)).rows) == 2


def bad_files(folder: Path) -> dict[Path, str]:
    """Files that cannot be used, with words that the operator is told."""
    photo, reel = make_photo(folder / "good.jpg"), make_reel(folder / "good.mp4", 1.0)
    files = {
        "empty.jpg": (b"", "is empty"),
        "text.mp4": (b"just some words, not a video at all", "neither a photo nor a video"),
        "photo-named.mp4": (photo.read_bytes(), "JPEG photo by its content"),
        "video-named.jpg": (reel.read_bytes(), "MP4 or MOV video by its content"),
        "cut-off.jpg": (photo.read_bytes()[:5000], "damaged JPEG"),
        "cut-off.mp4": (reel.read_bytes()[:900], "damaged video"),
        "header-only.jpg": (b"\xff\xd8\xff\xe0" + b"\0" * 40, "damaged JPEG"),
    }
    told: dict[Path, str] = {}
    for name, (data, words) in files.items():
        (folder / name).write_bytes(data)
        told[folder / name] = words
    Image.new("RGB", (50, 50)).save(folder / "picture.png")
    (folder / "album.jpg").mkdir()
    told[folder / "picture.png"] = "PNG"
    told[folder / "album.jpg"] = "is a folder"
    told[folder / "nowhere.jpg"] = "is not there"
    return told


async def test_bad_files_are_refused_by_name_and_good_ones_stay(
    service: MediaService, store: Store, tmp_path: Path
) -> None:
    told = bad_files(tmp_path)
    paths = [*told, tmp_path / "good.jpg"]
    found = await add(service, *paths)
    assert [row.name for row in found.rows] == ["good.jpg"]
    assert [problem.field for problem in found.problems] == [str(path) for path in told]
    assert [problem.line for problem in found.problems] == list(range(1, len(told) + 1))
    for problem, (path, words) in zip(found.problems, told.items(), strict=True):
        assert words in problem.message
        assert path.name in problem.message
    kept = {file.name for file in store.folder.media.iterdir()}
    assert kept == {found.rows[0].sha256}, "nothing of a refused file is left"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that opens and cannot be read")
async def test_a_file_that_cannot_be_read(service: MediaService, tmp_path: Path) -> None:
    path = tmp_path / "unreadable.jpg"
    path.symlink_to("/proc/self/mem")
    (problem,) = (await add(service, path)).problems
    assert "unreadable.jpg cannot be read" in problem.message


async def test_a_file_that_unfinished_work_needs_is_not_deleted(
    service: MediaService, store: Store, tmp_path: Path
) -> None:
    found = await add(service, make_photo(tmp_path / "a.jpg", 1), make_photo(tmp_path / "b.jpg", 2))
    needed, free = (row.sha256 for row in found.rows)

    def plan(connection: Connection) -> None:
        (item,) = upload_items(add_accounts(connection, store.vault, ["cove"]), None)
        assert item.claim is not None
        add_run(connection, [replace(item, claim=replace(item.claim, media=(needed,)))])

    await store.write(plan)
    changed = await service.delete(DeleteMedia(sha256s=[needed, free, "e" * 64]))
    assert changed.ids == [free]
    assert {sha256: error.code for sha256, error in changed.refused.items()} == {
        needed: "conflict",
        "e" * 64: "not_found",
    }
    assert store.folder.media_file(needed).exists()
    assert not store.folder.media_file(free).exists()
    with pytest.raises(NotFoundError):
        service.thumbnail_file(free)


@pytest.mark.parametrize("name", ["../../vault.json", "x", "D" * 64, ""])
def test_a_picture_is_found_by_hash_alone(service: MediaService, name: str) -> None:
    with pytest.raises(NotFoundError):
        service.thumbnail_file(name)
