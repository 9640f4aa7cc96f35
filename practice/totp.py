"""Time-based one-time codes (RFC 6238: SHA-1, 30 s, 6 digits), checked on the server's side."""

import base64
import binascii
import hashlib
import hmac
import struct
import time

STEP_SECONDS = 30
_DIGITS = 6


class SeedError(ValueError):
    """The seed isn't base32 text."""


def decode_seed(seed: str) -> bytes:
    """The key behind a base32 seed; blanks, case and missing padding are forgiven.

    Raises:
        SeedError: when the text can't be decoded or holds nothing.
    """
    text = "".join(seed.split()).replace("-", "").upper().rstrip("=")
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise SeedError("The TOTP seed isn't base32 text (A to Z, 2 to 7).") from None
    if not key:
        raise SeedError("The TOTP seed is empty.")
    return key


def code_at(seed: str, moment: float) -> str:
    """The code that holds at ``moment`` (Unix seconds)."""
    return _code(decode_seed(seed), int(moment) // STEP_SECONDS)


def accepts(seed: str, code: str, moment: float | None = None) -> bool:
    """Whether ``code`` holds now, one step early or one step late."""
    step = int(time.time() if moment is None else moment) // STEP_SECONDS
    key = decode_seed(seed)
    given = "".join(code.split()).encode()
    return any(
        hmac.compare_digest(_code(key, nearby).encode(), given)
        for nearby in (step - 1, step, step + 1)
        if nearby >= 0
    )


def _code(key: bytes, counter: int) -> str:
    digest = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)
