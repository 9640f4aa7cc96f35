"""Sealed values open in their place and with their key, and nowhere else."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from common.errors import VaultError
from common.security.sealing import new_key
from desktop_app.store.vault import Vault


def test_a_secret_comes_back_from_its_place() -> None:
    vault = Vault(new_key())
    sealed = vault.seal("account", "password", "01A", SecretStr("kelp"))
    assert b"kelp" not in sealed
    assert vault.open("account", "password", "01A", sealed).get_secret_value() == "kelp"


@pytest.mark.parametrize(
    "place",
    [("account", "password", "01B"), ("account", "totp_seed", "01A"), ("proxy", "password", "01A")],
)
def test_a_value_moved_elsewhere_does_not_open(place: tuple[str, str, str]) -> None:
    vault = Vault(new_key())
    sealed = vault.seal("account", "password", "01A", "kelp")
    with pytest.raises(VaultError):
        vault.open(*place, sealed)


def test_another_key_or_version_does_not_open_it() -> None:
    key = new_key()
    sealed = Vault(key).seal("account", "password", "01A", "kelp")
    for other in (Vault(new_key()), Vault(key, key_version=2)):
        with pytest.raises(VaultError):
            other.open("account", "password", "01A", sealed)


def test_an_empty_secret_is_none() -> None:
    vault = Vault(new_key())
    assert vault.seal_optional("account", "password", "01A", SecretStr("")) is None
    assert vault.open_optional("account", "password", "01A", None) is None
