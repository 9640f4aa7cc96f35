"""Each test that asks gets a real, empty PostgreSQL database of its own."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


def tables(url: str) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with psycopg.connect(url, connect_timeout=10) as connection:
        return [name for (name,) in connection.execute(query)]


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_database_is_empty_whatever_others_wrote(postgres_url: str, turn: str) -> None:
    assert tables(postgres_url) == []
    with psycopg.connect(postgres_url, connect_timeout=10) as connection:
        connection.execute("CREATE TABLE mark (turn text)")
    assert tables(postgres_url) == ["mark"], turn


def test_a_database_is_gone_after_its_test(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        assert tables(url) == []
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        tables(url)
