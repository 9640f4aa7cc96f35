"""Each planted bug is caught by the promise that it breaks, and without it the same case holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.campaign.judge import Finding
from tests.campaign.planted.agent_cases import AGENT_CASES
from tests.campaign.planted.agent_trial import agent_trial
from tests.campaign.planted.catalogue import PLANTS
from tests.campaign.planted.core_cases import CORE_CASES
from tests.campaign.planted.core_trial import core_trial
from tests.support.practice_process import PracticeProcess

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in other ways"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    """One platform for every case: each brings an account of its own."""
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as process:
        yield process


def can_trace() -> bool:
    """Say whether system calls can be traced here: some containers forbid it."""
    program, true = shutil.which("strace"), shutil.which("true")
    if not program or not true:
        return False
    tried = subprocess.run([program, "-o", os.devnull, true], capture_output=True, timeout=20)
    return tried.returncode == 0


@pytest.mark.parametrize("name", AGENT_CASES)
async def test_a_bug_of_an_agent_is_caught(
    tmp_path: Path, practice: PracticeProcess, name: str
) -> None:
    case = AGENT_CASES[name]
    if name == "no_fsync_before_send" and not can_trace():
        pytest.skip("strace is not there, or this machine does not let it trace")
    for bug in ("", name):
        username = f"{name}.{'with' if bug else 'without'}"
        async with agent_trial(
            tmp_path / username, practice, username, bug, case.conditions
        ) as trial:
            await case.scenario(trial)
        require(trial.findings(), case.invariant if bug else "")


@pytest.mark.parametrize("name", CORE_CASES)
async def test_a_bug_of_a_core_is_caught(tmp_path: Path, name: str) -> None:
    case = CORE_CASES[name]
    for bug in ("", name):
        room = tmp_path / (bug or "none")
        room.mkdir()
        async with core_trial(room, bug) as trial:
            await case.scenario(trial)
        require(trial.findings(), case.invariant if bug else "")


def test_every_planted_bug_has_a_case() -> None:
    assert {plant.name for plant in PLANTS} == {*AGENT_CASES, *CORE_CASES}
    assert len(PLANTS) >= 12


def require(findings: Sequence[Finding], invariant: str) -> None:
    """Require that this promise was broken, or with an empty one that none was."""
    print(*findings, sep="\n")
    broken = {finding.invariant for finding in findings}
    assert invariant in broken if invariant else not findings, findings
