"""(g) How often the agent waits for its disk per publish, counted as system calls.

Forty photos over eight accounts; `strace` counts. Target: at most 5. Linux only; elsewhere, or
without `strace`, nothing is printed.
"""

import asyncio
import re
import shutil
from pathlib import Path

from tests.bench import material
from tests.bench.report import Figure
from tests.support.fleet import add_media, fleet, run_task

ACCOUNTS = 8
PHOTOS = 40
_ATTACHED_SECONDS = 10.0
_CALL = re.compile(rb"\b(?:fdatasync|fsync)\(")


async def measure(folder: Path) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    strace = shutil.which("strace")
    if strace is None:
        return []
    accounts = material.accounts(ACCOUNTS)
    async with fleet(folder, accounts) as system:
        photos = material.photos(folder / "photos", PHOTOS)
        posts = [{"media": [sha256]} for sha256 in await add_media(system.client, photos)]
        trace = folder / "trace"
        command = [strace, "-f", "-e", "trace=fdatasync,fsync", "-o", str(trace)]
        tracer = await asyncio.create_subprocess_exec(
            *command, "-p", str(system.agent_pid), stderr=asyncio.subprocess.PIPE
        )
        assert tracer.stderr is not None
        async with asyncio.timeout(_ATTACHED_SECONDS):
            await tracer.stderr.readline()
        await run_task(system.client, "bulk_upload", {"posts": posts}, accounts)
        tracer.terminate()
        await tracer.communicate()
        calls = len(_CALL.findall(trace.read_bytes()))
    per_publish = calls / PHOTOS
    return [
        Figure("publishes", PHOTOS),
        Figure("fsyncs of the agent", calls),
        Figure("fsyncs per publish", per_publish, "<= 5.00", per_publish <= 5.0),
    ]
