"""Fixtures and guards for every test: no outside network, no display, nothing left running."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.network import loopback_only
from tests.support.postgres import PostgresServer, postgres_server

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

WHOLE_COLLECTION_EVERY = 200
"""Tests from one collection of all garbage to the next."""
TASK_GRACE_SECONDS = 2.0
THREAD_GRACE_SECONDS = 3.0
LOOP_POOL_PREFIX = "asyncio_"
"""Threads of an event loop's own pool end with their loop, which closes after the fixtures."""


@pytest.fixture(scope="session", autouse=True)
def _this_machine_only() -> Iterator[list[str]]:
    with loopback_only() as refused:
        yield refused


@pytest.fixture(scope="session", autouse=True)
def _tests_run() -> Iterator[list[int]]:
    """Leave no garbage to the threads of a test: a widget freed there takes Qt down with it."""
    gc.disable()
    yield [0]
    gc.enable()


@pytest.fixture(autouse=True)
def _garbage_is_collected_here(_tests_run: list[int]) -> Iterator[None]:
    yield
    _tests_run[0] += 1
    gc.collect(1 if _tests_run[0] % WHOLE_COLLECTION_EVERY else 2)


@pytest.fixture(autouse=True)
def _nothing_outside(_this_machine_only: list[str]) -> Iterator[None]:
    """Fail a test that reached for another machine, also where the code hid the refusal."""
    _this_machine_only.clear()
    yield
    assert not _this_machine_only, f"reached for other machines: {_this_machine_only}"


@pytest.fixture(autouse=True)
def _no_leaked_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test whose threads live on, unless it is marked `outlives`."""
    before = set(threading.enumerate())
    yield
    if request.node.get_closest_marker("outlives"):
        return
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    started = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.name.startswith(LOOP_POOL_PREFIX)
    ]
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in started if thread.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail a coroutine test whose tasks live on after its fixtures are torn down."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, left = await asyncio.wait(others, timeout=TASK_GRACE_SECONDS)
        assert not left, f"tasks left running: {[task.get_name() for task in left]}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give every coroutine test `no_leaked_tasks`, set up first and so torn down last."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
        item.fixturenames.insert(0, "no_leaked_tasks")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, kept for the whole session."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database that only this test uses."""
    with postgres.database() as url:
        yield url
