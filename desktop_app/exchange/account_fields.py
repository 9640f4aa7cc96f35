"""Reads the single fields of an account as people write them. No message repeats a secret."""

import base64
import binascii
import re
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from common.domain.accounts import DriverName
from common.errors import InputError

TAG_CHARACTERS = 40
NAME_CHARACTERS = 64
_SEED_BYTES = 10
"""Shortest seed that two-factor sign-in is set up with: 16 characters."""
_USERNAME = re.compile(r"^[a-z0-9._]{1,30}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG_BREAK = re.compile(r"[,;|]")


def read_username(text: str) -> str:
    """Return a user name in the platform's form; raises InputError."""
    name = text.strip().removeprefix("@").lower()
    if not name:
        raise InputError("The user name is missing.", field="username")
    if not _USERNAME.match(name):
        raise InputError(
            "The user name has characters that the platform does not allow, or is too long.",
            field="username",
            advice="Letters, digits, dots and underscores; 30 at most.",
        )
    return name


def read_password(text: str) -> SecretStr:
    """Return a password just as written; raises InputError."""
    if not text.strip():
        raise InputError("The password is missing.", field="password")
    if _CONTROL.search(text):
        raise InputError("The password contains a control character.", field="password")
    return SecretStr(text)


def read_totp_seed(text: str) -> SecretStr | None:
    """Return a TOTP seed in base32, or None for an empty field; raises InputError.

    Takes spaces and dashes as the platform shows them, and whole `otpauth://` addresses.
    """
    seed = text.strip()
    if seed.lower().startswith("otpauth://"):
        seed = parse_qs(urlsplit(seed).query).get("secret", [""])[0] or "?"
    seed = re.sub(r"[\s-]", "", seed).upper().rstrip("=")
    if not seed:
        return None
    try:
        key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except (binascii.Error, ValueError):
        raise InputError(
            "The TOTP seed is not base32.",
            field="totp",
            advice="It is made of the letters A to Z and the digits 2 to 7; copy it once more "
            "from the platform's two-factor page.",
        ) from None
    if len(key) < _SEED_BYTES:
        raise InputError(
            "The TOTP seed is too short.",
            field="totp",
            advice="Give the seed of 16 or 32 characters, not the code of six digits.",
        )
    return SecretStr(seed)


def read_driver(text: str) -> DriverName | None:
    """Return a driver preference, None for automatic; raises InputError."""
    name = text.strip().lower().replace("-", "_")
    if name in {"", "automatic"}:
        return None
    try:
        return DriverName(name)
    except ValueError:
        known = ", ".join(driver.value for driver in DriverName)
        raise InputError(
            "There is no such driver.", field="driver", advice=f"Choose {known}, or leave it empty."
        ) from None


def read_tags(text: str) -> frozenset[str]:
    """Return the tags in a field, parted by comma, semicolon or bar; raises InputError."""
    return frozenset(filter(None, (read_tag(part) for part in _TAG_BREAK.split(text))))


def read_tag(text: str) -> str:
    """Return one tag; raises InputError."""
    tag = " ".join(text.split())
    if len(tag) > TAG_CHARACTERS or _CONTROL.search(tag):
        raise InputError(f"A tag has {TAG_CHARACTERS} characters at most.", field="tags")
    return tag


def read_full_name(text: str) -> str:
    """Return a full name; raises InputError."""
    name = " ".join(text.split())
    if len(name) > NAME_CHARACTERS:
        raise InputError(
            f"A full name has {NAME_CHARACTERS} characters at most.", field="full_name"
        )
    return name
