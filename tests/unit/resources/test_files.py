"""Shipped files are found by path; fonts and icons can be used as they are."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageFont

import resources

FONTS = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "Inter-Bold.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Medium.ttf",
)
ICONS = sorted(resources.path("icons", "lucide").glob("*.svg"))


def test_path_names_a_file_that_can_be_read() -> None:
    assert resources.path("theme", "tokens.json").read_text(encoding="utf-8").startswith("{")


def test_path_of_a_missing_file_is_still_a_path() -> None:
    missing = resources.path("theme", "no-such-file")
    assert not missing.exists()
    assert missing.parent == resources.path("theme")


@pytest.mark.parametrize("name", FONTS)
def test_font_draws_letters(name: str) -> None:
    font = ImageFont.truetype(str(resources.path("fonts", name)), 20)
    assert font.getmask("Flotilla").getbbox() is not None
    assert font.getlength("iiii") < font.getlength("mmmm") or "Mono" in name


@pytest.mark.parametrize("family", ["Inter", "JetBrainsMono"])
def test_font_licence_lies_beside_the_fonts(family: str) -> None:
    licence = resources.path("fonts", f"{family}-OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize("icon", ICONS, ids=lambda file: file.stem)
def test_icon_takes_its_colour_from_the_theme(icon: Path) -> None:
    drawing = icon.read_text(encoding="utf-8")
    assert 'stroke="currentColor"' in drawing
    assert re.search(r'(?:stroke|fill)="#', drawing) is None


@pytest.mark.parametrize("size", [16, 24, 32, 48, 64, 128, 256, 512])
def test_application_icon_exists_in_every_size(size: int) -> None:
    with Image.open(resources.path("icons", f"flotilla-{size}.png")) as icon:
        assert icon.size == (size, size)
        assert icon.getchannel("A").getextrema() == (0, 255)


def test_windows_and_macos_icons_hold_small_and_large_pictures() -> None:
    with Image.open(resources.path("icons", "flotilla.ico")) as icon:
        assert {(16, 16), (32, 32), (256, 256)} <= icon.info["sizes"]
    with Image.open(resources.path("icons", "flotilla.icns")) as icon:
        assert (512, 512, 1) in icon.info["sizes"]
