"""The platform's keys: the RSA pair that opens submitted passwords, and a key that seals secrets.

Secrets of practice accounts are real secrets to the tests that search for them, so nothing here
is stored in clear.
"""

import base64
import binascii
import os
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from practice.files import write_private

_ENCRYPTED_PREFIX = "#PWD_INSTAGRAM:4:"
_FORMAT_VERSION = 1
_IV_BYTES = 12
_TAG_BYTES = 16
_KEY_ID = 41


class SecretError(ValueError):
    """Something sealed or encrypted couldn't be opened. The text never holds the secret."""


class KeyRing:
    """Opens what clients encrypt for the platform and seals what the platform stores."""

    def __init__(self, private_key: rsa.RSAPrivateKey, sealing_key: bytes) -> None:
        self._private_key = private_key
        self._sealer = AESGCM(sealing_key)
        pem = private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key_header = base64.b64encode(pem).decode()
        self.key_id = _KEY_ID

    @classmethod
    def open(cls, folder: Path) -> "KeyRing":
        """The ring kept in ``folder``; made at the first call. Files are for the owner only."""
        pem_path, seal_path = folder / "password-key.pem", folder / "sealing.key"
        if not pem_path.exists():
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            write_private(pem_path, pem)
        if not seal_path.exists():
            write_private(seal_path, AESGCM.generate_key(256))
        private_key = serialization.load_pem_private_key(pem_path.read_bytes(), password=None)
        if not isinstance(private_key, rsa.RSAPrivateKey):
            raise SecretError(f"{pem_path.name} isn't an RSA key. Remove it to have one made.")
        return cls(private_key, seal_path.read_bytes())

    def seal(self, purpose: str, secret: str) -> str:
        """``secret`` in a form that can be stored and only be opened for the same purpose."""
        nonce = os.urandom(_IV_BYTES)
        sealed = self._sealer.encrypt(nonce, secret.encode(), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, purpose: str, sealed: str) -> str:
        """The secret behind ``sealed``.

        Raises:
            SecretError: when it was made for another purpose, by another platform, or altered.
        """
        try:
            raw = base64.b64decode(sealed.encode(), altchars=b"-_", validate=True)
            return self._sealer.decrypt(raw[:_IV_BYTES], raw[_IV_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretError(f"This {purpose} wasn't issued by this platform.") from None

    def decrypt_password(self, text: str) -> str:
        """The password in a ``#PWD_INSTAGRAM:4:<time>:<base64>`` text.

        Layout of the bytes: version, key id, 12-byte IV, 2-byte little-endian length, the RSA
        PKCS#1 v1.5 encrypted AES key, 16-byte tag, AES-GCM text bound to the time.

        Raises:
            SecretError: when the text has another form or was made for another key.
        """
        if not text.startswith(_ENCRYPTED_PREFIX):
            raise SecretError("The password isn't in the encrypted form that this route takes.")
        timestamp, _, encoded = text.removeprefix(_ENCRYPTED_PREFIX).partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
            version, key_id = raw[0], raw[1]
            (length,) = struct.unpack_from("<H", raw, 2 + _IV_BYTES)
            start = 2 + _IV_BYTES + 2
            wrapped, rest = raw[start : start + length], raw[start + length :]
            if (version, key_id) != (_FORMAT_VERSION, self.key_id):
                raise SecretError("The password was encrypted for another key.")
            key = self._private_key.decrypt(wrapped, padding.PKCS1v15())
            tag, cipher_text = rest[:_TAG_BYTES], rest[_TAG_BYTES:]
            opened = AESGCM(key).decrypt(
                raw[2 : 2 + _IV_BYTES], cipher_text + tag, timestamp.encode()
            )
            return opened.decode()
        except SecretError:
            raise
        except (InvalidTag, binascii.Error, IndexError, struct.error, ValueError):
            raise SecretError("The encrypted password can't be opened.") from None
