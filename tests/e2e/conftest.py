"""What the window's stories begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.system import System, paired_system


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """Practice platform, core and one agent that is paired with it."""
    with paired_system(tmp_path) as running:
        yield running
