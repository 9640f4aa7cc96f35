"""The practice media library is complete, in the platform's formats, small, and all distinct."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from PIL import Image

import resources

LIBRARY: list[dict[str, Any]] = json.loads(
    resources.path("media", "library.json").read_text(encoding="utf-8")
)["items"]
PHOTO_SIZES = {(1080, 1350), (1080, 1080), (1080, 566)}


def files(kind: str) -> list[Path]:
    return [
        resources.path("media", name)
        for item in LIBRARY
        if item["kind"] == kind
        for name in item["files"]
    ]


def probe(reel: Path) -> str:
    """What ffmpeg says of a file; asked for no output it complains, and says it all the same."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(reel)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, encoding="utf-8"
    ).stderr


def test_the_library_holds_what_the_demo_needs() -> None:
    kinds = [item["kind"] for item in LIBRARY]
    assert {kind: kinds.count(kind) for kind in kinds} == {"photo": 14, "reel": 8, "carousel": 2}
    assert all(len(item["files"]) == (3 if item["kind"] == "carousel" else 1) for item in LIBRARY)


def test_every_item_has_words_of_its_own() -> None:
    for word in ("name", "title", "alt_text"):
        words = [item[word] for item in LIBRARY]
        assert all(words)
        assert len(set(words)) == len(words), word


def test_the_folder_holds_the_listed_files_and_nothing_else() -> None:
    listed = {name for item in LIBRARY for name in item["files"]}
    found = {file.name for file in resources.path("media").iterdir()}
    assert found == listed | {"library.json"}


def test_no_two_files_are_the_same_and_all_together_are_small() -> None:
    everything = [
        file.read_bytes() for kind in ("photo", "reel", "carousel") for file in files(kind)
    ]
    assert len({hashlib.sha256(content).digest() for content in everything}) == len(everything)
    assert sum(map(len, everything)) < 9_000_000


@pytest.mark.parametrize("photo", files("photo") + files("carousel"), ids=lambda file: file.name)
def test_photo_has_a_size_that_the_platform_takes(photo: Path) -> None:
    with Image.open(photo) as picture:
        picture.load()
        assert picture.format == "JPEG"
        assert picture.mode == "RGB"
        assert picture.size in PHOTO_SIZES
    assert photo.stat().st_size <= 250_000


@pytest.mark.parametrize("reel", files("reel"), ids=lambda file: file.name)
def test_reel_has_picture_and_sound_that_the_platform_takes(reel: Path) -> None:
    said = probe(reel)
    seconds = re.search(r"Duration: 00:00:(\d\d\.\d\d)", said)
    assert seconds is not None, said
    assert 5 <= float(seconds.group(1)) <= 7.1
    assert re.search(r"Video: h264.*yuv420p.* 720x1280.* 30 fps", said), said
    assert re.search(r"Audio: aac.* 44100 Hz, stereo", said), said
    assert reel.stat().st_size <= 700_000
