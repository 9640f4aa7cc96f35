"""Seals and opens the secret columns of the store. Where the key comes from: `master_keys.py`."""

from pydantic import SecretStr

from common.security import sealing


class Vault:
    """The data key of an open store. A sealed value opens only in the place it was sealed for."""

    def __init__(self, key: bytes, key_version: int = 1) -> None:
        self._key = key
        self._key_version = key_version

    def __repr__(self) -> str:
        return f"Vault(key version {self._key_version})"

    def seal(self, table: str, column: str, row: str, secret: str | SecretStr) -> bytes:
        """Seal a secret for one column of one row."""
        text = secret if isinstance(secret, str) else secret.get_secret_value()
        return sealing.seal(self._key, text, self._place(table, column, row))

    def open(self, table: str, column: str, row: str, sealed: bytes) -> SecretStr:
        """Open what `seal` made; raises VaultError where it was made elsewhere or otherwise."""
        return SecretStr(sealing.unseal(self._key, sealed, self._place(table, column, row)))

    def seal_optional(
        self, table: str, column: str, row: str, secret: SecretStr | None
    ) -> bytes | None:
        """Seal a secret that may be missing; an empty one counts as missing."""
        if secret is None or not secret.get_secret_value():
            return None
        return self.seal(table, column, row, secret)

    def open_optional(
        self, table: str, column: str, row: str, sealed: bytes | None
    ) -> SecretStr | None:
        """Open a secret that may be missing."""
        return None if sealed is None else self.open(table, column, row, sealed)

    def _place(self, table: str, column: str, row: str) -> str:
        return sealing.place_of(table, column, row, self._key_version)
