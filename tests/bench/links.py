"""(f) The links: control under load, media against raw WebSockets, and a file that is known.

Control: a question over the real control link, idle and beside a saturated bulk link and four
readers of a log; target: at most 3 times. Media: 256 MiB over the bulk link, hashed, written and
synced at the agent, against frames of the same size that a bare server drops; target: 0.6. A file
that the agent has already: at most 1 % of its bytes are sent again.
"""

import asyncio
import hashlib
import itertools
import os
import ssl
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from websockets.asyncio.client import connect

from agent.server.certificate import load_identity
from common.domain.ids import new_id
from common.errors import FlotillaError
from common.protocol.frames import BULK_CHUNK, HEADER_BYTES, Frame
from common.protocol.messages import AskBlobs, Hello, Progress, ReadLog
from common.security.pairing import parse_pairing_line
from desktop_app.core.links.agent_link import AgentLink, LiveLink
from desktop_app.core.links.bulk import BlobToSend, send_blobs
from desktop_app.core.links.dial import AgentAddress
from desktop_app.core.links.pairing import pair
from desktop_app.core.links.tls import pinned_context
from tests.bench.bench_system import bench_agent
from tests.bench.report import Figure
from tests.support.relay import relay_to

_MIB = 1024 * 1024
FILES = 8
FILE_BYTES = 32 * _MIB
ROUNDS = 3
QUESTIONS = 400
READERS = 4
LOG_LINES = 2000
LOADS = 4


async def measure(folder: Path) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    raw, ours = [], []
    async with bench_agent(folder) as agent:
        store_id = new_id()
        item_id = _write_log(agent.data)
        found = await pair(parse_pairing_line(agent.line()), store_id, "bench")
        address = AgentAddress(
            agent_id=found.agent_id,
            host=found.host,
            port=found.port,
            context=pinned_context(found.certificate),
            token=found.token,
        )
        for number in range(ROUNDS):
            files = await asyncio.to_thread(_files, folder / f"round-{number}", FILES)
            raw.append(await _raw_seconds(folder / f"raw-{number}", files))
            ours.append(await _send_all(address, files))
        first, again = await _bytes_twice(address, folder)
        async with _linked(address, store_id) as live:
            idle = await _round_trips(live)
            loaded = await _under_load(live, address, item_id, folder)
    size = FILES * FILE_BYTES / _MIB
    bulk = statistics.median(r / o for r, o in zip(raw, ours, strict=True))
    control = statistics.median(loaded) / statistics.median(idle)
    return [
        Figure("question and answer, idle, median ms", 1000 * statistics.median(idle)),
        Figure("the same beside bulk and logs, median ms", 1000 * statistics.median(loaded)),
        Figure("the same, 95 of 100, ms", 1000 * statistics.quantiles(loaded, n=20)[-1]),
        Figure("control under load against idle", control, "<= 3.00", control <= 3.0),
        Figure("raw WebSocket over TLS, MiB per second", size / statistics.median(raw)),
        Figure("bulk link, MiB per second", size / statistics.median(ours)),
        Figure("bulk against raw", bulk, ">= 0.60", bulk >= 0.6),
        Figure("known file, share of its bytes sent again", again / first, "<= 0.01",
               again / first <= 0.01),
    ]  # fmt: skip


def _files(folder: Path, count: int, size: int = FILE_BYTES) -> list[BlobToSend]:
    """Write files that no agent has seen; they are in the cache of this machine afterwards."""
    folder.mkdir()
    found = []
    for number in range(count):
        path = folder / f"file-{number}"
        data = os.urandom(size)  # made without holding the interpreter: the links run on
        path.write_bytes(data)
        found.append(BlobToSend(hashlib.sha256(data).hexdigest(), size, path))
    return found


async def _send_all(address: AgentAddress, files: list[BlobToSend]) -> float:
    failed: list[FlotillaError] = []

    def stored(_sha256: str, error: FlotillaError | None) -> None:
        if error is not None:
            failed.append(error)

    began = time.perf_counter()
    await send_blobs(address, files, stored)
    if failed:
        raise failed[0]
    return time.perf_counter() - began


