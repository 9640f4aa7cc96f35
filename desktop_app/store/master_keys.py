"""Opens the vault of a data folder: a data key, sealed under a master key from a chosen source.

The source is chosen once, by the operator, and recorded in `vault.json` beside the sealed data
key. A start without that source fails; there is no other way in, and no plaintext fall-back.
"""

import base64
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from common.domain.ids import new_id
from common.errors import VaultError
from common.infra.paths import make_private_folder, write_private_file
from common.security.sealing import KEY_BYTES, new_key, place_of, seal, unseal
from desktop_app.store.folder import StoreFolder
from desktop_app.store.vault import Vault

PASSPHRASE_VARIABLE = "FLOTILLA_PASSPHRASE_FILE"  # noqa: S105 - names a file
KEYRING_SERVICE = "flotilla"
PASSPHRASE_MINIMUM = 8
"""Characters."""
_KEYRING_BACKENDS = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.Windows",
    "keyring.backends.macOS",
)
_SALT_BYTES = 16
_SCRYPT_N = 2**17
_SCRYPT_R = 8
_SCRYPT_P = 1
_OPTIONS = (
    "Choose with --vault keyring (a desktop), --vault passphrase, or --vault key-file "
    "--key-file FILE (a server)."
)


class KeySource(StrEnum):
    """Where a vault's master key comes from."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a source
    KEY_FILE = "key-file"


@dataclass(frozen=True, slots=True)
class VaultChoice:
    """The operator's choice of a source, and what it needs."""

    source: KeySource
    key_file: Path | None = None
    """For a key file: where it lies, or shall lie. Outside the data folder."""


