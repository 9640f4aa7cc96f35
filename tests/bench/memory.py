"""(c) An idle agent's memory, against a bare process that imports the same server stack.

Target: at most 1.5 times.
"""

import subprocess
import sys
from pathlib import Path

import psutil

from desktop_app.demo.processes import VoyageProcess
from tests.bench.report import Figure

_BARE = """
import fastapi, uvicorn, pydantic, websockets, cryptography.hazmat.primitives.ciphers.aead
import prometheus_client, psutil, sqlite3, ssl, asyncio, click, pydantic_settings
print("ready", flush=True)
input()
"""
_MIB = 1024 * 1024


async def measure(folder: Path) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    agent = VoyageProcess(
        "agent", "agent.cli", ["run", "--data", str(folder / "a"), "--port", "0"], folder / "p"
    )
    try:
        await agent.ready()
        ours = psutil.Process(agent.pid).memory_info().rss
    finally:
        await agent.stop()
    bare = _bare()
    ratio = ours / bare
    return [
        Figure("bare server stack, MiB", bare / _MIB),
        Figure("idle agent, MiB", ours / _MIB),
        Figure("idle agent against the stack", ratio, target="<= 1.50", met=ratio <= 1.5),
    ]


def _bare() -> int:
    with subprocess.Popen(
        [sys.executable, "-c", _BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        rss: int = psutil.Process(process.pid).memory_info().rss
        process.communicate("\n")
    return rss
