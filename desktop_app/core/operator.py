"""Who sits at this desktop: the name that is written beside what a person decided."""

import getpass
import os

_VARIABLE = "FLOTILLA_OPERATOR"
_CHARACTERS = 80


def operator_name() -> str:
    """Return the operator's name: from the environment, else that of the user of this machine."""
    try:
        name = os.environ.get(_VARIABLE, "").strip() or getpass.getuser()
    except (KeyError, OSError):
        name = ""
    return name[:_CHARACTERS] or "the operator"
