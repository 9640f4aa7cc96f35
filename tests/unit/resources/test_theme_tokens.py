"""The colours of both themes are readable, complete, and all that the QSS template asks for."""

import json
import re
from itertools import product
from typing import Any

import pytest

import resources

THEMES = ("dark", "light")
PLANES = (
    "background",
    "surface",
    "surface_raised",
    "surface_sunken",
    "field",
    "hover",
    "selection",
)
STATES = ("neutral", "info", "running", "success", "warning", "danger", "attention")
PLACEHOLDER = re.compile(r"\{\{([^}]*)\}\}")


def tokens() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        resources.path("theme", "tokens.json").read_text(encoding="utf-8")
    )
    return loaded


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` as WCAG 2.2 defines it."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_both_themes_name_the_same_tokens() -> None:
    themes = tokens()["themes"]
    assert set(themes) == set(THEMES)
    assert themes["dark"].keys() == themes["light"].keys()
    assert not themes["dark"].keys() & tokens()["shared"].keys()


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_is_six_hex_digits(theme: str) -> None:
    wrong = {
        k: v for k, v in tokens()["themes"][theme].items() if not re.fullmatch("#[0-9a-f]{6}", v)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("theme", "ink", "least"),
    [
        (t, i, n)
        for t, (i, n) in product(THEMES, {"text": 7, "text_muted": 4.5, "text_faint": 3}.items())
    ],
)
def test_text_is_readable_on_every_plane(theme: str, ink: str, least: float) -> None:
    colours = tokens()["themes"][theme]
    found = {plane: contrast(colours[ink], colours[plane]) for plane in PLANES}
    assert {plane: ratio for plane, ratio in found.items() if ratio < least} == {}


@pytest.mark.parametrize(("theme", "state"), list(product(THEMES, STATES)))
def test_state_colour_is_readable_on_planes_and_on_its_soft_background(
    theme: str, state: str
) -> None:
    colours = tokens()["themes"][theme]
    for plane in (*PLANES, f"{state}_soft"):
        assert contrast(colours[state], colours[plane]) >= 4.5, plane


@pytest.mark.parametrize(
    ("theme", "fill"), list(product(THEMES, ("accent", "accent_hover", "accent_pressed")))
)
def test_text_on_the_accent_is_readable(theme: str, fill: str) -> None:
    colours = tokens()["themes"][theme]
    assert contrast(colours["accent_text"], colours[fill]) >= 4.5


@pytest.mark.parametrize(("theme", "plane"), list(product(THEMES, PLANES)))
def test_focus_ring_is_visible(theme: str, plane: str) -> None:
    colours = tokens()["themes"][theme]
    assert contrast(colours["focus"], colours[plane]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_state_colours_differ_from_each_other_and_from_the_accent(theme: str) -> None:
    colours = tokens()["themes"][theme]
    inks = [colours[state] for state in STATES] + [colours["accent"]]
    assert len(set(inks)) == len(inks)


def test_the_template_names_only_known_tokens_and_icons() -> None:
    template = resources.path("theme", "flotilla.qss.template").read_text(encoding="utf-8")
    known = tokens()["shared"].keys() | tokens()["themes"]["dark"].keys()
    icons = {file.stem for file in resources.path("icons", "lucide").glob("*.svg")}
    rules = re.sub(r"/\*.*?\*/", "", template, flags=re.DOTALL)
    used = {placeholder.group(1) for placeholder in PLACEHOLDER.finditer(rules)}
    assert used
    for placeholder in used:
        if placeholder.startswith("icon:"):
            _, name, colour = placeholder.split(":")
            assert name in icons, placeholder
            assert colour in known, placeholder
        else:
            assert placeholder in known, placeholder


def test_the_template_holds_no_colour_of_its_own() -> None:
    template = resources.path("theme", "flotilla.qss.template").read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=\s*[;,)])", template) == []
    assert template.count("{{") == template.count("}}")
