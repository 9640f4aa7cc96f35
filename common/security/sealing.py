"""Sealing of secrets at rest: AES-256-GCM, one random nonce per secret, bound to its place.

The place (table, column, row and key version) is authenticated with the text, so that a sealed
value copied to another row does not open there.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import VaultError

KEY_BYTES = 32
_NONCE_BYTES = 12
_HEADER = b"FS1"


def new_key() -> bytes:
    """Return a random 256-bit key."""
    return AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def place_of(table: str, column: str, row: str, key_version: int) -> str:
    """Name the place a secret belongs to."""
    return f"{table}|{column}|{row}|{key_version}"


def seal(key: bytes, text: str, place: str) -> bytes:
    """Seal `text` for `place` under `key`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _HEADER + nonce + AESGCM(key).encrypt(nonce, text.encode(), place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> str:
    """Open what `seal` made; raises VaultError where key or place are not the ones it had."""
    body = sealed[len(_HEADER) :]
    if not sealed.startswith(_HEADER) or len(body) <= _NONCE_BYTES:
        raise VaultError("A sealed value is damaged.", subject=place)
    nonce, cipher = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, cipher, place.encode()).decode()
    except InvalidTag:
        raise VaultError(
            "A sealed value does not open with this key.",
            subject=place,
            advice="Start with the key that this store was made with.",
        ) from None
