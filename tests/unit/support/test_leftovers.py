"""The last word of a test run: no process of it lives on."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from tests.support import leftovers


def test_a_run_that_left_nothing_is_clean() -> None:
    assert leftovers.main([uuid.uuid4().hex]) == 0


def test_a_process_that_lives_on_is_named_ended_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.1)
    token = uuid.uuid4().hex
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import threading; threading.Event().wait(100)"],
        env={**os.environ, leftovers.VARIABLE: token},
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        assert leftovers.main([token]) == 1
        assert child.stdout.read() == b"", "it still holds its end of the pipe"
    assert f"pid {child.pid}" in capsys.readouterr().out
