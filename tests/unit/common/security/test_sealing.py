import pytest

from common.errors import VaultError
from common.security.sealing import new_key, place_of, seal, unseal

PLACE = place_of("account", "password", "01J", 1)


def test_what_was_sealed_opens_with_its_key_in_its_place() -> None:
    key = new_key()
    assert unseal(key, seal(key, "pässwörd", PLACE), PLACE) == "pässwörd"


def test_two_seals_of_one_text_differ() -> None:
    key = new_key()
    assert seal(key, "same", PLACE) != seal(key, "same", PLACE)


def test_it_opens_neither_elsewhere_nor_with_another_key() -> None:
    key = new_key()
    sealed = seal(key, "secret", PLACE)
    with pytest.raises(VaultError, match="does not open"):
        unseal(key, sealed, place_of("account", "password", "01K", 1))
    with pytest.raises(VaultError, match="does not open"):
        unseal(new_key(), sealed, PLACE)


@pytest.mark.parametrize("damaged", [b"", b"FS1", b"FS1short", b"plain text"])
def test_a_damaged_value_is_called_damaged(damaged: bytes) -> None:
    with pytest.raises(VaultError, match="damaged"):
        unseal(new_key(), damaged, PLACE)
