"""Databases for the repository tests: every one runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from desktop_app.store.engine import sqlite_url
from desktop_app.store.vault import Vault
from tests.support.stored import engine_at, new_vault, writing


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return sqlite_url(tmp_path / "flotilla.db").render_as_string()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with engine_at(database_url) as made:
        yield made


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    """A connection in a write transaction."""
    with writing(engine) as connection:
        yield connection


@pytest.fixture
def vault() -> Vault:
    return new_vault()
