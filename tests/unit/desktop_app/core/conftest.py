"""A whole store and a change hub for the services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_app.contract.changes import Delta
from desktop_app.core.changes import ChangeHub, Dirty
from desktop_app.store.store import Store
from tests.support.stored import open_test_store


async def collect_nothing(_dirty: Dirty, _watched: frozenset[str]) -> Delta:
    return Delta(revision=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_test_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def hub() -> ChangeHub:
    return ChangeHub(collect_nothing)
