"""The vault's key comes from the source that the operator chose, or the store stays closed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import pytest

from common.errors import VaultError
from desktop_app.store.folder import StoreFolder
from desktop_app.store.master_keys import (
    PASSPHRASE_VARIABLE,
    KeySource,
    VaultChoice,
    open_vault,
)
from desktop_app.store.vault import Vault

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
PASSPHRASE = "a long passphrase"


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder(tmp_path / "data").make()


@pytest.fixture
def key_file(tmp_path: Path) -> VaultChoice:
    return VaultChoice(KeySource.KEY_FILE, tmp_path / "keys" / "flotilla.key")


def is_same_vault(one: Vault, other: Vault) -> bool:
    opened = other.open("t", "c", "r", one.seal("t", "c", "r", "kelp"))
    return opened.get_secret_value() == "kelp"


def test_without_a_choice_no_vault_is_made(folder: StoreFolder) -> None:
    with pytest.raises(VaultError) as caught:
        open_vault(folder, None)
    assert "--vault" in caught.value.advice
    assert not folder.vault.exists()


def test_a_key_file_opens_the_same_vault_again(folder: StoreFolder, key_file: VaultChoice) -> None:
    first, store_id = open_vault(folder, key_file)
    again, same_id = open_vault(folder, None)
    assert is_same_vault(first, again)
    assert same_id == store_id
    assert key_file.key_file is not None
    assert key_file.key_file.read_text().strip() not in folder.vault.read_text()


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_open_to_others_is_refused(
    folder: StoreFolder, key_file: VaultChoice, mode: int
) -> None:
    open_vault(folder, key_file)
    assert key_file.key_file is not None
    key_file.key_file.chmod(mode)
    with pytest.raises(VaultError, match=f"mode {mode:o}") as caught:
        open_vault(folder, None)
    assert "chmod 600" in caught.value.advice


def test_a_key_file_that_is_gone_or_another_is_refused(
    folder: StoreFolder, key_file: VaultChoice, tmp_path: Path
) -> None:
    open_vault(folder, key_file)
    other = VaultChoice(KeySource.KEY_FILE, tmp_path / "other.key")
    open_vault(StoreFolder(tmp_path / "second").make(), other)
    with pytest.raises(VaultError, match="does not open"):
        open_vault(folder, other)
    assert key_file.key_file is not None
    key_file.key_file.unlink()
    with pytest.raises(VaultError, match="not there"):
        open_vault(folder, None)


def test_a_key_file_inside_the_data_folder_is_refused(folder: StoreFolder) -> None:
    with pytest.raises(VaultError, match="inside the data folder"):
        open_vault(folder, VaultChoice(KeySource.KEY_FILE, folder.root / "key"))


def test_another_source_than_the_first_is_refused(
    folder: StoreFolder, key_file: VaultChoice
) -> None:
    open_vault(folder, key_file)
    with pytest.raises(VaultError, match="key-file"):
        open_vault(folder, VaultChoice(KeySource.PASSPHRASE), ask_passphrase=lambda: PASSPHRASE)


def test_a_passphrase_is_asked_for_or_read_from_a_private_file(
    folder: StoreFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    choice = VaultChoice(KeySource.PASSPHRASE)
    first, _ = open_vault(folder, choice, ask_passphrase=lambda: PASSPHRASE)
    with pytest.raises(VaultError, match="does not open"):
        open_vault(folder, None, ask_passphrase=lambda: "another passphrase")
    with pytest.raises(VaultError, match="no terminal") as caught:
        open_vault(folder, None)
    assert PASSPHRASE_VARIABLE in caught.value.advice
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    file.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, str(file))
    again, _ = open_vault(folder, None)
    assert is_same_vault(first, again)
    assert PASSPHRASE not in folder.vault.read_text()


def test_a_short_passphrase_is_refused(
    folder: StoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    with pytest.raises(VaultError, match="characters"):
        open_vault(folder, VaultChoice(KeySource.PASSPHRASE), ask_passphrase=lambda: "short")


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring as a desktop has one, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password


MemoryKeyring.__module__ = "keyring.backends.SecretService"


@pytest.fixture
def use_keyring() -> Iterator[object]:
    before = keyring.core._keyring_backend
    yield keyring.set_keyring
    keyring.core._keyring_backend = before


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_a_keyring_that_keeps_nothing_safe_is_refused(
    folder: StoreFolder, use_keyring: object, backend: type[keyring.backend.KeyringBackend]
) -> None:
    keyring.set_keyring(backend())
    with pytest.raises(VaultError, match="no keyring that Flotilla trusts"):
        open_vault(folder, VaultChoice(KeySource.KEYRING))
    assert not folder.vault.exists()


def test_a_keyring_of_a_desktop_keeps_the_master_key(
    folder: StoreFolder, use_keyring: object
) -> None:
    kept = MemoryKeyring()
    keyring.set_keyring(kept)
    first, store_id = open_vault(folder, VaultChoice(KeySource.KEYRING))
    again, _ = open_vault(folder, None)
    assert is_same_vault(first, again)
    assert list(kept.kept) == [("flotilla", store_id)]
    kept.kept.clear()
    with pytest.raises(VaultError, match="no key for this store"):
        open_vault(folder, None)
