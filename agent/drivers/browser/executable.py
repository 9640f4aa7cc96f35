"""The Chromium to drive, or what to do where there is none. Finding it is `agent.chromium`'s."""

import os
from pathlib import Path

from agent.chromium import find_chromium
from common.errors import DriverError

VARIABLE = "CHROMIUM_PATH"
_ADVICE = (
    "Install Chromium (Debian and Ubuntu: `apt install chromium`; elsewhere: "
    "`python -m playwright install chromium`), or name one in CHROMIUM_PATH."
)


def require_browser() -> Path:
    """Return the browser to start; raises DriverError, with what to install, without one."""
    found = find_chromium()
    if found:
        return found
    if named := os.environ.get(VARIABLE):
        raise DriverError(f"{VARIABLE} names {named}, which is no file.", advice=_ADVICE)
    raise DriverError("There is no Chromium on this machine.", advice=_ADVICE)
