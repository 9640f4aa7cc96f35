"""What files say about themselves."""

import io
from pathlib import Path

import pytest

from practice.probe import UnreadableMediaError, kind_of, photo_size, video_facts
from tests.support.sample_media import make_photo, make_reel


def test_a_photo_tells_its_size(tmp_path: Path) -> None:
    content = make_photo(tmp_path / "photo.jpg", size=(640, 800)).read_bytes()
    assert kind_of(content[:16]) == "photo"
    assert photo_size(content) == (640, 800)


def test_a_video_tells_size_and_duration(tmp_path: Path) -> None:
    path = make_reel(tmp_path / "reel.mp4", seconds=2.0, size=(180, 320))
    with path.open("rb") as file:
        assert kind_of(file.read(16)) == "video"
        width, height, duration = video_facts(file)
    assert (width, height) == (180, 320)
    assert duration == pytest.approx(2.0, abs=0.1)


def test_a_video_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    content = make_reel(tmp_path / "reel.mp4", seconds=2.0).read_bytes()
    for share in (0.999, 0.5, 0.01):
        with pytest.raises(UnreadableMediaError):
            video_facts(io.BytesIO(content[: int(len(content) * share)]))


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"GIF89a" + b"\0" * 64, b"just words"])
def test_other_bytes_are_neither(content: bytes) -> None:
    with pytest.raises(UnreadableMediaError):
        kind_of(content[:16])
    with pytest.raises(UnreadableMediaError):
        photo_size(content)
    with pytest.raises(UnreadableMediaError):
        video_facts(io.BytesIO(content))
