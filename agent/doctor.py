"""What a worker machine needs, looked at one by one, each with how to mend it."""

import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.chromium import find_chromium
from agent.jobs.disk import needs_of
from agent.settings import AgentSettings

_LOW_DISK = 2 * 1024**3
_COMMAND_SECONDS = 20.0
_RELEASED = 1_735_689_600.0
"""2025-01-01: a clock before it is certainly wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    name: str
    verdict: Literal["ok", "warning", "missing"]
    text: str
    advice: str = ""


def examine(settings: AgentSettings) -> list[Finding]:
    """Look at everything."""
    looks: list[Callable[[AgentSettings], Finding]] = [
        _python,
        _tls,
        _folder,
        _disk,
        _clock,
        _ffmpeg,
        _chromium,
    ]
    return [look(settings) for look in looks]


def _python(_settings: AgentSettings) -> Finding:
    text = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "ok", text)
    return Finding("Python", "missing", text, "Use Python 3.11, 3.12 or 3.13.")


def _tls(_settings: AgentSettings) -> Finding:
    if ssl.HAS_TLSv1_3:
        return Finding("TLS 1.3", "ok", ssl.OPENSSL_VERSION)
    return Finding("TLS 1.3", "warning", ssl.OPENSSL_VERSION, "Update OpenSSL; TLS 1.2 is used.")


def _folder(settings: AgentSettings) -> Finding:
    folder = settings.data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        advice = f"Let this user write there, or choose another folder ({problem.strerror})."
        return Finding("Data folder", "missing", str(folder), advice)
    if sys.platform != "win32" and folder.stat().st_mode & 0o077:
        advice = f"Run: chmod 700 {folder}"
        return Finding("Data folder", "warning", f"{folder} is open to other users", advice)
    return Finding("Data folder", "ok", str(folder))


def _disk(settings: AgentSettings) -> Finding:
    folder = _existing(settings.data)
    usage = shutil.disk_usage(folder)
    free = usage.free
    text = f"{free / 1024**3:.1f} GiB free"
    if free < needs_of(usage.total).starts:
        return Finding("Disk", "missing", text, "Free disk space: nothing new is started.")
    if free < settings.disk_reserve:
        return Finding("Disk", "missing", text, "Free disk space: no media is taken in.")
    if free < _LOW_DISK:
        return Finding("Disk", "warning", text, "Free disk space before the next large batch.")
    return Finding("Disk", "ok", text)


def _clock(_settings: AgentSettings) -> Finding:
    now = time.time()
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < _RELEASED:
        return Finding("Clock", "missing", text, "Set the clock: one-time passwords depend on it.")
    if (
        shutil.which("timedatectl")
        and _says(["timedatectl", "show", "--property=NTPSynchronized", "--value"]) == "no"
    ):
        advice = "Run: timedatectl set-ntp true. One-time passwords depend on the clock."
        return Finding("Clock", "warning", f"{text}, not synchronised", advice)
    return Finding("Clock", "ok", text)


def _ffmpeg(_settings: AgentSettings) -> Finding:
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        advice = "Install ffmpeg (Debian: apt install ffmpeg), or set IMAGEIO_FFMPEG_EXE."
        return Finding("ffmpeg", "missing", "not found", advice)
    if not _says([program, "-version"]):
        return Finding("ffmpeg", "missing", f"{program} does not start", "Install ffmpeg.")
    return Finding("ffmpeg", "ok", str(program))


def _chromium(settings: AgentSettings) -> Finding:
    if settings.browser_slots == 0:
        return Finding("Chromium", "ok", "not wanted: browser_slots is 0")
    program = find_chromium()
    if program is None:
        return Finding(
            "Chromium",
            "warning",
            "not found: this agent runs no browser items",
            "Run `playwright install chromium`, or install chromium, or set CHROMIUM_PATH.",
        )
    if not _says([str(program), "--version"]):
        advice = "Run `playwright install --with-deps chromium`."
        return Finding("Chromium", "warning", f"{program} does not start", advice)
    if sys.platform == "linux" and os.geteuid() == 0:
        advice = "Run the agent as an ordinary user: as root, only practice accounts get a browser."
        return Finding("Chromium", "warning", f"{program}, without its sandbox", advice)
    return Finding("Chromium", "ok", str(program))


def _says(command: list[str]) -> str:
    """Return what a program prints; empty where it does not start or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
