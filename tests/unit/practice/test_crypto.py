"""Passwords that clients encrypt, and secrets that the platform seals."""

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from practice.crypto import KeyRing, SecretError


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"))


def encrypted(ring: KeyRing, password: str, key_id: int | None = None) -> str:
    """What a client sends, built here from the published layout."""
    public = serialization.load_pem_public_key(base64.b64decode(ring.public_key_header))
    assert isinstance(public, rsa.RSAPublicKey)
    key, iv, moment = os.urandom(32), os.urandom(12), "1700000000"
    wrapped = public.encrypt(key, padding.PKCS1v15())
    sealed = AESGCM(key).encrypt(iv, password.encode(), moment.encode())
    head = bytes([1, ring.key_id if key_id is None else key_id])
    raw = head + iv + len(wrapped).to_bytes(2, "little") + wrapped + sealed[-16:] + sealed[:-16]
    return f"#PWD_INSTAGRAM:4:{moment}:{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize("password", ["plain", "pässwörd", "密码 with blanks", "x" * 200])
def test_a_password_encrypted_for_the_platform_is_read(ring: KeyRing, password: str) -> None:
    assert ring.decrypt_password(encrypted(ring, password)) == password


def test_a_password_moved_to_another_moment_is_refused(ring: KeyRing) -> None:
    text = encrypted(ring, "plain").replace("1700000000", "1700000001")
    with pytest.raises(SecretError):
        ring.decrypt_password(text)


@pytest.mark.parametrize("text", ["", "plain", "#PWD_INSTAGRAM:4:1:", "#PWD_INSTAGRAM:4:1:AAAA"])
def test_other_texts_are_refused(ring: KeyRing, text: str) -> None:
    with pytest.raises(SecretError):
        ring.decrypt_password(text)


def test_a_password_for_another_key_is_refused(ring: KeyRing) -> None:
    with pytest.raises(SecretError, match="another key"):
        ring.decrypt_password(encrypted(ring, "plain", key_id=7))


def test_a_sealed_secret_opens_for_its_purpose_alone(ring: KeyRing) -> None:
    sealed = ring.seal("password of ada", "secret words")
    assert "secret" not in sealed
    assert ring.unseal("password of ada", sealed) == "secret words"
    with pytest.raises(SecretError):
        ring.unseal("password of bob", sealed)


@pytest.mark.parametrize("text", ["", "not base64 at all", "AAAA", "é"])
def test_what_was_never_sealed_does_not_open(ring: KeyRing, text: str) -> None:
    with pytest.raises(SecretError):
        ring.unseal("password of ada", text)


def test_keys_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    sealed = KeyRing.open(tmp_path).seal("x", "secret")
    assert KeyRing.open(tmp_path).unseal("x", sealed) == "secret"
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
