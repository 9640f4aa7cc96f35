"""Failpoints: a process dies at the armed one, at the nth passing, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.campaign.inside import clock
from tests.campaign.inside.failpoints import NAMES, POINTS, Board, Failpoints

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
SEND = "agent.before.send_events"
CODE = f"""
import sys
from pathlib import Path
from tests.campaign.inside.failpoints import Failpoints
points = Failpoints(Path(sys.argv[1]))
for number in range(4):
    points.hit("agent.after.blob_fsync")
    points.hit({SEND!r})
    print(number, flush=True)
"""


def run(folder: Path) -> tuple[int, int]:
    """Pass both points four times in a process; its status, and how far it came."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(folder)], capture_output=True, timeout=30, check=False
    )
    return done.returncode, len(done.stdout.split())


@posix_only
def test_a_process_dies_at_the_nth_passing_and_the_next_one_lives(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.arm(SEND, nth=3)
    assert run(tmp_path) == (-signal.SIGKILL, 2)
    assert list(board.fired()) == [SEND]
    assert not board.is_armed(SEND)
    assert board.reached() == {SEND, "agent.after.blob_fsync"}
    assert run(tmp_path) == (0, 4)


def test_a_point_that_nobody_armed_is_passed_and_noted(tmp_path: Path) -> None:
    Failpoints(tmp_path).hit(SEND)
    board = Board(tmp_path)
    assert board.reached() == {SEND}
    assert list(board.fired()) == []


def test_an_armed_point_can_be_taken_back(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.arm(SEND)
    assert board.disarm(SEND)
    assert not board.disarm(SEND)
    Failpoints(tmp_path).hit(SEND)


def test_names_are_one_of_a_kind_and_known(tmp_path: Path) -> None:
    assert len(NAMES) == len(POINTS) >= 25
    with pytest.raises(AssertionError):
        Board(tmp_path).arm("agent.before.nothing")


def test_the_clock_jumps_while_a_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", time.time)  # put back at the end
    real = time.time()
    clock.install(tmp_path)
    assert abs(time.time() - real) < 60
    clock.set_clock(tmp_path, 86_400.0)
    deadline = time.monotonic() + 5
    while time.time() - real < 86_000:
        assert time.monotonic() < deadline
