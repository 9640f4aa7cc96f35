"""The campaign in short: posts by the hundred under kills and cuts by the hundred.

The seed is the same every time; others are for `run.py campaign --short --seed N`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.campaign import campaign, report
from tests.campaign.judge import Outcome, judge
from tests.campaign.plan import short

SEED = 12


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot suspend a process by a signal")
@pytest.mark.timeout(480)
async def test_nothing_is_published_twice_or_lost_under_fire(tmp_path: Path) -> None:
    plan = short(SEED)
    evidence = await campaign.run(tmp_path, plan, lambda text: print(text, flush=True))
    verdict = judge(evidence)
    text = report.as_text(evidence, verdict)
    print(f"{text}\n{verdict.sentence}")
    assert verdict.outcome is Outcome.HELD, f"\n{text}\n{verdict.sentence}"
