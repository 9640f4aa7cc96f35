"""A desktop brings files to agents that lie about them, stall, and do not read."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import Connection

from common.domain.states import LinkState
from common.errors import AgentUnreachableError, FlotillaError, LinkError, MediaError
from common.security.pairing import new_token
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import RunTask, Targets
from desktop_app.core.links.bulk import BlobToSend, send_blobs
from desktop_app.core.links.dial import AgentAddress
from desktop_app.core.links.tls import pinned_context
from desktop_app.store import media
from desktop_app.store.accounts import assign
from desktop_app.store.folder import StoreFolder
from desktop_app.store.store import Store
from tests.integration.hostile_frames.against_bulk_sender import Receiver, Vice
from tests.integration.hostile_frames.verdicts import MOST_GROWTH, TYPED_CLOSES, Watcher
from tests.support.core_process import CoreProcess
from tests.support.stored import (
    PHOTO,
    add_accounts,
    add_listening_agent,
    add_run,
    open_test_store,
    upload_items,
)
from tests.support.waiting import wait_until_async

BYTES = 3 * 1024 * 1024 + 7
FILES = 3
"""On their way to each agent at first, one for each of its accounts, and again later on."""
ITEMS = FILES + FILES * FILES
"""Of each agent in the end: later on, each file goes to each account."""
PATIENCE_SECONDS = 1.0
HARMLESS = {Vice.NONE, Vice.STORED_AT_ONCE, Vice.OTHER_CHANNELS, Vice.NONSENSE}
"""What costs an agent at most its own post."""
ENDS = {
    Vice.OFFSET_BEYOND: (LinkError, "something else than an offset"),
    Vice.RECEIVED_BEYOND: (LinkError, "more of a file than was sent"),
    Vice.TALKS_ON: (LinkError, "says more about a file"),
    Vice.BYTES: (LinkError, "sent bytes"),
    Vice.TOO_LARGE: (AgentUnreachableError, "broke"),
    Vice.HANGS_UP: (AgentUnreachableError, "broke|closed"),
    Vice.NEVER_ANSWERS: (AgentUnreachableError, "does not answer"),
    Vice.NEVER_ACKNOWLEDGES: (AgentUnreachableError, "takes no more bytes"),
    Vice.NEVER_READS: (AgentUnreachableError, "takes no more bytes"),
}


def make_file(folder: Path, number: int) -> BlobToSend:
    """A file of random bytes under its SHA-256."""
    data = random.Random(number).randbytes(BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    path = folder / sha256
    path.write_bytes(data)
    return BlobToSend(sha256, len(data), path)


def make_noise(path: Path, number: int) -> Path:
    """A photo that is as large as one of its size can be."""
    pixels = random.Random(number).randbytes(1440 * 1440 * 3)
    Image.frombytes("RGB", (1440, 1440), pixels).save(path, "JPEG", quality=90)
    return path


@contextlib.asynccontextmanager
async def listening(folder: Path, vice: Vice) -> AsyncIterator[tuple[Receiver, AgentAddress]]:
    """An agent with a vice, and where a desktop finds it."""
    agent = Receiver(folder, 1, vice)
    async with agent.listening():
        context, token = pinned_context(agent.certificate), SecretStr(new_token())
        yield agent, AgentAddress(agent.identity.agent_id, "127.0.0.1", agent.port, context, token)


@pytest.mark.parametrize("vice", sorted(ENDS))
async def test_each_vice_ends_the_link_with_a_word_and_in_time(vice: Vice, tmp_path: Path) -> None:
    heard: dict[str, FlotillaError | None] = {}
    # Who reads no more would not even hear of a second file.
    count = 1 if vice is Vice.NEVER_READS else 6
    files = [make_file(tmp_path, number) for number in range(count)]
    kind, says = ENDS[vice]
    async with listening(tmp_path / "agent", vice) as (agent, address):
        async with asyncio.timeout(30):
            with pytest.raises(kind, match=says):
                await send_blobs(address, files, heard.__setitem__, patience=PATIENCE_SECONDS)
        if vice not in {Vice.HANGS_UP, Vice.NEVER_READS}:
            await wait_until_async(lambda: agent.closes, "the close is heard")
            assert set(agent.closes) <= TYPED_CLOSES
    assert not heard
    assert not agent.stored or vice is Vice.RECEIVED_BEYOND


@pytest.mark.parametrize("vice", sorted({*HARMLESS, Vice.REFUSES}))
async def test_what_harms_only_the_agent_itself_is_let_pass(vice: Vice, tmp_path: Path) -> None:
    heard: dict[str, FlotillaError | None] = {}
    files = [make_file(tmp_path, number) for number in range(6)]
    async with listening(tmp_path / "agent", vice) as (agent, address):
        async with asyncio.timeout(60):
            await send_blobs(address, files, heard.__setitem__, patience=60.0)
    assert set(heard) == {file.sha256 for file in files}
    if vice is Vice.REFUSES:
        assert all(isinstance(problem, MediaError) for problem in heard.values())
    else:
        assert set(heard.values()) == {None}
        assert len(agent.stored) == (0 if vice is Vice.STORED_AT_ONCE else 6)


@pytest.mark.timeout(180)
async def test_hostile_receivers_cost_neither_memory_nor_the_other_agents(tmp_path: Path) -> None:
    data = tmp_path / "core"
    folder = StoreFolder(data)
    vices = [*Vice, Vice.NEVER_READS, Vice.NEVER_READS, Vice.NONE]
    receivers = [
        Receiver(tmp_path / f"agent-{number}", number, Vice.NONE) for number in range(len(vices))
    ]
    async with contextlib.AsyncExitStack() as stack:
        for agent in receivers:
            await stack.enter_async_context(agent.listening())
        wanted = await asyncio.to_thread(_prepare, data, folder, receivers)
        with CoreProcess.start(data) as core:
            async with core.client() as client:
                await _until_served(receivers, wanted, FILES)
                more = set(photos := await _add_photos(client, tmp_path))
                # What it takes to serve so many at a time is no harm; what is more from now on is.
                watcher = Watcher(core.process.pid, [data.with_name("core.output.log")])
                watcher.begin()
                for agent, vice in zip(receivers, vices, strict=True):
                    agent.vice, agent.others = vice, ["f" * 64, *wanted[receivers[0].name]]
                honest = [agent for agent in receivers if agent.vice is Vice.NONE]
                await _order(client, photos)
                await _until_served(honest, {agent.name: more for agent in honest}, ITEMS)
                await wait_until_async(
                    lambda: all(set(agent.offered) & more for agent in receivers),
                    "every agent was offered a new file",
                    seconds=60,
                )
                rows = {row.name: row for row in (await client.agents()).rows}
                growth = watcher.growth()
            assert core.stop() == 0
    print(f"hostile receivers: memory grew by {growth / 2**20:.1f} MiB")
    assert growth <= MOST_GROWTH
    assert not watcher.defects()
    assert all(rows[agent.name].link is LinkState.ONLINE for agent in honest)
    for agent in receivers:
        assert set(agent.offered) <= wanted[agent.name] | more, "a file that no item of it needs"


async def _until_served(receivers: list[Receiver], wanted: dict[str, set[str]], items: int) -> None:
    await wait_until_async(
        lambda: all(
            agent.stored >= wanted[agent.name] and len(agent.items) == items for agent in receivers
        ),
        "the agents have their files and their items",
        seconds=60,
    )


async def _add_photos(client: CoreClient, folder: Path) -> list[str]:
    """Add photos to the library; returns their SHA-256s."""
    paths = [make_noise(folder / f"more-{number}.jpg", number) for number in range(FILES)]
    command = ImportMedia(paths=[str(path) for path in paths])
    return [row.sha256 for row in (await client.import_media(command)).rows]


async def _order(client: CoreClient, sha256s: list[str]) -> None:
    """Order a post of each file from every account."""
    usernames = [row.username for row in (await client.accounts()).rows]
    started = await client.run_task(
        RunTask(
            task="bulk_upload",
            parameters={
                "posts": [{"media": [sha256]} for sha256 in sha256s],
                "distribution": "same_to_all",
                "caption": "{title}",
            },
            targets=Targets(usernames=usernames),
        )
    )
    assert started.run_id, started.preflight.problems[:3]


def _prepare(data: Path, folder: StoreFolder, receivers: list[Receiver]) -> dict[str, set[str]]:
    """A store with files for each agent; returns the SHA-256s by the agent's name."""
    store = open_test_store(data)
    try:
        return asyncio.run(_fill(store, folder, receivers))
    finally:
        store.close()


async def _fill(
    store: Store, folder: StoreFolder, receivers: list[Receiver]
) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}

    def work(connection: Connection) -> None:
        for number, agent in enumerate(receivers):
            add_listening_agent(
                connection,
                store.vault,
                agent_id=agent.identity.agent_id,
                name=agent.name,
                port=agent.port,
                certificate=agent.certificate,
            )
            names = [f"shop-{number}-{account}" for account in range(FILES)]
            accounts = add_accounts(connection, store.vault, names)
            assign(connection, dict.fromkeys(accounts, agent.identity.agent_id))
            files = [make_file(folder.media, number * FILES + each) for each in range(FILES)]
            wanted[agent.name] = {file.sha256 for file in files}
            media.insert(
                connection,
                [
                    PHOTO.model_copy(update={"sha256": file.sha256, "size": file.size})
                    for file in files
                ],
            )
            items = upload_items(accounts, agent.identity.agent_id)
            add_run(
                connection,
                [
                    replace(item, claim=replace(item.claim, media=(file.sha256,)))
                    for item, file in zip(items, files, strict=True)
                    if item.claim is not None
                ],
            )

    await store.write(work)
    return wanted