async def _raw_seconds(folder: Path, files: list[BlobToSend]) -> float:
    folder.mkdir()
    total = sum(blob.size for blob in files)
    frames = sum(-(-blob.size // BULK_CHUNK) for blob in files)
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.raw_receiver"),
        *(str(folder), str(total + frames * HEADER_BYTES)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    port = (await server.stdout.readline()).decode().strip()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(load_identity(folder).certificate_file)
    began = time.perf_counter()
    async with connect(f"wss://127.0.0.1:{port}", ssl=context, compression=None) as socket:
        for blob in files:
            with blob.path.open("rb") as file:
                while chunk := file.read(BULK_CHUNK):
                    await socket.send(b"\0" * HEADER_BYTES + chunk)
        await socket.recv()
        seconds = time.perf_counter() - began
    await server.wait()
    return seconds


async def _bytes_twice(address: AgentAddress, folder: Path) -> tuple[int, int]:
    """Bytes on the wire, both ways, for a file the first time and the second."""
    files = await asyncio.to_thread(_files, folder / "twice", 1)
    async with relay_to(address.port) as relay:
        there = replace(address, port=relay.port)
        await _send_all(there, files)
        first = relay.carried
        await _send_all(there, files)
        return first, relay.carried - first


async def _round_trips(live: LiveLink) -> list[float]:
    seconds = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        await live.request(AskBlobs(id=new_id(), sha256s=[]))
        seconds.append(time.perf_counter() - began)
    return seconds


async def _under_load(
    live: LiveLink, address: AgentAddress, item_id: str, folder: Path
) -> list[float]:
    """Ask while the bulk link is saturated and logs are read as fast as they come."""
    ended = asyncio.Event()
    # Made beforehand: making them takes as much of the machine as sending them does.
    loads = [await asyncio.to_thread(_files, folder / f"load-{n}", 4) for n in range(LOADS)]

    async def send() -> None:
        for number in itertools.count(LOADS):
            if ended.is_set():
                return
            more = partial(_files, folder / f"load-{number}", 4)
            await _send_all(address, loads.pop() if loads else await asyncio.to_thread(more))

    async def read_log() -> None:
        while not ended.is_set():
            await live.request(ReadLog(id=new_id(), item_id=item_id, attempt=1, offset=0))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send(), name="saturating the bulk link")
        for number in range(READERS):
            tasks.create_task(read_log(), name=f"log reader {number}")
        seconds = await _round_trips(live)
        ended.set()
    return seconds


def _write_log(data: Path) -> str:
    """A log as the agent keeps one, of an attempt that nobody runs."""
    item_id = new_id()
    folder = data / "logs" / "items" / item_id[-1]
    folder.mkdir(parents=True, exist_ok=True)
    line = '{"at":1.0,"level":"info","text":"A line of a usual length, as a runner writes them."}\n'
    (folder / f"{item_id}.1.jsonl").write_text(line * LOG_LINES)
    return item_id


class _Bench:
    """What the benchmark does with the link: nothing but ask."""

    def __init__(self, store_id: str) -> None:
        self._store_id = store_id
        self.linked: asyncio.Future[LiveLink] = asyncio.get_running_loop().create_future()

    async def make_hello(self, agent_id: str) -> Hello:
        del agent_id
        return Hello(app="bench", clock=time.time(), store_id=self._store_id, cursor=None)

    async def serve(self, live: LiveLink) -> None:
        self.linked.set_result(live)
        await asyncio.Event().wait()

    def link_changed(self, link: AgentLink) -> None:
        del link

    def progressed(self, agent_id: str, progress: Progress) -> None:
        del agent_id, progress

    def frame_received(self, live: LiveLink, frame: Frame) -> None:
        del live, frame


@asynccontextmanager
async def _linked(address: AgentAddress, store_id: str) -> AsyncIterator[LiveLink]:
    bench = _Bench(store_id)
    link = AgentLink(address, bench, asyncio.Semaphore(1))
    running = asyncio.create_task(link.run(), name="bench link")
    try:
        async with asyncio.timeout(20):
            live = await bench.linked
        yield live
    finally:
        running.cancel()
        await asyncio.wait([running])
