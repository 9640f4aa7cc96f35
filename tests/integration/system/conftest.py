"""The whole system for one test, or one for all tests that leave it whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.system import System, paired_system, running_system


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A system that the test may kill parts of."""
    with running_system(tmp_path, browser_slots="0") as system:
        yield system


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A paired system that many tests share: each uses accounts of its own, and kills nothing."""
    with paired_system(tmp_path_factory.mktemp("system"), browser_slots="0") as system:
        yield system
