"""The key that seals secrets in the journal: a systemd credential, or a private file."""

import os
from pathlib import Path

from common.errors import VaultError
from common.infra.paths import write_private_file
from common.security.sealing import KEY_BYTES, new_key

_NAME = "agent-key"


def load_agent_key(folder: Path) -> bytes:
    """Return the key: from $CREDENTIALS_DIRECTORY where systemd gives one, else from `folder`.

    Made at the first start. Raises VaultError where the file does not hold a key.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / _NAME).is_file():
        return _read(Path(credentials) / _NAME)
    file = folder / _NAME
    if not file.exists():
        write_private_file(file, new_key())
    return _read(file)


def _read(file: Path) -> bytes:
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise VaultError(
            f"{file} holds {len(key)} bytes; the agent's key has {KEY_BYTES}.",
            subject=str(file),
            advice="Restore the file; without it, unfinished items must be sent again.",
        )
    return key
