"""What is shipped holds nothing of the campaign: no point, no plant, no switch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.inside.failpoints import NAMES
from tests.campaign.inside.surroundings import MACHINE, PLANT, ROOM
from tests.campaign.planted.catalogue import PLANTS
from tests.support.repository import ROOT

SHIPPED = ("agent", "common", "desktop_app", "practice")
WORDS = re.compile(
    "|".join(
        [
            *(rf"\b{re.escape(name)}\b" for name in sorted(NAMES)),
            *(rf"\b{plant.name}\b" for plant in PLANTS),
            *(re.escape(name) for name in (ROOM, MACHINE, PLANT)),
            r"(?i:fail_?point|planted)",
            r"\b(?:import|from)\s+tests\b",
            r"\btests\.(?:campaign|support)\b",
        ]
    )
)


def traces(folder: Path) -> Iterator[str]:
    """Say where files below a folder name a part of the campaign."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            for found in WORDS.finditer(file.read_bytes().decode("utf-8", "replace")):
                yield f"{file.relative_to(ROOT).as_posix()}: {found[0]}"


@pytest.mark.parametrize("package", SHIPPED)
def test_a_shipped_package_knows_nothing_of_the_campaign(package: str) -> None:
    assert list(traces(ROOT / package)) == []


def test_the_search_finds_what_it_looks_for() -> None:
    found = {trace.rpartition(": ")[2] for trace in traces(ROOT / "tests" / "campaign")}
    assert found >= {ROOM, MACHINE, PLANT, "from tests", *(plant.name for plant in PLANTS)}
