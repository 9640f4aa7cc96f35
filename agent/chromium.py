"""Where Chromium is on this machine, found without loading anything that drives it."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_INSTALLED = {
    "darwin": (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "win32": (
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
        "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    ),
}
_BUNDLED = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
    "chromium-*/chrome-mac*/Google Chrome for Testing.app/Contents/MacOS/*",
    "chromium-*/chrome-win*/chrome.exe",
)


def find_chromium() -> Path | None:
    """Return Chromium's executable: $CHROMIUM_PATH, Playwright's own, or one on the PATH."""
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return Path(named) if Path(named).is_file() else None
    bundled = [path for pattern in _BUNDLED for path in _downloads().glob(pattern)]
    if bundled:
        return max(bundled)
    return next((path for path in _installed() if path.is_file()), None)


def _installed() -> Iterable[Path]:
    for name in _NAMES:
        if found := shutil.which(name):
            yield Path(found)
    yield from map(Path, _INSTALLED.get(sys.platform, ()))


def _downloads() -> Path:
    """Return the folder that Playwright downloads browsers to."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "ms-playwright"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path.home() / ".cache" / "ms-playwright"
