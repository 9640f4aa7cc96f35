"""(a) Publishing 400 photos over 40 signed-in accounts, against a bare script that does the same.

Both publish through one practice platform in the same run, in turn, with fresh photos each time.
Target: a throughput of at least 0.7 times the script's, median of five.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench import material
from tests.bench.report import Figure
from tests.support.fleet import Fleet, add_media, fleet, run_task

ACCOUNTS = 40
PHOTOS = 400
ROUNDS = 5


async def measure(folder: Path, rounds: int = ROUNDS) -> list[Figure]:
    """Run the benchmark; returns its figures."""
    accounts = material.accounts(ACCOUNTS)
    async with fleet(folder, accounts) as system:
        bare, ours = [], []
        for number in range(rounds):
            photos = material.photos(folder / f"bare-{number}", PHOTOS)
            bare.append(PHOTOS / _bare(folder, system, accounts, photos))
            own = material.photos(folder / f"ours-{number}", PHOTOS)
            sha256s = await add_media(system.client, own)
            posts = [{"media": [sha256]} for sha256 in sha256s]
            seconds = await run_task(system.client, "bulk_upload", {"posts": posts}, accounts)
            ours.append(PHOTOS / seconds)
        published = len(system.practice.ledger(kind="published"))
        cpu = system.practice.admin.get("/admin/metrics").json()
    limit = cpu["requests"] / cpu["cpu_seconds"] / 2
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    return [
        Figure("bare script, photos per second", statistics.median(bare)),
        Figure("headless core and one agent, photos per second", statistics.median(ours)),
        Figure("throughput against the script", ratio, target=">= 0.70", met=ratio >= 0.7),
        Figure("practice platform's own rate, photos per CPU second", limit),
        Figure("posts that the ledger misses", 2.0 * rounds * PHOTOS - published, target="= 0"),
    ]


def _bare(folder: Path, system: Fleet, accounts: list[dict[str, str]], photos: list[Path]) -> float:
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"accounts": accounts, "photos": [str(path) for path in photos]}))
    command = [sys.executable, "-m", "tests.bench.bare_publish", system.practice.url, str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout)
