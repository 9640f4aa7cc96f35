"""Photos made ready for the platform."""

from pathlib import Path

import pytest
from PIL import Image

from agent.media.photo import COVER, FEED, PhotoRules, make_ready
from common.errors import MediaError

ORIENTATION = 0x0112


def picture(path: Path, size: tuple[int, int], mode: str = "RGB", **options: object) -> Path:
    image = Image.new(mode, size)
    image.save(path, **options)
    return path


def test_a_photo_that_fits_is_passed_on_byte_for_byte(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", (1080, 1350))
    ready = make_ready(path, FEED)
    assert (ready.data, ready.width, ready.height) == (path.read_bytes(), 1080, 1350)


@pytest.mark.parametrize(
    ("size", "rules", "expected"),
    [
        ((1080, 1920), FEED, (1080, 1350)),
        ((3000, 1000), FEED, (1080, 565)),
        ((4000, 3000), FEED, (1080, 810)),
        ((2160, 3840), COVER, (1080, 1920)),
    ],
)
def test_a_photo_that_does_not_fit_is_cropped_and_made_smaller(
    tmp_path: Path, size: tuple[int, int], rules: PhotoRules, expected: tuple[int, int]
) -> None:
    ready = make_ready(picture(tmp_path / "a.jpg", size), rules)
    assert (ready.width, ready.height) == expected


def test_a_photo_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    ready = make_ready(picture(tmp_path / "a.jpg", (1000, 800), exif=exif), FEED)
    assert (ready.width, ready.height) == (800, 1000)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA"])
def test_every_kind_of_png_becomes_a_jpeg_on_white(tmp_path: Path, mode: str) -> None:
    ready = make_ready(picture(tmp_path / "a.png", (800, 800), mode), FEED)
    assert ready.data.startswith(b"\xff\xd8")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(MediaError):
        make_ready(tmp_path / "a.jpg", FEED)
