"""One-time passwords from a TOTP seed. Pure but for the clock that the caller hands in."""

import binascii

import pyotp
from pydantic import SecretStr

from common.errors import SecondFactorRefusedError


def one_time_password(username: str, seed: SecretStr, now: float) -> str:
    """Return the code of `seed` at `now`, seconds since 1970.

    Raises SecondFactorRefusedError where the seed is not one; the seed is not in the error.
    """
    text = seed.get_secret_value().replace(" ", "").replace("-", "").upper()
    try:
        if not text:
            raise ValueError("empty")
        return pyotp.TOTP(text).at(int(now))
    except (binascii.Error, ValueError, TypeError):
        raise SecondFactorRefusedError(
            f"No code can be made from the TOTP seed of {username}.",
            advice="A seed is base32 text (A to Z, 2 to 7) of 23 characters or more.",
            subject=username,
            field="totp_seed",
        ) from None
