"""One-time pairing codes, in a private file that `flotilla-agent pair` and the agent share.

The file holds the code's SHA-256, when it ends, and how many tries are left; the code itself is
printed once and never kept.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from common.errors import PairingRefusedError
from common.infra.paths import write_private_file
from common.security.pairing import (
    CODE_LIFETIME_SECONDS,
    CODE_TRIES,
    is_same_digest,
    new_code,
    token_digest,
)

_FILE = "pairing.json"


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code that can be traded for a token."""

    digest: str
    expires_at: float
    """Seconds since 1970."""
    tries_left: int
    take_over: bool
    """True where the store that pairs becomes the owner."""


def open_code(folder: Path, *, take_over: bool = False, now: float | None = None) -> str:
    """Make a code, and return it; an earlier one no longer counts."""
    code = new_code()
    made_at = time.time() if now is None else now
    _write(
        folder,
        OpenCode(token_digest(code), made_at + CODE_LIFETIME_SECONDS, CODE_TRIES, take_over),
    )
    return code


def is_code_open(folder: Path, now: float) -> bool:
    """Say whether a code is waiting to be used."""
    code = _read(folder)
    return code is not None and now < code.expires_at


def redeem_code(folder: Path, code: str, now: float) -> OpenCode:
    """Use a code up; returns what it was made for.

    Raises PairingRefusedError where there is none, it is wrong, used or expired; a wrong try
    counts, and the last one closes the code.
    """
    known = _read(folder)
    if known is None:
        raise PairingRefusedError("No pairing code is open: it was used, or none was made.")
    if now >= known.expires_at:
        _close(folder)
        raise PairingRefusedError("The pairing code has expired.")
    if not is_same_digest(known.digest, token_digest(code)):
        left = known.tries_left - 1
        if left > 0:
            _write(folder, replace(known, tries_left=left))
        else:
            _close(folder)
        raise PairingRefusedError("The pairing code is wrong.")
    _close(folder)
    return known


def _read(folder: Path) -> OpenCode | None:
    try:
        return OpenCode(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: Path, code: OpenCode) -> None:
    write_private_file(folder / _FILE, json.dumps(asdict(code)).encode())


def _close(folder: Path) -> None:
    (folder / _FILE).unlink(missing_ok=True)
