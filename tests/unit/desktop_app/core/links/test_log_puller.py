"""Logs are pulled whole, attempt after attempt, whatever was told and whenever the link broke."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from agent.jobs.log_spool import LogSpool
from common.domain.accounts import DriverName
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.errors import NotFoundError
from common.protocol.messages import LogChunk, ReadLog
from desktop_app.core.links.agent_link import LiveLink
from desktop_app.core.links.log_puller import LogPuller
from desktop_app.core.run_logs import RunLogs
from desktop_app.store.folder import StoreFolder
from desktop_app.store.records import ItemRecord
from tests.support.waiting import wait_until_async

ITEM = new_id()
_PIECE_BYTES = 150
"""Three lines."""


class SpoolLink:
    """What an agent answers for its logs, without a socket in between."""

    def __init__(self, spool: LogSpool) -> None:
        self.asked: list[tuple[int, int]] = []
        """Attempt and offset of each request."""
        self.refused: set[int] = set()
        """Attempts that it refuses to speak of."""
        self._spool = spool

    async def request(self, ask: ReadLog) -> LogChunk:
        """Answer from the spool, a few lines at a time."""
        self.asked.append((ask.attempt, ask.offset))
        if ask.attempt in self.refused:
            raise NotFoundError("There is no such log.")
        piece = self._spool.read(ask.item_id, ask.attempt, ask.offset, _PIECE_BYTES)
        return LogChunk(id=ask.id, offset=piece.offset, text=piece.text, end=piece.end)


@pytest.fixture
def spool(tmp_path: Path) -> LogSpool:
    return LogSpool(tmp_path / "spool")


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder(tmp_path / "core").make()


def write(spool: LogSpool, attempt: int, count: int) -> int:
    """Write an attempt's log of so many lines; returns its bytes."""
    for number in range(count):
        spool.append(ITEM, attempt, 1.0, "info", f"{attempt}.{number}")
    return spool.close(ITEM, attempt, 1.0)


def expected(*attempts: tuple[int, int]) -> list[str]:
    return [f"{attempt}.{number}" for attempt, count in attempts for number in range(count)]


async def find_items(ids: Collection[str]) -> Mapping[str, ItemRecord]:
    return {
        item_id: ItemRecord(
            id=item_id,
            run_id="run",
            account_id="account",
            username="ada",
            agent_id="agent",
            state=ItemState.RUNNING,
            attempt=1,
            driver=DriverName.PRIVATE_API,
            intent_id=None,
            action=None,
            accepted=True,
            wanted=None,
            log_end=0,
        )
        for item_id in ids
    }


@asynccontextmanager
async def pulling(folder: StoreFolder, link: SpoolLink) -> AsyncIterator[LogPuller]:
    """Pull over one link until the block ends."""
    logs = RunLogs(folder)
    puller = LogPuller(logs, find_items, lambda _run_id, _size: None)
    task = asyncio.create_task(puller.run(cast("LiveLink", link)))
    try:
        yield puller
    finally:
        task.cancel()
        await asyncio.wait([task])
        logs.close()


async def until_here(folder: StoreFolder, texts: list[str]) -> None:
    """Wait until the run's log has these lines, and no others."""
    path = folder.run_log("run")

    def are_here() -> bool:
        return (
            path.exists()
            and [json.loads(line)["text"] for line in path.read_bytes().splitlines()] == texts
        )

    await wait_until_async(are_here, f"{len(texts)} lines")


async def test_an_attempt_that_was_retried_before_it_was_pulled_is_pulled_first(
    spool: LogSpool, folder: StoreFolder
) -> None:
    first, second = write(spool, 1, 20), write(spool, 2, 10)
    link = SpoolLink(spool)
    async with pulling(folder, link) as puller:
        puller.want(ITEM, 1, first)
        puller.want(ITEM, 2, second)
        await until_here(folder, expected((1, 20), (2, 10)))
    assert len(link.asked) == len(set(link.asked))


async def test_a_new_link_goes_on_where_the_old_one_broke(
    spool: LogSpool, folder: StoreFolder
) -> None:
    first = write(spool, 1, 6)
    async with pulling(folder, SpoolLink(spool)) as puller:
        puller.want(ITEM, 1, first // 2)
        await until_here(folder, expected((1, 3)))
    third = write(spool, 3, 4)  # nothing was logged by the second attempt
    link = SpoolLink(spool)
    async with pulling(folder, link) as puller:
        puller.want(ITEM, 3, third)
        await until_here(folder, expected((1, 6), (3, 4)))
    assert link.asked[0] == (1, first // 2)


async def test_a_log_that_nobody_has_is_passed_over(spool: LogSpool, folder: StoreFolder) -> None:
    write(spool, 1, 3)
    second = write(spool, 2, 3)
    link = SpoolLink(spool)
    link.refused.add(1)
    async with pulling(folder, link) as puller:
        puller.want(ITEM, 2, second)
        await until_here(folder, expected((2, 3)))


async def test_a_log_is_read_to_its_end_wherever_that_was_told_to_be(
    spool: LogSpool, folder: StoreFolder
) -> None:
    """After the loss of a journal nobody tells how far a log reaches."""
    write(spool, 1, 10)
    async with pulling(folder, SpoolLink(spool)) as puller:
        puller.want(ITEM, 1, 1)
        await until_here(folder, expected((1, 10)))


async def test_what_is_here_already_is_not_asked_for_again(
    spool: LogSpool, folder: StoreFolder
) -> None:
    write(spool, 1, 3)
    second = write(spool, 2, 3)
    async with pulling(folder, SpoolLink(spool)) as puller:
        puller.want(ITEM, 2, second)
        await until_here(folder, expected((1, 3), (2, 3)))
    third = write(spool, 3, 1)
    link = SpoolLink(spool)
    async with pulling(folder, link) as puller:
        puller.want(ITEM, 2, second)
        puller.want(ITEM, 1, 10)
        puller.want(ITEM, 3, third)
        await until_here(folder, expected((1, 3), (2, 3), (3, 1)))
    assert {attempt for attempt, _ in link.asked} == {2, 3}
