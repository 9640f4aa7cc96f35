"""Which items' logs are asked for when an agent links."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from desktop_app.store import items
from desktop_app.store.tables import ITEM, RUN
from tests.support.stored import (
    add_accounts,
    add_agent,
    add_run,
    open_test_store,
    upload_items,
)

SINCE = 1000.0


@pytest.mark.parametrize(
    ("ordered_at", "ended_at", "is_asked_for"),
    [
        (10.0, None, True),
        (10.0, 1001.0, True),
        (1001.0, 20.0, True),  # by an agent whose clock is wrong
        (10.0, 20.0, False),
    ],
)
async def test_a_log_is_asked_for_while_its_item_is_open_or_new_by_any_clock(
    tmp_path: Path, ordered_at: float, ended_at: float | None, is_asked_for: bool
) -> None:
    store = open_test_store(tmp_path / "data")

    def work(connection: Connection) -> bool:
        agent_id = add_agent(connection, store.vault)
        accounts = add_accounts(connection, store.vault, ["cove"])
        add_run(connection, upload_items(accounts, agent_id))
        connection.execute(update(RUN).values(created_at=ordered_at))
        connection.execute(update(ITEM).values(ended_at=ended_at, log_end=5))
        return bool(items.with_logs(connection, agent_id, SINCE))

    try:
        assert await store.write(work) is is_asked_for
    finally:
        store.close()