class VaultRecord(BaseModel):
    """What `vault.json` holds. No secret: the data key is sealed under the master key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: KeySource
    store_id: str
    key_version: int = 1
    sealed_key: str
    """The data key, sealed; base64."""
    salt: str = ""
    """For a passphrase; base64."""
    key_file: str = ""


def ask_nobody() -> str:
    """Stand in for a prompt where there is no person to ask."""
    raise VaultError(
        "The vault needs its passphrase, and there is no terminal to ask for it.",
        advice=f"Put it into a file that only you may read and name that in {PASSPHRASE_VARIABLE}.",
    )


def open_vault(
    folder: StoreFolder,
    choice: VaultChoice | None,
    *,
    ask_passphrase: Callable[[], str] = ask_nobody,
) -> tuple[Vault, str]:
    """Open a data folder's vault, or make it with `choice`; return it with the store's id.

    Blocks for up to a second. Raises VaultError that says what to do.
    """
    if folder.vault.exists():
        return _open_existing(folder, choice, ask_passphrase)
    if choice is None:
        raise VaultError(
            "This store has no vault yet: say where its key shall be kept.", advice=_OPTIONS
        )
    return _make(folder, choice, ask_passphrase)


def _open_existing(
    folder: StoreFolder, choice: VaultChoice | None, ask_passphrase: Callable[[], str]
) -> tuple[Vault, str]:
    record = _read_record(folder.vault)
    if choice is not None and choice.source is not record.source:
        raise VaultError(
            f"This store's vault was made with “{record.source}”, not with “{choice.source}”.",
            advice=f"Start with --vault {record.source}, or without --vault.",
            subject=str(folder.vault),
        )
    master = _master_key(record, choice, ask_passphrase)
    sealed = base64.b64decode(record.sealed_key)
    try:
        text = unseal(master, sealed, _key_place(record.store_id, record.key_version))
    except VaultError:
        raise VaultError(
            f"The key from “{record.source}” does not open this store's vault.",
            advice=_WRONG_KEY[record.source],
            subject=str(folder.vault),
        ) from None
    return Vault(base64.b64decode(text), record.key_version), record.store_id


_WRONG_KEY = {
    KeySource.KEYRING: "Sign in as the user who made this store, or restore its keyring entry.",
    KeySource.PASSPHRASE: "Type the passphrase again; it is the one chosen at the first start.",
    KeySource.KEY_FILE: "Bring back the key file that was made at the first start.",
}


def _make(
    folder: StoreFolder, choice: VaultChoice, ask_passphrase: Callable[[], str]
) -> tuple[Vault, str]:
    store_id, key, salt = new_id(), new_key(), os.urandom(_SALT_BYTES)
    draft = VaultRecord(
        source=choice.source,
        store_id=store_id,
        sealed_key="",
        salt=_text(salt) if choice.source is KeySource.PASSPHRASE else "",
        key_file=str(_key_file_path(folder, choice)) if choice.source is KeySource.KEY_FILE else "",
    )
    master = _new_master_key(draft, ask_passphrase)
    sealed = seal(master, _text(key), _key_place(store_id, draft.key_version))
    record = draft.model_copy(update={"sealed_key": _text(sealed)})
    write_private_file(folder.vault, record.model_dump_json(indent=2).encode())
    return Vault(key, record.key_version), store_id


def _key_file_path(folder: StoreFolder, choice: VaultChoice) -> Path:
    if choice.key_file is None:
        raise VaultError("Name the key file.", advice="Add --key-file FILE.")
    path = choice.key_file.expanduser().absolute()
    if path.resolve().is_relative_to(folder.root.resolve()):
        raise VaultError(
            "The key file would lie inside the data folder that it protects.",
            advice="Name a file elsewhere, so that a copy of the data folder stays closed.",
            subject=str(path),
        )
    return path


def _new_master_key(record: VaultRecord, ask_passphrase: Callable[[], str]) -> bytes:
    if record.source is KeySource.PASSPHRASE:
        return _derive(_passphrase(ask_passphrase, is_new=True), record.salt)
    if record.source is KeySource.KEYRING:
        master = new_key()
        _allowed_keyring().set_password(KEYRING_SERVICE, record.store_id, _text(master))
        return master
    path = Path(record.key_file)
    if path.exists():
        return _read_key_file(path)
    master = new_key()
    if not path.parent.exists():
        make_private_folder(path.parent)
    write_private_file(path, _text(master).encode() + b"\n")
    return master


def _master_key(
    record: VaultRecord, choice: VaultChoice | None, ask_passphrase: Callable[[], str]
) -> bytes:
    if record.source is KeySource.PASSPHRASE:
        return _derive(_passphrase(ask_passphrase, is_new=False), record.salt)
    if record.source is KeySource.KEYRING:
        stored = _allowed_keyring().get_password(KEYRING_SERVICE, record.store_id)
        if stored is None:
            raise VaultError(
                "The system's keyring has no key for this store.",
                advice=_WRONG_KEY[KeySource.KEYRING],
            )
        return _decoded(stored, "the keyring")
    moved = choice.key_file if choice else None
    return _read_key_file(moved.expanduser().absolute() if moved else Path(record.key_file))


def _read_record(file: Path) -> VaultRecord:
    try:
        return VaultRecord.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise VaultError(
            "The record of this store's vault cannot be read.",
            advice="Bring vault.json back from a backup of the data folder.",
            subject=str(file),
        ) from None


def _passphrase(ask: Callable[[], str], *, is_new: bool) -> SecretStr:
    named = os.environ.get(PASSPHRASE_VARIABLE)
    text = _passphrase_file(Path(named)) if named else ask()
    if is_new and len(text) < PASSPHRASE_MINIMUM:
        raise VaultError(f"The passphrase needs {PASSPHRASE_MINIMUM} characters or more.")
    return SecretStr(text)


def _passphrase_file(file: Path) -> str:
    _require_private(file, "passphrase file")
    text = file.read_text("utf-8").splitlines()
    if not text or not text[0]:
        raise VaultError("The passphrase file is empty.", subject=str(file))
    return text[0]


def _derive(passphrase: SecretStr, salt: str) -> bytes:
    kdf = Scrypt(
        salt=base64.b64decode(salt), length=KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P
    )
    return kdf.derive(passphrase.get_secret_value().encode())


def _read_key_file(file: Path) -> bytes:
    _require_private(file, "key file")
    return _decoded(file.read_text("ascii", errors="replace").strip(), "the key file")


def _require_private(file: Path, what: str) -> None:
    """Refuse a secret's file that is missing, another user's, or open to others."""
    try:
        found = file.stat()
    except OSError:
        raise VaultError(
            f"The {what} is not there.", advice="Bring it back, or name the right one.",
            subject=str(file),
        ) from None  # fmt: skip
    if sys.platform == "win32":
        return
    if found.st_uid not in {os.geteuid(), 0}:
        raise VaultError(
            f"The {what} belongs to another user.",
            advice="Make it your own, with mode 0600.",
            subject=str(file),
        )
    if found.st_mode & 0o077:
        raise VaultError(
            f"The {what} is open to other users of this machine (mode {found.st_mode & 0o777:o}).",
            advice=f"Close it: chmod 600 {file}",
            subject=str(file),
        )


def is_keyring_there() -> bool:
    """Say whether this machine has a keyring that a vault's key may be kept in."""
    try:
        _allowed_keyring()
    except VaultError:
        return False
    return True


def _allowed_keyring() -> Any:
    import keyring  # takes a sixth of a second, and only this source needs it

    backend = keyring.get_keyring()
    found = [backend, *getattr(backend, "backends", [])]
    for candidate in found:
        if type(candidate).__module__.startswith(_KEYRING_BACKENDS):
            return candidate
    raise VaultError(
        f"This machine has no keyring that Flotilla trusts (found: {type(backend).__module__}).",
        advice="Unlock the desktop's keyring, or choose --vault passphrase or --vault key-file.",
    )


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"What {where} holds is not a key of ours.")
    return key


def _key_place(store_id: str, key_version: int) -> str:
    return place_of("vault", "data_key", store_id, key_version)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
