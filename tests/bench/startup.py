"""(b) From the process's start to the first page of real rows, with 5,000 accounts.

The baseline is a window that imports the same third-party modules and shows nothing. Target: at
most twice its time, with the core running. The cold start, core included, is printed beside it.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from common.domain.accounts import Platform
from desktop_app.client.launcher import CoreOptions, connect
from desktop_app.contract.accounts import ImportAccounts
from desktop_app.demo.processes import end_process
from tests.bench.report import Figure

ACCOUNTS = 5000
ROUNDS = 5
_BASELINE = """
import asyncio, time, psutil
import httpx, pydantic, websockets.asyncio.client, qasync, click, platformdirs
from PySide6 import QtCore, QtGui, QtSvg, QtWidgets
app = QtWidgets.QApplication([])
window = QtWidgets.QMainWindow()
window.resize(1280, 800)
window.show()
app.processEvents()
window.repaint()
print(time.time() - psutil.Process().create_time())
"""


async def measure(folder: Path) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    options = CoreOptions(folder / "core", vault="key-file", key_file=folder / "keys" / "key")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    client = await connect(options)
    await client.import_accounts(
        ImportAccounts(
            text=SecretStr("\n".join(f"shop.{n:05d}:pass-word-{n}" for n in range(ACCOUNTS))),
            platform=Platform.PRACTICE,
            platform_url="http://127.0.0.1:1",
            confirmed_authority=True,
        )
    )
    pid = client.endpoint.pid
    baseline, warm, full = [], [], []
    async with client:
        for _ in range(ROUNDS):
            baseline.append(float(_run([sys.executable, "-c", _BASELINE], environment)))
            first, everything = _first_rows(options, environment)
            warm.append(first)
            full.append(everything)
    await end_process(pid)
    cold, _ = _first_rows(options, environment)
    async with await connect(options) as client:
        await client.shutdown()
    ratio = statistics.median(warm) / statistics.median(baseline)
    return [
        Figure("window that shows nothing, seconds", statistics.median(baseline)),
        Figure("first page of rows, seconds", statistics.median(warm)),
        Figure("first page against nothing", ratio, target="<= 2.00", met=ratio <= 2.0),
        Figure("all 5,000 rows in the table, seconds", statistics.median(full)),
        Figure("first page with the core started first, seconds", cold),
    ]


def _first_rows(options: CoreOptions, environment: dict[str, str]) -> tuple[float, float]:
    command = [sys.executable, "-m", "tests.bench.window_probe"]
    first, everything = _run(
        [*command, "first-rows", str(options.data), str(ACCOUNTS)], environment
    ).split()
    return float(first), float(everything)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    return done.stdout
