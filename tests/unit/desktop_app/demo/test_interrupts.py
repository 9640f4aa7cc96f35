"""Ctrl+C and its kin, at each stage of the demo."""

import signal
import subprocess
import sys

import pytest

from desktop_app.demo.interrupts import interruptible, undisturbed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="raises POSIX signals")

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.mark.parametrize("name", SIGNALS)
def test_the_voyage_is_interrupted_and_its_end_is_not(name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    with undisturbed():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("name", SIGNALS)
def test_before_anything_runs_the_program_just_ends(name: str) -> None:
    code = (
        "import signal; from desktop_app.demo.interrupts import leave_at_once; "
        f"leave_at_once(); signal.raise_signal(signal.{name}); print('still here')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
