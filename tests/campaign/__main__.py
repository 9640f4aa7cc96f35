"""`python3 run.py campaign [--seed N] [--publishes N] [--minutes M] …`: the campaign at length.

The last line is the verdict in one sentence. The exit status says it too: 0 where every promise
held, 1 where one did not, 2 where the run does not count.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import FrameType

from tests.campaign import campaign, page, report
from tests.campaign.judge import judge
from tests.campaign.plan import full, short, sized


def main() -> int:
    """Run it and say what came of it."""
    options = _parser().parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    plan = sized((short if options.short else full)(seed), options.publishes, options.minutes)
    plan = replace(plan, journal_losses=options.journal_losses)
    room = Path(tempfile.mkdtemp(prefix="flotilla-campaign-"))
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        evidence = asyncio.run(campaign.run(room, plan, _say, keep=options.keep))
        verdict = judge(evidence)
        print(f"\n{report.as_text(evidence, verdict)}\n")
        page.write_html(options.report, evidence, verdict)
        print(f"The report is in {options.report.absolute()}.")
    finally:
        if options.keep:
            print(f"Everything was kept in {room}.")
        else:
            shutil.rmtree(room, ignore_errors=True)
    print(f"Seed {seed}. {verdict.sentence}")
    return int(verdict.outcome)


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as on Ctrl+C: every process is ended, every disk unmounted."""
    signal.raise_signal(signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py campaign", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the schedule of an earlier run")
    parser.add_argument("--publishes", type=int, help="how many posts (10,080)")
    parser.add_argument("--minutes", type=float, help="how long at most (60)")
    parser.add_argument("--short", action="store_true", help="the size of the test command")
    parser.add_argument(
        "--journal-losses", type=int, default=0, help="how often an agent's journal is damaged (0)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the processes' files")
    parser.add_argument(
        "--report", type=Path, default=Path("campaign.html"), help="where the page goes"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
