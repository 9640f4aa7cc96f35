"""Runners of an earlier start are ended, and a process that only has their number is not."""

from __future__ import annotations

import subprocess
import sys

import psutil

from agent.jobs.recovery import Leftover, reap

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_runner_of_an_earlier_start_is_ended() -> None:
    with subprocess.Popen(SLEEP) as process:
        started = psutil.Process(process.pid).create_time()
        assert reap([Leftover(process.pid, started)]) == 1
        assert not psutil.pid_exists(process.pid)


def test_process_with_a_reused_number_is_spared() -> None:
    with subprocess.Popen(SLEEP) as process:
        started = psutil.Process(process.pid).create_time()
        assert reap([Leftover(process.pid, started - 100), Leftover(2**22 + 7, 1.0)]) == 0
        assert process.poll() is None
        process.kill()
