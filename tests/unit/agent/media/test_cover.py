"""Covers of videos, by the real ffmpeg."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from agent.media.cover import ensure_cover, first_frame_command
from common.errors import MediaError
from tests.support.sample_media import make_reel


async def test_a_cover_is_the_first_frame_and_made_once(tmp_path: Path) -> None:
    video = _reel(tmp_path)
    cover = await ensure_cover(video, "abc", tmp_path / "covers")
    with Image.open(cover) as picture:
        assert (picture.format, picture.size) == ("JPEG", (360, 640))
    made = cover.stat().st_mtime_ns
    assert await ensure_cover(video, "abc", tmp_path / "covers") == cover
    assert cover.stat().st_mtime_ns == made
    assert [one.name for one in (tmp_path / "covers").iterdir()] == ["abc.jpg"]


async def test_accounts_that_need_one_cover_at_once_all_get_it(tmp_path: Path) -> None:
    video, folder = _reel(tmp_path), tmp_path / "covers"
    covers = await asyncio.gather(*(ensure_cover(video, "abc", folder) for _ in range(4)))
    assert set(covers) == {folder / "abc.jpg"}
    assert [one.name for one in folder.iterdir()] == ["abc.jpg"]


async def test_a_damaged_video_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    video = tmp_path / "blob"
    video.write_bytes(_reel(tmp_path).read_bytes()[:800])
    with pytest.raises(MediaError, match="cannot be read") as refused:
        await ensure_cover(video, "abc", tmp_path / "covers")
    assert str(tmp_path) not in refused.value.message
    assert not list((tmp_path / "covers").iterdir())


def test_ffmpeg_reads_local_files_only_and_no_console() -> None:
    command = first_frame_command(Path("in"), Path("out.jpg"))
    assert "-nostdin" in command
    assert command[command.index("-protocol_whitelist") + 1] == "file,pipe"
    assert command.index("-protocol_whitelist") < command.index("-i")


def _reel(folder: Path) -> Path:
    """Return a reel as it lies in the blob cache: without an ending."""
    return make_reel(folder / "reel.mp4").rename(folder / "reel")
